"""The ledger in the database: its sums, its balance, and booking what judgments cost."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, func, select

from annotation.errors import MachineError
from annotation.many_rows import no_search_for_circles
from budget.collection.booking import (
    NO_MONEY,
    NOT_ORDERED,
    BatchJudgment,
    Booking,
    Due,
    affordable_payments,
    due_of_batch,
    payments,
    reservations,
    still_reserved,
)
from budget.collection.ledger import (
    PAID,
    PROMISED,
    Balance,
    LedgerEntry,
    balance_of,
    in_order,
)
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OPEN, Account, OrderLine, extra_judgments, most_cost
from budget.collection.store.chain import digest, last_digest
from budget.collection.store.history import budget
from budget.collection.store.order_rows import BatchRow, batch_rows, lines_of
from budget.collection.store.rows import add_rows, found, frame, next_number, now
from budget.collection.store.schema import judgments, ledger, order_lines

_UNPAID = ["batch", "supplier", "item_id", "source_id", "annotator", "why"]


class Booked(NamedTuple):
    """What booking changed.

    Attributes
    ----------
    spent, refunded : what was paid now, and what was taken back
    unpaid : judgments that nothing, or not everything, is paid for, and why: columns batch
        (missing where the item was not ordered), supplier, item_id, source_id, annotator, why
    """

    spent: Decimal
    refunded: Decimal
    unpaid: pd.DataFrame


def used(connection: Connection) -> tuple[int, int]:
    """What is promised and what is paid, in units."""
    query = select(ledger.c.kind, func.sum(ledger.c.amount)).group_by(ledger.c.kind)
    sums = {kind: int(amount) for kind, amount in connection.execute(query)}
    return (
        sum(sign * sums.get(kind, 0) for kind, sign in PROMISED.items()),
        sum(sign * sums.get(kind, 0) for kind, sign in PAID.items()),
    )


def left(connection: Connection) -> int:
    """What is neither promised nor paid, in units."""
    return budget(connection) - sum(used(connection))


def add_entries(connection: Connection, entries: Iterable[LedgerEntry]) -> None:
    """Write entries, in an order in which no more than the budget is ever used.

    Raises MachineError if the ledger would not add up: then nothing of the transaction stands.
    """
    first, at = next_number(connection, ledger.c.entry), now()
    before = last_digest(connection)
    rows: list[dict[str, Any]] = []
    for number, entry in enumerate(in_order(entries), first):
        before = digest(before, (number, at, *entry))
        rows.append({"entry": number, "at": at, **entry._asdict(), "digest": before})
    add_rows(connection, ledger, rows)
    check(connection)


def check(connection: Connection) -> None:
    """Raise MachineError unless promised + paid <= budget, with neither of them below 0."""
    promised, paid = used(connection)
    have = budget(connection)
    if promised < 0 or paid < 0 or promised + paid > have:
        raise MachineError(
            f"the ledger does not add up (budget {have}, promised {promised}, paid {paid}, in the "
            "collection's unit); nothing was changed; put a copy of the database back."
        )


def reserved(connection: Connection, batch: int) -> dict[Account, int]:
    """What is promised for a batch and not paid yet, in units, account by account."""
    query = (
        select(ledger.c.supplier, ledger.c.stratum, ledger.c.kind, func.sum(ledger.c.amount))
        .where(ledger.c.batch == batch, ledger.c.kind.in_(list(PROMISED)))
        .group_by(ledger.c.supplier, ledger.c.stratum, ledger.c.kind)
    )
    sums: dict[Account, int] = {}
    for supplier, stratum, kind, amount in connection.execute(query):
        account = (supplier, stratum)
        sums[account] = sums.get(account, 0) + PROMISED[kind] * int(amount)
    return sums


def reserve(connection: Connection, batch: int, wanted: Mapping[Account, int], why: str) -> None:
    """Bring what is promised for a batch to what is wanted."""
    add_entries(connection, reservations(batch, wanted, reserved(connection, batch), why))


class _Payments(NamedTuple):
    """What booking would write, and the judgments that it leaves unpaid, with the reason."""

    entries: list[LedgerEntry]
    unpaid: dict[int, str]


@no_search_for_circles()
def book(connection: Connection, unit: MoneyUnit, numbers: Sequence[int] | None) -> Booked:
    """Bring the ledger to what is due for the judgments of batches, all of them for None.

    A batch that is open pays from its reservation; one that is closed from what is left of the
    budget.
    """
    entries, unpaid = _payments(connection, unit, numbers)
    if entries:
        add_entries(connection, entries)
    sums = {
        kind: sum(entry.amount for entry in entries if entry.kind == kind)
        for kind in ("spent", "refunded")
    }
    return Booked(
        unit.amount(sums["spent"]), unit.amount(sums["refunded"]), _told(connection, unpaid)
    )


def unpaid(connection: Connection, unit: MoneyUnit) -> pd.DataFrame:
    """What booking all batches would leave unpaid; see `Booked`. Nothing is written."""
    return _told(connection, _payments(connection, unit, None).unpaid)


def _payments(connection: Connection, unit: MoneyUnit, numbers: Sequence[int] | None) -> _Payments:
    entries: list[LedgerEntry] = []
    late: list[LedgerEntry] = []
    unpaid: dict[int, str] = {}
    batches = [row for row in batch_rows(connection, numbers) if row.approved_at is not None]
    for batch in batches:
        lines, due = _due(connection, batch, unit)
        booked = _booked(connection, batch.number)
        paid = payments(batch.number, lines, due, booked)
        unpaid.update((each.of.judgment, each.unpaid) for each in due if each.unpaid is not None)
        if batch.state in OPEN:
            most = most_cost(lines.values(), batch.extra_judgments, unit)
            wanted = still_reserved(most, due)
            kept = reserved(connection, batch.number)
            entries += paid
            entries += reservations(batch.number, wanted, kept, "judgments paid or taken back")
        else:
            late += paid
    paid_late, too_dear = affordable_payments(late, left(connection))
    unpaid.update((judgment, NO_MONEY) for judgment in too_dear)
    if numbers is None:
        unpaid.update((number, NOT_ORDERED) for number in _not_ordered(connection))
    return _Payments(entries + paid_late, unpaid)


def _due(
    connection: Connection, batch: BatchRow, unit: MoneyUnit
) -> tuple[dict[int, OrderLine], list[Due]]:
    lines = lines_of(connection, batch.number)
    query = (
        select(
            judgments.c.judgment,
            judgments.c.line,
            judgments.c.annotator,
            judgments.c.seconds,
            judgments.c.cancelled,
            judgments.c.gone,
            judgments.c.arrived,
        )
        .join(order_lines, order_lines.c.line == judgments.c.line)
        .where(order_lines.c.batch == batch.number)
    )
    there = [
        BatchJudgment(
            judgment,
            line,
            annotator,
            seconds,
            not cancelled and not gone,
            cancelled and not gone,
            arrived,
        )
        for judgment, line, annotator, seconds, cancelled, gone, arrived in connection.execute(
            query
        )
    ]
    extra = extra_judgments(lines.values(), batch.extra_judgments)
    return lines, due_of_batch(lines, there, extra, unit)


def _booked(connection: Connection, batch: int) -> list[Booking]:
    query = (
        select(
            ledger.c.judgment,
            ledger.c.line,
            ledger.c.annotator,
            ledger.c.kind,
            func.sum(ledger.c.amount),
        )
        .where(ledger.c.batch == batch, ledger.c.kind.in_(list(PAID)))
        .group_by(ledger.c.judgment, ledger.c.line, ledger.c.annotator, ledger.c.kind)
    )
    sums: dict[tuple[int, int, str], int] = {}
    for judgment, line, annotator, kind, amount in connection.execute(query):
        key = (judgment, line, annotator)
        sums[key] = sums.get(key, 0) + PAID[kind] * int(amount)
    return [Booking(*key, amount) for key, amount in sums.items()]


def _not_ordered(connection: Connection) -> list[int]:
    """Judgments of items that were not ordered from who gave them."""
    query = select(judgments.c.judgment).where(
        judgments.c.line.is_(None), ~judgments.c.gone, ~judgments.c.cancelled
    )
    return list(connection.execute(query).scalars())


def _told(connection: Connection, unpaid: Mapping[int, str]) -> pd.DataFrame:
    query = (
        select(
            judgments.c.judgment,
            order_lines.c.batch,
            judgments.c.supplier,
            judgments.c.item_id,
            judgments.c.source_id,
            judgments.c.annotator,
        )
        .join(order_lines, order_lines.c.line == judgments.c.line, isouter=True)
        .order_by(judgments.c.judgment)
    )
    rows = [
        (*row[1:], unpaid[row[0]])
        for row in found(connection, query, judgments.c.judgment, sorted(unpaid))
    ]
    return frame(_UNPAID, rows, batch="Int64")


def balance(connection: Connection, unit: MoneyUnit) -> Balance:
    """What became of the budget."""
    columns = (
        ledger.c.kind,
        ledger.c.batch,
        ledger.c.supplier,
        ledger.c.stratum,
        ledger.c.annotator,
    )
    query = select(*columns, func.sum(ledger.c.amount)).group_by(*columns).order_by(*columns)
    rows = [(*row[:5], int(row[5])) for row in connection.execute(query)]
    return balance_of(budget(connection), rows, unit)


def ledger_table(connection: Connection, unit: MoneyUnit) -> pd.DataFrame:
    """Every entry, in order; amounts as decimals."""
    query = (
        select(
            *(ledger.c[name] for name in ("entry", "at", "kind", "amount", "batch", "supplier")),
            *(ledger.c[name] for name in ("stratum", "annotator")),
            judgments.c.source_id,
            ledger.c.why,
        )
        .join(judgments, judgments.c.judgment == ledger.c.judgment, isouter=True)
        .order_by(ledger.c.entry)
    )
    result = connection.execute(query)
    names = list(result.keys())
    table = frame(names, result.all(), entry="int64", at="time", batch="int64")
    table["amount"] = pd.Series([unit.amount(each) for each in table["amount"]], dtype=object)
    return table
