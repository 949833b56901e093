"""Orders: what a batch costs at most, and how it goes on."""

from decimal import Decimal
from typing import Any, get_args

import pytest

from annotation.errors import InputError
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import (
    BatchState,
    OrderLine,
    extra_judgments,
    may_become,
    most_cost,
)
from budget.collection.price import Price

UNIT = MoneyUnit("EUR", 2)
CROWD, EXPERT = Price(Decimal("0.05")), Price(Decimal(1), Decimal(36), Decimal(100))
STATES: tuple[BatchState, ...] = get_args(BatchState)
DONE, LEGAL, NO = "done", "legal", "no"
# From (rows, in the order of STATES) to approved, ordered, complete, cancelled.
CHANGES = {
    "planned": (LEGAL, NO, NO, LEGAL),
    "approved": (DONE, LEGAL, NO, LEGAL),
    "ordered": (DONE, DONE, LEGAL, LEGAL),
    "complete": (DONE, DONE, DONE, NO),
    "cancelled": (NO, NO, NO, DONE),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("place", range(4))
def test_every_change_of_a_batch(state: BatchState, place: int) -> None:
    wanted = STATES[1 + place]
    expected = CHANGES[state][place]
    if expected == NO:
        says = f"batch 7 is {state} and cannot become {wanted}"
        with pytest.raises(InputError, match=says):
            may_become(7, state, wanted)
    else:
        assert may_become(7, state, wanted) is (expected == LEGAL)


@pytest.mark.parametrize("state", STATES)
def test_nothing_becomes_planned_again(state: BatchState) -> None:
    with pytest.raises(InputError):
        may_become(7, state, "planned")


def test_the_allowance_is_at_least_one_judgment_of_every_supplier() -> None:
    lines = [OrderLine("crowd", f"i{k}", "easy", 3, None, CROWD) for k in range(10)]
    lines.append(OrderLine("expert", "i1", "easy", 1, None, EXPERT))
    assert extra_judgments(lines, Decimal("0.05")) == {"crowd": 2, "expert": 1}
    assert extra_judgments(lines, Decimal(0)) == {"crowd": 0, "expert": 0}
    assert extra_judgments(lines, Decimal(1)) == {"crowd": 30, "expert": 1}


def test_the_most_that_a_batch_costs() -> None:
    lines = [
        OrderLine("crowd", "i1", "easy", 3, None, CROWD),
        OrderLine("crowd", "i2", "hard", 2, None, Price(Decimal("0.08"))),
        OrderLine("expert", "i1", "easy", 1, "A", EXPERT),
    ]
    assert most_cost(lines, Decimal("0.05"), UNIT) == {
        ("crowd", "easy"): 15,
        ("crowd", "hard"): 16,
        ("expert", "easy"): 200,
        ("crowd", None): 8,  # at the dearest price of the supplier
        ("expert", None): 200,
    }


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan"])
def test_a_share_that_is_none_is_refused(share: str) -> None:
    with pytest.raises(InputError):
        extra_judgments([], Decimal(share))


def test_a_price_finer_than_the_unit_is_refused() -> None:
    line = OrderLine("crowd", "i1", "easy", 1, None, Price(Decimal("0.0333")))
    with pytest.raises(InputError, match=r"a price per judgment is 0\.0333 EUR: more decimal"):
        most_cost([line], Decimal(0), UNIT)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"supplier": ""}, "supplier of an order line should be a text"),
        ({"item_id": "a\0b"}, r"item_id of an order line .* got 'a\\x00b'"),
        ({"stratum": "\ud800"}, "stratum of an order line"),
        ({"gold": " "}, "gold of an order line"),
        ({"judgments": 0}, "item 'i1' of supplier 'crowd': judgments should be 1 to 1,000; got 0"),
        ({"judgments": 1001}, "judgments should be 1 to 1,000"),
    ],
)
def test_lines_that_cannot_be_ordered_are_refused(change: dict[str, Any], says: str) -> None:
    terms = {"supplier": "crowd", "item_id": "i1", "stratum": "easy", "judgments": 1, "gold": None}
    with pytest.raises(InputError, match=says):
        OrderLine(**{**terms, **change}, price=CROWD)
