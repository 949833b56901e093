"""The ledger: entries that are only ever added, and what they sum to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Literal, NamedTuple, TypeVar

from budget.collection.money_unit import MoneyUnit

Name = TypeVar("Name")

EntryKind = Literal["planned", "committed", "released", "spent", "refunded"]
KINDS: tuple[EntryKind, ...] = ("planned", "committed", "released", "spent", "refunded")

PROMISED: Mapping[EntryKind, int] = {"committed": 1, "released": -1}
"""Kinds whose amounts sum to what is promised, with their signs."""

PAID: Mapping[EntryKind, int] = {"spent": 1, "refunded": -1}
"""Kinds whose amounts sum to what is paid, with their signs."""

# Within one change: first what takes money off, so that no entry ever stands over the budget.
_ORDER: tuple[EntryKind, ...] = ("planned", "refunded", "released", "spent", "committed")


class LedgerEntry(NamedTuple):
    """One entry: so much money, of what kind, for whom and why.

    `planned` informs of what a batch may cost, `committed` reserves it once it is approved,
    `released` gives a reservation back, `spent` is paid for a judgment, `refunded` taken off again.
    `amount` is above 0, in units. `judgment` and `line` are the store's numbers of what is paid.
    """

    kind: EntryKind
    amount: int
    batch: int
    supplier: str
    stratum: str | None
    annotator: str | None
    judgment: int | None
    line: int | None
    why: str


@dataclass(frozen=True)
class Standing:
    """Money promised and not paid yet, and money paid; the rest is free."""

    promised: Decimal
    paid: Decimal


@dataclass(frozen=True)
class Balance:
    """What became of the budget; amounts are exact.

    Attributes
    ----------
    budget, promised, paid, left : `left` = budget - promised - paid, never below 0
    by_batch, by_supplier : sums to `promised` and `paid`
    by_stratum : the same; under None what is promised for judgments above those ordered
    by_annotator : what was paid to each
    """

    budget: Decimal
    promised: Decimal
    paid: Decimal
    left: Decimal
    by_batch: Mapping[int, Standing]
    by_supplier: Mapping[str, Standing]
    by_stratum: Mapping[str | None, Standing]
    by_annotator: Mapping[str, Decimal]


def in_order(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """The entries of one change, so that after each of them no more than the budget is used."""
    return sorted(entries, key=lambda entry: _ORDER.index(entry.kind))


def balance_of(
    budget: int,
    rows: Iterable[tuple[EntryKind, int, str, str | None, str | None, int]],
    unit: MoneyUnit,
) -> Balance:
    """The balance of a ledger.

    Parameters
    ----------
    budget
        In units.
    rows
        Kind, batch, supplier, stratum, annotator and amount in units; entries that agree in the
        first five may be summed to one row.
    unit
        Of the amounts.
    """
    whole, by_batch, by_supplier = _Sums[None](), _Sums[int](), _Sums[str]()
    by_stratum, by_annotator = _Sums[str | None](), _Sums[str]()
    for kind, batch, supplier, stratum, annotator, amount in rows:
        promised, paid = PROMISED.get(kind, 0) * amount, PAID.get(kind, 0) * amount
        whole.add(None, promised, paid)
        by_batch.add(batch, promised, paid)
        by_supplier.add(supplier, promised, paid)
        by_stratum.add(stratum, promised, paid)
        if annotator is not None:
            by_annotator.add(annotator, promised, paid)
    promised, paid = whole.sums.get(None, (0, 0))
    return Balance(
        budget=unit.amount(budget),
        promised=unit.amount(promised),
        paid=unit.amount(paid),
        left=unit.amount(budget - promised - paid),
        by_batch=by_batch.standings(unit),
        by_supplier=by_supplier.standings(unit),
        by_stratum=by_stratum.standings(unit),
        by_annotator={name: unit.amount(paid) for name, (_, paid) in by_annotator.sums.items()},
    )


class _Sums(Generic[Name]):
    """Units promised and paid by name."""

    def __init__(self) -> None:
        self.sums: dict[Name, tuple[int, int]] = {}

    def add(self, name: Name, promised: int, paid: int) -> None:
        before = self.sums.get(name, (0, 0))
        self.sums[name] = (before[0] + promised, before[1] + paid)

    def standings(self, unit: MoneyUnit) -> dict[Name, Standing]:
        return {
            name: Standing(unit.amount(promised), unit.amount(paid))
            for name, (promised, paid) in self.sums.items()
        }
