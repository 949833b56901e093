from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from annotation.errors import InputError
from budget.market.market import Market, TrainingCost
from budget.market.offers import Discount, Offer
from budget.market.whole_money import Ledger

ITEMS = {"easy": 100, "hard": 100}


def supply(*offers: Offer, **more: object) -> Market:
    return Market(("easy", "hard"), offers, ITEMS, **more)  # type: ignore[arg-type]


def offer(cost: str, **more: object) -> Offer:
    return Offer("easy", "crowd", 1, Decimal(cost), 0.1, **more)  # type: ignore[arg-type]


def test_the_unit_of_money_divides_every_price() -> None:
    ledger = Ledger(
        supply(offer("1.5"), offer("0.9", fixed_cost=Decimal(6)), training=TrainingCost())
    )
    assert ledger.unit == Fraction(3, 10)
    assert ledger.money_units(Decimal("0.9")) == 3
    assert ledger.limits(Decimal("1.4")).tolist() == [4]  # rounded down


def test_hours_are_counted_in_units_of_work() -> None:
    own = offer("1", seconds=Decimal(40), role="crowd")
    ledger = Ledger(supply(own, hours={"crowd": Decimal(2), "nobody": Decimal(1)}))
    assert ledger.roles == ("crowd",)
    assert ledger.limits(Decimal(9)).tolist() == [9, 180]  # 7,200 s / 40 s
    segment = ledger.segments("easy")[0]
    used = ledger.usage([(segment, np.array([0, 7]))], 2)
    assert used.tolist() == [[0, 0], [7, 7]]


def test_money_of_a_segment_is_the_price_of_its_offer() -> None:
    own = Offer(
        "easy",
        "crowd",
        3,
        Decimal("0.07"),
        0.1,
        (Discount(10, Decimal("0.05")), Discount(31, Decimal("0.01"))),
        fixed_cost=Decimal("2.2"),
    )
    training = TrainingCost(per_label=Decimal("0.003"))
    ledger = Ledger(supply(own, training=training))
    segment = ledger.segments("easy")[0]
    numbers = np.arange(40)
    units = segment.money(numbers)
    for labels in range(40):
        price = Fraction(own.price(labels)) + Fraction("0.003") * labels
        assert ledger.amount(int(units[labels])) == price
    # The most that can be paid, against trying every number.
    for money in range(int(units[-1]) + 50):
        most = max(n for n in numbers if units[n] <= money)
        assert segment.affordable(np.array([money]), np.array([39]))[0] == most


def test_free_labels_are_limited_by_items_alone() -> None:
    ledger = Ledger(supply(offer("0")))
    segment = ledger.segments("easy")[0]
    assert segment.affordable(ledger.limits(Decimal(0)), np.array([100])).tolist() == [100]


def test_amounts_of_thirty_digits_stay_exact() -> None:
    cost = Decimal("0.333333333333333333333333333333")
    ledger = Ledger(supply(offer("10000000"), offer(str(cost))))
    assert ledger.dtype is object
    segment = ledger.segments("easy")[1]
    limits = ledger.limits(Decimal("2.333333333333333333333333333331"))  # 7 of them
    most = np.array([100], dtype=object)
    assert segment.affordable(limits, most)[0] == 7
    assert segment.affordable(limits - 1, most)[0] == 6


def test_a_fixed_cost_of_more_units_than_a_machine_word_holds() -> None:
    """A third of a GPU hour for every thousand labels makes the unit of money tiny."""
    training = TrainingCost(per_label=Decimal("0.00033333333333333335"))
    ledger = Ledger(supply(offer("1", fixed_cost=Decimal(2000)), training=training))
    segment = ledger.segments("easy")[0]
    assert segment.offer.fixed_cost / Decimal(str(float(ledger.unit))) > 2**63
    units = segment.money(np.array([0, 1, 7], dtype=object))
    exact = [
        Fraction(0),
        Fraction("2001.00033333333333333335"),
        Fraction("2007.00233333333333333345"),
    ]
    assert [ledger.amount(own) for own in units] == exact
    assert segment.affordable(units, np.array([100] * 3, dtype=object)).tolist() == [0, 1, 7]


def test_an_offer_of_no_stratum() -> None:
    with pytest.raises(
        InputError, match="stratum 'medium' is not for sale; choose from easy, hard"
    ):
        supply(Offer("medium", "crowd", 1, Decimal(1), 0.1))


def test_negative_hours_and_items() -> None:
    with pytest.raises(InputError, match="hours of role 'crowd' should not be negative; got -1"):
        supply(hours={"crowd": Decimal(-1)})
    with pytest.raises(InputError, match="stratum 'hard': bought should not be negative"):
        supply(bought={"hard": -1})


def test_training_on_what_was_bought() -> None:
    own = supply(bought={"easy": 30, "hard": 10}, training=TrainingCost(Decimal(2), Decimal("0.1")))
    assert own.training_of_bought() == 6
