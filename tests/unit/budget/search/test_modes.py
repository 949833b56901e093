from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from budget.market.market import Market, TrainingCost
from budget.market.offers import Offer
from budget.search.modes import everything, reach_accuracy
from budget.search.plan import PlanSearch
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]


def search(surface: ResponseSurface, items: int = 1000, **more: object) -> PlanSearch:
    offers = (
        Offer("easy", "crowd", 1, Decimal(1), 0.0),
        Offer("hard", "crowd", 1, Decimal(2), 0.0),
    )
    supply = Market(("easy", "hard"), offers, {"easy": items, "hard": items}, **more)  # type: ignore[arg-type]
    return PlanSearch(replace(surface, luck=0.0), supply)


def test_the_least_money_for_a_certain_accuracy(make_surface: Surface) -> None:
    # .3 + .6 n / (n + 100) is .6 at 100 hard labels: 200, and 250 easy ones of .4 each: 250.
    reached = reach_accuracy(search(make_surface({"easy": 0.4})), 0.5999, 0.9)
    assert 199 <= reached.plan.cost <= 201
    assert reached.plan.labels["hard"] in (99, 100)
    assert reached.probability == 1


def test_a_higher_probability_costs_more(make_surface: Surface) -> None:
    # half_labels are 50 to 150, evenly: .6 takes as many labels.
    surface = make_surface({"easy": 0.1}, half_labels=np.linspace(50, 150, 101))
    likely = reach_accuracy(search(surface), 0.5999, 0.5)
    safe = reach_accuracy(search(surface), 0.5999, 0.9)
    assert float(likely.plan.cost) == pytest.approx(200, rel=0.02)
    assert float(safe.plan.cost) == pytest.approx(280, rel=0.02)
    assert likely.probability >= 0.5 and safe.probability >= 0.9


def test_what_was_bought_already_may_be_enough(make_surface: Surface) -> None:
    own = search(
        make_surface({"easy": 0.1}), bought={"hard": 100}, training=TrainingCost(Decimal(3))
    )
    reached = reach_accuracy(own, 0.5999, 0.9)
    assert reached.plan.lines == ()
    assert reached.plan.cost == 3


def test_an_accuracy_out_of_reach_names_the_best_chance(make_surface: Surface) -> None:
    own = search(make_surface({"easy": 0.1}), items=100)
    with pytest.raises(
        InputError, match=r"all that is for sale reaches 80\.0% with probability 0\.0%"
    ):
        reach_accuracy(own, 0.8, 0.9)
    with pytest.raises(InputError, match=r"a budget of 50 for new labels reaches 60\.0%"):
        reach_accuracy(own, 0.6, 0.9, Decimal(50))


@pytest.mark.parametrize(("accuracy", "chance"), [(1.2, 0.9), (0.7, 1.0), (0.7, float("nan"))])
def test_numbers_out_of_range(make_surface: Surface, accuracy: float, chance: float) -> None:
    with pytest.raises(InputError, match="should be between 0 and 1; got"):
        reach_accuracy(search(make_surface({"easy": 0.1})), accuracy, chance)


def test_everything_pays_for_all_there_is(make_surface: Surface) -> None:
    own = search(
        make_surface({"easy": 1.0}), items=10, training=TrainingCost(Decimal(3), Decimal(1))
    )
    assert everything(own.market) == 3 + 10 * 2 + 10 * 3
    assert own.plan(everything(own.market)).labels == {"easy": 10, "hard": 10}
