"""What is ordered: lines of a batch, the most that they cost, and how a batch goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Literal

from annotation.errors import InputError, short
from annotation.judgments.columns import is_text
from annotation.terms.cost import money
from budget.collection.money_unit import MoneyUnit
from budget.collection.price import Price

BatchState = Literal["planned", "approved", "ordered", "complete", "cancelled"]
STATES: tuple[BatchState, ...] = ("planned", "approved", "ordered", "complete", "cancelled")
EXTRA_JUDGMENTS = Decimal("0.05")
"""Share of judgments above those ordered that may be paid: two annotators take the last at once."""

OPEN: tuple[BatchState, ...] = ("approved", "ordered")
"""States of a batch that has money reserved and takes judgments."""

# What a batch may come from, and where it already is what is asked for, or was.
_BEFORE: dict[BatchState, tuple[BatchState, ...]] = {
    "planned": (),
    "approved": ("planned",),
    "ordered": ("approved",),
    "complete": ("ordered",),
    "cancelled": ("planned", "approved", "ordered"),
}
_DONE: dict[BatchState, tuple[BatchState, ...]] = {
    "planned": (),
    "approved": ("approved", "ordered", "complete"),
    "ordered": ("ordered", "complete"),
    "complete": ("complete",),
    "cancelled": ("cancelled",),
}
MOST_JUDGMENTS = 1_000
"""Of one item from one supplier in one batch."""

Account = tuple[str, str | None]
"""Supplier and stratum that money is reserved for; no stratum: judgments above those ordered."""


@dataclass(frozen=True)
class OrderLine:
    """One item that one supplier is asked about in one batch.

    Attributes
    ----------
    supplier, item_id, stratum : who is asked what; the stratum is the item's
    judgments : how many different people of the supplier are asked, at least 1
    gold : the right answer where the item is a gold question
    price : the terms of each judgment

    Raises InputError if a text is empty or cannot be kept, or `judgments` is not 1 to 1,000.
    """

    supplier: str
    item_id: str
    stratum: str
    judgments: int
    gold: str | None
    price: Price

    def __post_init__(self) -> None:
        for name in ("supplier", "item_id", "stratum", "gold"):
            value = getattr(self, name)
            if not (value is None and name == "gold"):
                check_text(value, f"{name} of an order line")
        if not 1 <= self.judgments <= MOST_JUDGMENTS:
            raise InputError(
                f"item {short(self.item_id)} of supplier {short(self.supplier)}: judgments should "
                f"be 1 to {MOST_JUDGMENTS:,}; got {short(self.judgments)}."
            )


@dataclass(frozen=True)
class BatchRecord:
    """A batch as it stands.

    Attributes
    ----------
    number : from 1
    state : planned, approved, ordered, complete or cancelled
    made_at, approved_at, ordered_at : when, in UTC
    approved_by : who approved it
    why : why it was cancelled
    decision : what it was decided on
    most : the most that it may cost
    reserved : what is promised and not paid yet
    paid : what was paid, refunds taken off
    wanted : judgments ordered
    received : judgments there now, one for each annotator of an item; skipped and deleted ones do
        not count, ones above the number ordered do
    """

    number: int
    state: BatchState
    made_at: datetime
    approved_at: datetime | None
    approved_by: str | None
    ordered_at: datetime | None
    why: str | None
    decision: Mapping[str, Any]
    most: Decimal
    reserved: Decimal
    paid: Decimal
    wanted: int
    received: int


def check_text(value: object, what: str, may_be_empty: bool = False) -> str:
    """The text as it is, if it is one that any database keeps.

    Raises InputError if it is empty, where it may not, or holds a NUL or half a character.
    """
    if value == "" and may_be_empty:
        return ""
    if not is_text(value) or "\0" in value:
        raise InputError(
            f"{what} should be a text with something to see and without NUL or half characters; "
            f"got {short(value)}."
        )
    return value


def may_become(number: int, state: BatchState, wanted: BatchState) -> bool:
    """Whether batch `number` has still to be made `wanted`; False where that is done.

    Raises InputError if a batch in this state cannot become it.
    """
    if state in _DONE[wanted]:
        return False
    if state not in _BEFORE[wanted]:
        allowed = " or ".join(_BEFORE[wanted])
        raise InputError(
            f"batch {number} is {state} and cannot become {wanted}; only a batch that is {allowed} "
            "can."
        )
    return True


def extra_judgments(lines: Iterable[OrderLine], share: Decimal) -> dict[str, int]:
    """How many judgments above those ordered may be paid, for every supplier.

    `share` of those ordered, rounded up, so at least one, unless the share is 0.

    Raises InputError if the share is no number of 0 to 1.
    """
    if money(share) > 1:
        raise InputError(f"extra_judgments should be a share of 0 to 1; got {share}.")
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.supplier] = wanted.get(line.supplier, 0) + line.judgments
    return {supplier: ceil(count * Fraction(share)) for supplier, count in wanted.items()}


def most_cost(lines: Iterable[OrderLine], share: Decimal, unit: MoneyUnit) -> dict[Account, int]:
    """The most that a batch of these lines can cost, in units, by supplier and stratum.

    Every judgment at the most that it can cost; those above the number ordered at the dearest
    price of the supplier, under no stratum.

    Raises InputError as `extra_judgments` does, or if a price per judgment is no whole number of
    units, or the sum is more than a collection can count.
    """
    lines = list(lines)
    most: dict[Account, int] = {}
    dearest: dict[str, int] = {}
    for price in {line.price for line in lines}:
        unit.units(price.per_judgment, "a price per judgment")
    costs = {price: price.most_cost(unit) for price in {line.price for line in lines}}
    for line in lines:
        cost = costs[line.price]
        account = (line.supplier, line.stratum)
        most[account] = most.get(account, 0) + line.judgments * cost
        dearest[line.supplier] = max(dearest.get(line.supplier, 0), cost)
    for supplier, count in extra_judgments(lines, share).items():
        most[supplier, None] = count * dearest[supplier]
    unit.checked(sum(most.values()), "the most that the batch costs")
    return most
