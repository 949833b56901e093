"""Plans on surfaces whose best purchase is known: .3 + .6 n / (n + 100), see `make_surface`."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from budget.market.market import Market, TrainingCost
from budget.market.offers import Discount, Offer
from budget.search.plan import (
    Plan,
    expected_accuracy,
    forecast,
    plan_purchase,
)
from budget.surface.parameters import ParameterSpace
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]


def offer(stratum: str, supplier: str = "crowd", cost: str = "1", **more: object) -> Offer:
    given = {"judgments": 1, "redraw_rate": 0.0} | more
    return Offer(stratum, supplier, cost=Decimal(cost), **given)  # type: ignore[arg-type]


def supply(*offers: Offer, items: int = 1000, **more: object) -> Market:
    strata = ("easy", "hard")
    return Market(strata, offers, dict.fromkeys(strata, items), **more)  # type: ignore[arg-type]


def bought(plan: Plan) -> list[tuple[str, str, int, int]]:
    return [
        (own.offer.stratum, own.offer.supplier, own.offer.judgments, own.labels)
        for own in plan.lines
    ]


def test_all_money_goes_to_the_better_buy(make_surface: Surface) -> None:
    terms = (offer("easy"), offer("hard", cost="2"))
    # An easy label is worth .6 hard ones at half the price.
    plan = plan_purchase(make_surface({"easy": 0.6}), supply(*terms), Decimal(101))
    assert bought(plan) == [("easy", "crowd", 1, 101)]
    assert [plan.cost, plan.money_left] == [101, 0]
    assert plan.expected == pytest.approx(0.3 + 0.6 * 60.6 / 160.6)
    plan = plan_purchase(make_surface({"easy": 0.4}), supply(*terms), Decimal(100))
    assert bought(plan) == [("hard", "crowd", 1, 50)]
    assert plan.money_left == 0


def test_relabelling_pays_where_items_are_few(make_surface: Surface) -> None:
    surface = make_surface({"easy": 0.1})
    # A label of one judgment is .6 clean, of three .79: (n c)^2 / n is n c^2.
    ways = [
        offer("hard", judgments=1, redraw_rate=0.4),
        offer("hard", judgments=3, redraw_rate=0.21),
    ]
    # With plenty of items: 300 * .36 against 100 * .6241.
    assert bought(plan_purchase(surface, supply(*ways), Decimal(300)))[0][2:] == (1, 300)
    # With 100: 36 against 62.41.
    assert bought(plan_purchase(surface, supply(*ways, items=100), Decimal(300)))[0][2:] == (3, 100)


def test_a_cheap_supplier_first_and_a_dear_one_for_the_rest(make_surface: Surface) -> None:
    offers = [
        offer("hard", "students", "1", capacity=40),
        offer("hard", "experts", "3"),
    ]
    plan = plan_purchase(make_surface({"easy": 0.1}), supply(*offers), Decimal(100))
    assert bought(plan) == [("hard", "students", 1, 40), ("hard", "experts", 1, 20)]
    assert plan.cost == 100


def test_a_discount_and_a_fixed_cost_are_paid_as_stated(make_surface: Surface) -> None:
    own = offer("hard", cost="1", discounts=(Discount(50, Decimal("0.5")),), fixed_cost=Decimal(10))
    plan = plan_purchase(make_surface({"easy": 0.1}), supply(own), Decimal(100))
    # 10 + 50 * 1 + 80 * .5
    assert bought(plan) == [("hard", "crowd", 1, 130)]
    assert plan.cost == 100


def test_a_least_purchase_that_the_money_cannot_pay(make_surface: Surface) -> None:
    offers = [offer("hard", "agency", "1", least=200), offer("hard", "expert", "4")]
    surface = make_surface({"easy": 0.1})
    assert bought(plan_purchase(surface, supply(*offers), Decimal(199))) == [
        ("hard", "expert", 1, 49)
    ]
    assert bought(plan_purchase(surface, supply(*offers), Decimal(200))) == [
        ("hard", "agency", 1, 200)
    ]


def test_hours_of_a_role_are_shared_by_strata(make_surface: Surface) -> None:
    ours: dict[str, Any] = {"seconds": Decimal(360), "role": "expert"}
    offers = [
        offer("hard", "expert", **ours),
        offer("easy", "expert", **ours),
        offer("easy", "llm", "5"),
    ]
    own = supply(*offers, hours={"expert": Decimal(3)})
    plan = plan_purchase(make_surface({"easy": 0.5}), own, Decimal(80))
    # 30 labels in 3 hours, all hard; the 50 that are left buy 10 easy labels that need no expert.
    assert bought(plan) == [("easy", "llm", 1, 10), ("hard", "expert", 1, 30)]
    assert plan.hours == {"expert": 3}


def test_training_is_paid_from_the_same_money(make_surface: Surface) -> None:
    training = TrainingCost(Decimal(20), Decimal("0.5"))
    own = supply(offer("hard"), training=training, bought={"hard": 10})
    plan = plan_purchase(make_surface({"easy": 0.1}), own, Decimal(100))
    # 20 once, 5 for the 10 labels there are, 1.5 for each of 50 more.
    assert plan.labels == {"easy": 0, "hard": 50}
    assert [plan.training_cost, plan.cost, plan.money_left] == [50, 100, 0]
    with pytest.raises(InputError, match=r"19 do not pay for training, which costs 25 on"):
        plan_purchase(make_surface({"easy": 0.1}), own, Decimal(19))


def test_labels_that_harm_are_left_out_and_not_bought(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=-0.5)
    own = supply(
        offer("easy", cost="0.01"), offer("hard"), bought={"easy": 40, "hard": 10}, items=60
    )
    plan = plan_purchase(surface, own, Decimal(100))
    assert plan.labels == {"easy": 0, "hard": 60}
    assert plan.used == {"easy": 0, "hard": 70}
    assert plan.money_left == 40


def test_earlier_labels_keep_their_errors(make_surface: Surface) -> None:
    own = supply(
        offer("hard", redraw_rate=0.2), bought={"hard": 30}, bought_clean={"hard": 0.6}, items=10
    )
    plan = plan_purchase(make_surface({"easy": 0.1}), own, Decimal(100))
    # 30 at .6 and 10 at .8
    assert plan.clean["hard"] == pytest.approx(0.65)
    # (40 * .65)^2 / 40 = 16.9
    assert plan.expected == pytest.approx(0.3 + 0.6 * 16.9 / 116.9)


def test_nothing_for_sale(make_surface: Surface) -> None:
    plan = plan_purchase(make_surface({"easy": 0.1}), supply(bought={"hard": 100}), Decimal(5))
    assert plan.lines == ()
    assert plan.expected == pytest.approx(0.6)
    assert plan.money_left == 5


def test_of_equal_purchases_the_cheapest(make_surface: Surface) -> None:
    # More easy labels add nothing: they point nowhere, and the target's have run out.
    surface = make_surface({"easy": 1e-12}, alignment_easy=0.0)
    own = supply(offer("easy"), offer("hard"), items=50)
    plan = plan_purchase(surface, own, Decimal(1000))
    assert plan.labels == {"easy": 0, "hard": 50}


def test_a_forecast_holds_the_luck_of_one_purchase(make_surface: Surface) -> None:
    surface = replace(make_surface({"easy": np.full(4000, 0.5)}), luck=0.3)
    draws = forecast(surface, {"hard": 100}, {"hard": 1.0})
    # sd = .3 / sqrt(100 + 32) about .3 + .6 / 2
    assert draws.mean() == pytest.approx(0.6, abs=2e-3)
    assert draws.std() == pytest.approx(0.3 / np.sqrt(132), rel=0.05)


def test_an_expected_accuracy_is_a_mean_with_the_interval_of_one_purchase(
    make_surface: Surface,
) -> None:
    draws = np.tile([1.0, 2.0], 2000)
    surface = replace(make_surface({"easy": draws}, clean={"easy": 1.0}), luck=0.0)
    # n = 100 or 200: .3 + .6 / 2 = .6, .3 + .6 * 2 / 3 = .7
    expected = expected_accuracy(surface, {"easy": 100})
    assert (expected.estimate, expected.low, expected.high) == pytest.approx((0.65, 0.6, 0.7))
    lucky = expected_accuracy(replace(surface, luck=0.3), {"easy": 100})
    assert lucky.estimate == expected.estimate
    # sd = .3 / sqrt(132) = .026: each half's outer twentieth lies 1.645 of them beyond.
    assert lucky.low == pytest.approx(0.6 - 1.645 * 0.3 / np.sqrt(132), abs=4e-3)


def random_surface(seed: int) -> ResponseSurface:
    space = ParameterSpace(("easy", "hard"), "hard")
    rng = np.random.default_rng(seed)
    points = rng.standard_normal(space.size) + 0.5 * rng.standard_normal((20, space.size))
    draws = np.hstack([space.natural(points, 0.25), np.zeros((20, 1))])
    return ResponseSurface(("easy", "hard"), "hard", draws, 0.0, 0.01)


@pytest.mark.parametrize("seed", range(12))
def test_no_purchase_of_all_there_are_is_much_better(seed: int) -> None:
    """Every purchase of two suppliers and two strata with few items, tried one by one."""
    rng = np.random.default_rng(seed)
    offers = [
        offer(
            stratum,
            supplier,
            str(rng.integers(10, 300) / 100),
            redraw_rate=float(rng.choice([0.0, 0.3, 0.6])),
            capacity=int(rng.integers(6, 13)),
            least=int(rng.choice([1, 3])),
            fixed_cost=Decimal(int(rng.choice([0, 3]))),
        )
        for stratum in ("easy", "hard")
        for supplier in ("a", "b")
    ]
    own = supply(*offers, items=12, bought={"easy": 5, "hard": 3}, bought_clean={"hard": 0.8})
    surface = random_surface(seed)
    money = Decimal(25)
    plan = plan_purchase(surface, own, money)
    ways = [[0, *range(each.least, (each.capacity or 0) + 1)] for each in offers]
    counts, clean = [], []
    for labels in product(*ways):
        if sum(labels[:2]) > 12 or sum(labels[2:]) > 12:
            continue
        if sum((o.price(n) for o, n in zip(offers, labels, strict=True)), Decimal(0)) > money:
            continue
        for kept in product((0, 1), repeat=2):
            if (not kept[0] and any(labels[:2])) or (not kept[1] and any(labels[2:])):
                continue
            row, share = [], []
            for place, (name, before) in enumerate((("easy", 1.0), ("hard", 0.8))):
                pair = slice(2 * place, 2 * place + 2)
                numbers = [own.bought[name] * kept[place], *labels[pair]]
                cleans = [before, *(each.clean for each in offers[pair])]
                total = sum(numbers)
                row.append(float(total))
                share.append(float(np.dot(numbers, cleans) / total) if total else 1.0)
            counts.append(row)
            clean.append(share)
    best = max(
        surface.accuracy(np.array(counts[k : k + 5000]), np.array(clean[k : k + 5000]))
        .mean(0)
        .max()
        for k in range(0, len(counts), 5000)
    )
    assert plan.expected <= best + 1e-9
    assert plan.expected >= best - 2e-3
