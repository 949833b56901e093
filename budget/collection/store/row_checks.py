"""Whether the rows of a store fit together: what is told twice is told alike."""

from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import Connection, func, select

from annotation.errors import InputError, short
from budget.collection.money_unit import LARGEST, MoneyUnit
from budget.collection.orders import STATES, Account, OrderLine, most_cost
from budget.collection.price import Price
from budget.collection.store.history import CollectionState
from budget.collection.store.schema import (
    batches,
    events,
    judgments,
    ledger,
    metadata,
    order_lines,
)
from budget.collection.store.value_checks import ValueKind, WrongValueError, key_of, one_of

_VALUES = {
    "state": one_of(get_args(CollectionState)),
    "batch": one_of(STATES),
    "budget": ValueKind(
        f"a budget of 0 to {LARGEST}",
        lambda value: value.isascii() and value.isdecimal() and int(value[:20]) <= LARGEST,
    ),
}


class UnfittingRowsError(Exception):
    """Rows of which no single value can be named as the wrong one."""


def check_rows(connection: Connection, unit: MoneyUnit) -> None:
    """Look at how rows fit together; `check_values` comes first. `unit` is that of all amounts.

    Raises WrongValueError or UnfittingRowsError for the first that do not.
    """
    _check_links(connection)
    _check_events(connection)
    _check_batches(connection)
    _check_belonging(connection)
    _check_planned(connection, unit)


def _check_links(connection: Connection) -> None:
    """Every number that names a row of another table names one that is there."""
    named = [
        (table, column, key.column)
        for table in metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
    ]
    for table, column, there in [*named, (events, events.c.batch, batches.c.number)]:
        query = (
            select(key_of(table), column)
            .join(there.table, there == column, isouter=True)
            .where(column.is_not(None), there.is_(None))
            .order_by(key_of(table))
        )
        for row, value in connection.execute(query.limit(1)):
            why = f"is no {there.name} of table {there.table.name}"
            raise WrongValueError(table, row, column.name, value, why)


def _check_events(connection: Connection) -> None:
    """Values are of their kind, and a collection has a budget and a state."""
    kinds = set()
    for row in connection.execute(select(events).order_by(events.c.number)):
        kinds.add(row.kind)
        if not _VALUES[row.kind].fits(row.value):
            why = f"should be {_VALUES[row.kind].should_be}"
            raise WrongValueError(events, row.number, "value", row.value, why)
        if (row.batch is not None) != (row.kind == "batch"):
            why = f"does not go with the kind {row.kind}"
            raise WrongValueError(events, row.number, "batch", row.batch, why)
    for kind in ("budget", "state"):
        if kind not in kinds:
            raise UnfittingRowsError(f"table events has none of the kind {kind}")


def _check_batches(connection: Connection) -> None:
    """A batch is as the last of its events left it."""
    last: dict[int, str] = {}
    who: dict[tuple[int, str], str] = {}
    of_batches = select(events.c.batch, events.c.value, events.c.who)
    query = of_batches.where(events.c.kind == "batch").order_by(events.c.number)
    for number, state, by in connection.execute(query):
        last[number] = state
        who[number, state] = by
    for row in connection.execute(select(batches).order_by(batches.c.number)):
        number = row.number
        should_be: dict[str, Any] = {
            "state": last.get(number),
            "approved_by": who.get((number, "approved")),
        }
        for name, value in should_be.items():
            if getattr(row, name) != value:
                why = f"should be {short(value)}, as the events tell"
                raise WrongValueError(batches, number, name, getattr(row, name), why)
        for name, state in (("approved_at", "approved"), ("ordered_at", "ordered")):
            value = getattr(row, name)
            if (value is not None) != ((number, state) in who):
                was = "was" if value is None else "was not"
                why = f"does not fit: the batch {was} {state}, as the events tell"
                raise WrongValueError(batches, number, name, value, why)


def _check_belonging(connection: Connection) -> None:
    """Judgments are of the supplier and item of their line, entries of those of their judgment."""
    of_line = judgments.c.line == order_lines.c.line
    for table, other, name, link in (
        (judgments, order_lines, "supplier", of_line),
        (judgments, order_lines, "item_id", of_line),
        (ledger, judgments, "supplier", ledger.c.judgment == judgments.c.judgment),
    ):
        query = (
            select(key_of(table), table.c[name], key_of(other), other.c[name])
            .join(other, link)
            .where(table.c[name] != other.c[name])
            .order_by(key_of(table))
        )
        for row, value, number, there in connection.execute(query.limit(1)):
            why = f"does not fit {short(there)} of {other.name}, {key_of(other).name} {number}"
            raise WrongValueError(table, row, name, value, why)


def _check_planned(connection: Connection, unit: MoneyUnit) -> None:
    """Lines cost at most what the ledger says was planned for their batch."""
    planned: dict[int, dict[Account, int]] = {}
    names = (ledger.c.batch, ledger.c.supplier, ledger.c.stratum)
    query = select(*names, func.sum(ledger.c.amount)).where(ledger.c.kind == "planned")
    for batch, supplier, stratum, amount in connection.execute(query.group_by(*names)):
        planned.setdefault(batch, {})[supplier, stratum] = int(amount)
    lines = _lines_by_batch(connection)
    batch_query = select(batches.c.number, batches.c.extra_judgments, batches.c.most)
    for number, extra, most in connection.execute(batch_query.order_by(batches.c.number)):
        told = planned.get(number, {})
        total = sum(told.values())
        if most != total:
            why = f"should be {total}, as the ledger tells"
            raise WrongValueError(batches, number, "most", most, why)
        try:
            costs = most_cost(lines.get(number, []), Decimal(extra), unit)
        except InputError as error:
            raise UnfittingRowsError(f"table order_lines, batch {number}: {error}") from None
        for account in sorted({*costs, *told}, key=str):
            cost, amount = costs.get(account, 0), told.get(account, 0)
            if cost != amount:
                supplier, stratum = account
                what = "above those ordered" if stratum is None else f"in {short(stratum)}"
                raise UnfittingRowsError(
                    f"table order_lines, batch {number}: judgments of {short(supplier)} {what} "
                    f"cost {unit.shown(cost)} at most, but the ledger has {unit.shown(amount)} "
                    "planned; a supplier, stratum, price or number of judgments was changed"
                )


def _lines_by_batch(connection: Connection) -> dict[int, list[OrderLine]]:
    """The lines of every batch, as far as they cost; equal ones are one object."""
    names = ("batch", "supplier", "stratum", "judgments", "per_judgment", "per_hour")
    terms = [order_lines.c[name] for name in (*names, "most_seconds", "pay_skipped")]
    query = select(*terms, func.min(order_lines.c.line), func.count()).group_by(*terms)
    found: dict[int, list[OrderLine]] = {}
    for (
        batch,
        supplier,
        stratum,
        wanted,
        piece,
        hour,
        seconds,
        skipped,
        first,
        count,
    ) in connection.execute(query.order_by(func.min(order_lines.c.line))):
        try:
            own = Price(Decimal(piece), Decimal(hour), Decimal(seconds), skipped)
        except InputError as error:
            raise UnfittingRowsError(f"table order_lines, line {first}: {error}") from None
        line = OrderLine(supplier, "any", stratum, wanted, None, own)
        found.setdefault(batch, []).extend([line] * count)
    return found
