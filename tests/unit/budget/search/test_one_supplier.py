"""Plans at the terms of a run: one supplier, one price per stratum, see `make_surface`."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np
import pytest

from annotation.terms.cost import LabelTerms
from budget.market.market import Market, offers_at_terms
from budget.search.plan import Plan, plan_purchase
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]


def plan_at(
    surface: ResponseSurface,
    money: str | int,
    costs: Mapping[str, str],
    items: Mapping[str, int] | None = None,
    bought: Mapping[str, int] | None = None,
) -> Plan:
    terms = {name: LabelTerms(Decimal(cost), 0.0, "redraw") for name, cost in costs.items()}
    supply = Market(
        surface.strata,
        offers_at_terms(terms, {}),
        items or dict.fromkeys(surface.strata, 100_000),
        bought or {},
    )
    return plan_purchase(surface, supply, Decimal(money))


def test_what_is_there_is_trained_on_and_not_paid_again(make_surface: Surface) -> None:
    had = {"easy": 10, "hard": 10}
    plan = plan_at(make_surface({"easy": 3.0}), 70, {"easy": "1", "hard": "2"}, bought=had)
    assert plan.labels == {"easy": 70, "hard": 0}
    assert plan.used == {"easy": 80, "hard": 10}
    assert plan.cost == 70
    assert plan.money_left == 0
    # n = (10 + sqrt(3) * 80)^2 / 90 = 245.24; .3 + .6 * n / (n + 100) = .7262
    assert plan.expected == pytest.approx(0.3 + 0.6 * 245.24 / 345.24, abs=1e-5)


def test_the_turning_point_is_the_cost_ratio(make_surface: Surface) -> None:
    for rate, better in [(0.45, "hard"), (0.55, "easy")]:
        plan = plan_at(make_surface({"easy": rate}), 976, {"easy": "1", "hard": "2"})
        assert sum(plan.labels.values()) == plan.labels[better] > 0, rate


def test_of_three_strata_the_best_value_wins(make_surface: Surface) -> None:
    # Per unit of money: easy 1.2, medium 2 / 1.5 = 1.33, hard 1 / 2.
    surface = make_surface({"easy": 1.2, "medium": 2.0})
    plan = plan_at(surface, 81, {"easy": "1", "medium": "1.5", "hard": "2"})
    assert plan.labels == {"easy": 0, "medium": 54, "hard": 0}


def test_what_cannot_be_had_goes_to_the_next_best(make_surface: Surface) -> None:
    surface, items = make_surface({"easy": 3.0}), {"easy": 30, "hard": 1000}
    plan = plan_at(surface, 80, {"easy": "1", "hard": "2"}, items)
    assert plan.labels == {"easy": 30, "hard": 25}


def test_no_money_buys_nothing(make_surface: Surface) -> None:
    had = {"easy": 10, "hard": 10}
    plan = plan_at(make_surface({"easy": 1.0}), 0, {"easy": "1", "hard": "2"}, bought=had)
    assert plan.used == had
    assert plan.lines == ()


def test_amounts_of_30_digits_are_not_overspent(make_surface: Surface) -> None:
    # Rounded to 28 digits, 9 labels cost the budget.
    budget, cost = "0.9999999999999999999999999999", "0.111111111111111111111111111114"
    plan = plan_at(make_surface({"easy": 3.0}), budget, {"easy": cost, "hard": cost})
    assert plan.labels == {"easy": 8, "hard": 0}
    assert plan.cost == Decimal("0.888888888888888888888888888912")
    assert plan.money_left == Decimal("0.111111111111111111111111110988")


def test_the_largest_amounts_are_no_overflow(make_surface: Surface) -> None:
    most = "1000000000000000"
    plan = plan_at(make_surface({"easy": 1.0}), most, {"easy": most, "hard": "1e-30"})
    assert plan.labels == {"easy": 0, "hard": 100_000}


def test_of_equally_good_mixes_the_cheapest(make_surface: Surface) -> None:
    # Labels are of no use: the ceiling is the floor.
    surface, had = make_surface({"easy": 1.0}, ceiling=0.3), {"easy": 10, "hard": 10}
    plan = plan_at(surface, 970, {"easy": "1", "hard": "2"}, bought=had)
    assert plan.lines == ()
    assert plan.money_left == 970


def test_a_nearly_sure_thing_is_weighed_by_its_mean(make_surface: Surface) -> None:
    """The plan maximises expected accuracy, not accuracy at the median rate."""
    rates = np.full(100, 0.45)  # just below the cost ratio ...
    rates[:30] = 5.0  # ... but with a fair chance to be far above
    plan = plan_at(make_surface({"easy": rates}), 170, {"easy": "1", "hard": "2"})
    assert plan.labels["easy"] > 100


def test_labels_that_point_elsewhere_leave_money_for_the_others(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6)
    plan = plan_at(surface, 400, {"easy": "1", "hard": "4"})
    best, found = 0.0, (0, 0)
    for hard in range(101):
        easy = 400 - 4 * hard
        along, beside = hard + 0.6 * easy, 0.8 * easy  # easy labels, split into two directions
        length = np.hypot(along, beside)
        learnt = along / length * length**2 / (length**2 + 100 * (easy + hard))
        if learnt > best:
            best, found = learnt, (easy, hard)
    assert 30 < found[1] < 80  # neither all easy nor all hard
    assert plan.labels["hard"] == pytest.approx(found[1], abs=4)  # there it is flat
    assert plan.expected == pytest.approx(0.3 + 0.6 * best, abs=1e-4)


def test_harmful_labels_are_not_bought_at_any_price(make_surface: Surface) -> None:
    # They pull away from what is wanted: 100 hard labels alone are better than with any of them.
    surface, items = make_surface({"easy": 1.0}, alignment_easy=-0.5), {"easy": 10**5, "hard": 100}
    plan = plan_at(surface, 110, {"easy": "0.001", "hard": "1"}, items)
    assert plan.labels == {"easy": 0, "hard": 100}
