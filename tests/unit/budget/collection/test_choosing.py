"""How many labels of which stratum are bought next, of whom."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from annotation.errors import InputError
from budget.collection.choosing import _large_enough, first_choice, next_choice, told_purchase
from budget.config.collection_config import BuyingSection
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.batches import Batch
from budget.search.plan import PlanSearch
from budget.surface.response import ResponseSurface
from tests.unit.budget.conftest import known_surface

STRATA = ("easy", "hard")


def offer(stratum: str, supplier: str = "crowd", judgments: int = 1, **more: Any) -> Offer:
    return Offer(stratum, supplier, judgments, more.pop("cost", Decimal("0.10")), 0.2, **more)


def market(money: str, *offers: Offer, items: int = 1000) -> Market:
    own = offers or (offer("easy"), offer("hard"))
    return Market(
        ("easy", "hard"), own, dict.fromkeys(("easy", "hard"), items), money=Decimal(money)
    )


def first(there: Market, **buying: Any) -> dict[tuple[str, str, int], int]:
    choice = first_choice(there, BuyingSection(**buying), "EUR")
    return {
        (own.offer.stratum, own.offer.supplier, own.offer.judgments): own.labels
        for own in choice.wanted
    }


def test_the_first_batch_is_a_quarter_of_the_money_and_at_most_30_labels_of_each() -> None:
    assert set(first(market("1000")).values()) == {30}
    assert set(first(market("20"), gold=5).values()) == {20}  # 25 at .20 are 5.00
    assert set(first(market("1000", items=12)).values()) == {12}


def test_two_answers_to_an_item_are_better_than_one_at_first() -> None:
    own = [offer(name, judgments=k) for name in ("easy", "hard") for k in (1, 2, 5)]
    assert {judgments for _, _, judgments in first(market("1000", *own))} == {2}


def test_suppliers_of_a_stratum_share_its_items_and_have_a_capacity() -> None:
    both = [offer(name, who) for name in ("easy", "hard") for who in ("crowd", "expert")]
    assert set(first(market("1000", *both, items=20)).values()) == {10}
    few = [offer("easy"), offer("hard", capacity=9)]
    assert set(first(market("1000", *few)).values()) == {9}


@pytest.mark.parametrize(
    ("money", "buying", "told"),
    [
        ("5", {}, r"8 labels and 5 gold questions .* cost 2\.60 EUR, more than .* 5\.00 EUR"),
        ("5", {"gold": 0}, r"8 labels and no gold questions .* cost 1\.60 EUR"),
        ("5", {"first": 30}, r"buying\.first: 30 labels and 5 .* cost 7\.00 EUR, of 5\.00 EUR"),
    ],
)
def test_too_little_money_is_told_with_amounts(
    money: str, buying: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        first(market(money), **buying)


def test_the_first_batch_has_at_least_what_a_supplier_takes() -> None:
    both = [offer(name, who, least=n) for name in STRATA for who, n in (("crowd", 1), ("firm", 50))]
    found = first(market("1000", *both))
    assert {count for (_, who, _), count in found.items() if who == "firm"} == {50}
    assert {count for (_, who, _), count in found.items() if who == "crowd"} == {30}
    few = first(market("1000", *both, items=60))  # 50 of them are the firm's
    assert {count for (_, who, _), count in few.items() if who == "crowd"} == {10}


@pytest.mark.parametrize(
    ("items", "buying", "told"),
    [
        (
            1000,
            {},
            r"8 labels .* supplier, but no fewer than 50 easy labels from firm, ",
        ),
        (1000, {"first": 8}, r"but no fewer than 50 easy .* cost 24\.60 EUR, of 12\.00 EUR"),
        (57, {"gold": 0}, r"too little for a first batch: .* fewer items"),
    ],
)
def test_a_least_that_cannot_be_had_at_first_is_told(
    items: int, buying: dict[str, Any], told: str
) -> None:
    there = [offer("easy", "firm", least=50, cost=Decimal("0.40")), offer("hard")]
    there += [offer("easy", least=8)]
    with pytest.raises(InputError, match=told):
        first(market("12" if items == 1000 else "1000", *there, items=items), **buying)


@pytest.mark.parametrize("rounds_left", [1, 2, 4])
@pytest.mark.parametrize("money", ["3", "11", "60"])
def test_no_batch_has_less_than_a_supplier_takes(money: str, rounds_left: int) -> None:
    there = market(money, offer("easy", least=40), offer("hard", "firm", least=75))
    choice = next_choice(surface(), there, rounds_left, BuyingSection(least=1))
    assert all(own.labels >= own.offer.least for own in choice.wanted)
    cost = sum(own.offer.cost * own.labels for own in choice.wanted)
    assert cost <= Decimal(money)
    if money == "3":
        assert choice.why == (
            "Supplier 'crowd' takes no fewer than 40 easy labels, and what is left pays or has "
            "items for 30. Supplier 'firm' takes no fewer than 75 hard labels, and what is left "
            "pays or has items for 30."
        )
    else:
        assert choice.wanted


def surface(ceiling: float = 0.9) -> ResponseSurface:
    halves = [40.0 + 8 * number for number in range(40)]
    known = known_surface({"easy": 0.5}, half_labels=halves, ceiling=ceiling)
    return replace(known, item_deviation=0.02)


@pytest.mark.parametrize("rounds_left", [1, 2, 4])
@pytest.mark.parametrize("money", ["1", "7.77", "60"])
def test_a_batch_costs_no_more_than_the_money(money: str, rounds_left: int) -> None:
    there = market(money, offer("easy", cost=Decimal("0.07")), offer("hard", judgments=3))
    choice = next_choice(surface(), there, rounds_left, BuyingSection())
    assert sum(own.offer.cost * own.offer.judgments * own.labels for own in choice.wanted) <= (
        Decimal(money)
    )
    assert choice.evidence["kind"] == ("last" if rounds_left == 1 else "learn")
    assert choice.why
    assert choice.wanted == next_choice(surface(), there, rounds_left, BuyingSection()).wanted


def test_the_last_batch_is_no_smaller_than_a_batch_should_be() -> None:
    choice = next_choice(surface(), market("1"), 1, BuyingSection(least=20))
    assert not choice.wanted
    assert choice.why == "The money left buys 10 labels, fewer than a batch has at least (20)."


def test_without_items_nothing_is_wanted() -> None:
    for rounds_left in (1, 3):
        choice = next_choice(surface(), market("60", items=0), rounds_left, BuyingSection())
        assert not choice.wanted
        assert choice.why == "Nothing more is worth its money."


def test_capacity_that_is_used_up_is_not_ordered() -> None:
    own = [offer("easy"), offer("hard", capacity=0), offer("hard", "expert")]
    choice = next_choice(surface(), market("60", *own), 3, BuyingSection())
    hard = [each.offer.supplier for each in choice.wanted if each.offer.stratum == "hard"]
    assert hard in ([], ["expert"])


@pytest.mark.parametrize("rounds_left", [1, 3])
def test_nothing_is_bought_where_all_the_money_gains_too_little(rounds_left: int) -> None:
    choice = next_choice(surface(ceiling=0.304), market("60"), rounds_left, BuyingSection())
    assert not choice.wanted
    assert choice.evidence["gain"] < 0.5
    assert choice.why == (
        "All that the money left buys is expected to gain too little accuracy (below "
        "buying.least_gain = 1 in points): nothing more is worth its money."
    )
    anyway = next_choice(
        surface(ceiling=0.304), market("60"), rounds_left, BuyingSection(least_gain=0)
    )
    assert anyway.wanted


def test_what_teaches_is_bought() -> None:
    for least_gain in (0, 1, 5):
        choice = next_choice(surface(), market("60"), 3, BuyingSection(least_gain=least_gain))
        assert choice.wanted
        assert choice.evidence["gain"] > 5


@pytest.mark.parametrize("rounds_left", [1, 3])
def test_nothing_is_bought_that_does_not_beat_answering_the_commonest_class(
    rounds_left: int,
) -> None:
    """Labels are expected to teach, but all of them together come to no more than that answer."""
    there = replace(market("10"), bought={"easy": 100, "hard": 100})
    plan = PlanSearch(surface(), there).plan(Decimal(10))
    told = told_purchase(plan, surface(), there.bought, 0.4).expected_accuracy.estimate
    assert told is not None

    def bought(commonest: float | None, accuracy: float | None = 0.4, gain: float = 1) -> Any:
        buying = BuyingSection(least_gain=gain)
        return next_choice(surface(), there, rounds_left, buying, accuracy, commonest)

    ended = bought(told)
    assert not ended.wanted
    assert ended.why.startswith("Nothing that the money left buys is expected to beat always")
    assert ended.evidence["gain"] > 1
    assert ended.evidence["gain_over_commonest"] < 1
    assert bought(told - 0.05).wanted
    # A gain of nothing at all is asked for: what is expected to be as good is bought.
    assert bought(told - 0.001, gain=0).wanted
    # What was never measured, or has no classes, is held against nothing.
    assert bought(told, accuracy=None).wanted
    assert bought(None).wanted


@pytest.mark.parametrize("measured", [0.31, 0.45, 0.7])
def test_a_forecast_is_held_against_what_all_labels_scored(measured: float) -> None:
    bought = {"easy": 100, "hard": 100}
    there = replace(market("10"), bought=bought)
    plan = PlanSearch(surface(), there).plan(Decimal(10))
    new = sum(plan.labels.values())
    assert new == 100
    told = told_purchase(plan, surface(), bought, measured).expected_accuracy
    as_fitted = told_purchase(plan, surface(), bought, None).expected_accuracy
    here = float(surface().predict([bought], offset=False).mean())
    assert told.estimate is not None and as_fitted.estimate is not None
    assert told.estimate == pytest.approx(as_fitted.estimate + 2 / 3 * (measured - here))
    # What was bought already keeps its luck; only new labels bring luck of their own.
    assert told.low is not None and told.high is not None
    assert as_fitted.low is not None and as_fitted.high is not None
    assert told.high - told.low < as_fitted.high - as_fitted.low


def test_a_purchase_of_nothing_more_scores_what_was_measured() -> None:
    bought = {"easy": 100, "hard": 100}
    there = replace(market("10"), bought=bought).only(())
    plan = PlanSearch(surface(), there).plan(Decimal(10))
    told = told_purchase(plan, surface(), bought, 0.41).expected_accuracy
    assert told.estimate == pytest.approx(0.41)


def test_of_batches_worth_the_same_the_largest_within_a_rounds_share_is_placed() -> None:
    there = market("30")  # labels at .10
    ranked = [
        Batch({"easy": 150}, 0.700, 0.01),
        Batch({"hard": 90}, 0.6998, 0.01),
        Batch({"easy": 4}, 0.6995, 0.01),
        Batch({"hard": 95}, 0.69, 0.0),
    ]
    assert _large_enough(ranked, there, Fraction(10))[0] is ranked[1]
    assert _large_enough(ranked, there, Fraction(20))[0] is ranked[0]
    # None that is worth as much costs so little: the best.
    assert _large_enough(ranked, there, Fraction(1, 10))[0] is ranked[0]
    assert sorted(map(id, _large_enough(ranked, there, Fraction(10)))) == sorted(map(id, ranked))
    assert _large_enough([], there, Fraction(10)) == []
