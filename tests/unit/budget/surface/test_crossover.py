from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from analysis.crossover import CrossoverBudget
from annotation.terms.cost import LabelTerms
from budget.surface.crossover import surface_crossover
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]
MEASURED = [
    {"easy": 20},
    {"easy": 100, "hard": 0},
    {"hard": 10},
    {"hard": 50},
    {"easy": 5, "hard": 5},
]
CAPACITY = {"easy": 2000, "hard": 2000}


def found(
    surface: ResponseSurface,
    easy: str = "1",
    hard: str = "4",
    most: float = 2000.0,
    capacity: dict[str, int] = CAPACITY,
    clean: dict[str, float] | None = None,
) -> CrossoverBudget | None:
    costs = {"easy": easy, "hard": hard}
    terms = {name: LabelTerms(Decimal(cost), 0.0, "redraw") for name, cost in costs.items()}
    return surface_crossover(surface, "easy", terms, MEASURED, most, capacity, clean)


def told(surface: ResponseSurface, **more: object) -> CrossoverBudget:
    own = found(surface, **more)  # type: ignore[arg-type]
    assert own is not None
    return own


def test_where_easy_labels_level_off_below_hard_ones(make_surface: Surface) -> None:
    # For b dollars: .6 b / (b + 100) with easy labels, b / (b + 400) with hard ones at 4 dollars.
    # Equal where .6 (b + 400) = b + 100: at 350.
    own = told(make_surface({"easy": 1.0}, alignment_easy=0.6))
    assert (own.verdict, own.better_below) == ("changes", "easy")
    assert own.estimate == pytest.approx(350, rel=1e-3)
    # 20 easy labels at 1, 10 hard ones at 4 were the least; 100 easy, 50 hard the most measured.
    assert (own.least, own.measured_up_to, own.most) == (40, 100, 2000)


def test_every_draw_has_its_own(make_surface: Surface) -> None:
    cosines = np.linspace(0.5, 0.7, 401)
    own = told(make_surface({"easy": 1.0}, alignment_easy=cosines))
    low, high = (100 * (4 * c - 1) / (1 - c) for c in np.quantile(cosines, [0.025, 0.975]))
    assert (own.low, own.high) == pytest.approx((low, high), rel=0.01)


def test_money_in_another_unit_moves_the_crossover_with_it(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=np.linspace(0.5, 0.7, 41))
    one, other = told(surface), told(surface, easy="0.01", hard="0.04", most=20.0)
    for name in ("estimate", "low", "high", "least", "most", "measured_up_to"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) / 100)
    assert other.probability == one.probability


def test_labels_that_teach_as_much_for_less_are_better_at_every_budget(
    make_surface: Surface,
) -> None:
    own = told(make_surface({"easy": 1.0}))
    assert (own.verdict, own.better_throughout) == ("never changes", {"easy": 1, "hard": 0})


def test_nothing_is_looked_at_beyond_the_budget_or_what_is_for_sale(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6)
    short = told(surface, most=300.0)
    assert (short.verdict, short.most) == ("never changes", 300)
    assert told(surface, capacity={"easy": 250, "hard": 2000}).most == 250
    assert told(surface, capacity={"easy": 2000, "hard": 70}).most == 280
    assert found(surface, most=40.0) is None


def test_what_was_never_measured_alone_is_not_compared(make_surface: Surface) -> None:
    terms = {name: LabelTerms(Decimal(1), 0.0, "redraw") for name in ("easy", "hard")}
    mixes = [{"easy": 20}, {"easy": 5, "hard": 5}]
    surface = make_surface({"easy": 1.0})
    assert surface_crossover(surface, "easy", terms, mixes, 100.0, CAPACITY) is None


def test_cleaner_labels_move_it(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6, clean={"easy": 0.7})
    as_bought, clean = told(surface), told(surface, clean={"easy": 1.0, "hard": 1.0})
    assert clean.estimate == pytest.approx(350, rel=1e-3)
    # A label counts by the square of its share: .6 b / (b + 204) and b / (b + 400), equal at 89.8.
    assert as_bought.estimate == pytest.approx((240 - 100 / 0.49) / 0.4, rel=1e-2)
