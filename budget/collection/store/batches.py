"""How batches come and go on: each change in one transaction, with its entries and its event."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select, update

from annotation.errors import InputError, short
from budget.collection.ledger import LedgerEntry
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import (
    OPEN,
    BatchState,
    OrderLine,
    may_become,
    most_cost,
)
from budget.collection.store.accounts import add_entries, book, left, reserve
from budget.collection.store.history import add_event, check_running
from budget.collection.store.order_rows import lines_of, state_of
from budget.collection.store.rows import add_rows, next_number, now
from budget.collection.store.schema import batches, order_lines

PLANNER = "labelmix"
"""Who plans, orders and completes, in the events."""


def add(
    connection: Connection,
    unit: MoneyUnit,
    lines: Sequence[OrderLine],
    decision: Mapping[str, Any],
    key: str,
    share: Decimal,
) -> int:
    """Plan a batch, unless one with this key is there: then that one. See `CollectionStore`."""
    there = connection.execute(select(batches.c.number).where(batches.c.key == key)).scalar()
    if there is not None:
        return int(there)
    check_running(connection, "planning a batch")
    most = most_cost(lines, share, unit)
    number = next_number(connection, batches.c.number)
    connection.execute(
        insert(batches).values(
            number=number,
            key=key,
            state="planned",
            made_at=now(),
            extra_judgments=str(share),
            most=sum(most.values()),
            decision=json.dumps(decision, sort_keys=True, allow_nan=False, default=_json),
        )
    )
    first = next_number(connection, order_lines.c.line)
    add_rows(
        connection,
        order_lines,
        [
            {
                "line": place,
                "batch": number,
                "supplier": line.supplier,
                "item_id": line.item_id,
                "stratum": line.stratum,
                "judgments": line.judgments,
                "gold": line.gold,
                "per_judgment": str(line.price.per_judgment),
                "per_hour": str(line.price.per_hour),
                "most_seconds": str(line.price.most_seconds),
                "pay_skipped": line.price.pay_skipped,
            }
            for place, line in enumerate(lines, first)
        ],
    )
    add_entries(
        connection,
        [
            LedgerEntry(
                "planned", amount, number, supplier, stratum, None, None, None, "may cost at most"
            )
            for (supplier, stratum), amount in most.items()
            if amount
        ],
    )
    add_event(connection, "batch", "planned", PLANNER, "", number)
    return number


def check_lines(lines: Sequence[OrderLine]) -> None:
    """Raise InputError if there are none, or one supplier is asked about an item twice."""
    if not lines:
        raise InputError("a batch should have at least one order line; got none.")
    seen: set[tuple[str, str]] = set()
    for line in lines:
        place = (line.supplier, line.item_id)
        if place in seen:
            raise InputError(
                f"item {short(line.item_id)} is ordered twice from supplier "
                f"{short(line.supplier)} in one batch; ask for more judgments in one line."
            )
        seen.add(place)


def _json(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a decision cannot keep a {type(value).__name__}: {value!r}")


def approve(connection: Connection, unit: MoneyUnit, number: int, who: str) -> bool:
    """Reserve the most that a batch may cost; see `CollectionStore`, as for all that follow."""
    if not may_become(number, state_of(connection, number), "approved"):
        return False
    check_running(connection, f"approving batch {number}")
    row = connection.execute(select(batches).where(batches.c.number == number)).one()
    have = left(connection)
    if row.most > have:
        raise InputError(
            f"batch {number} may cost up to {unit.shown(row.most)}, but {unit.shown(have)} are "
            "left of the budget; raise the budget, or cancel the batch and plan a smaller one."
        )
    lines = lines_of(connection, number).values()
    _become(connection, number, "approved", who, approved_at=now(), approved_by=who)
    reserve(connection, number, most_cost(lines, Decimal(row.extra_judgments), unit), "approved")
    return True


def mark_ordered(connection: Connection, number: int) -> bool:
    """Remember that an approved batch was sent."""
    if not may_become(number, state_of(connection, number), "ordered"):
        return False
    _become(connection, number, "ordered", PLANNER, ordered_at=now())
    return True


def complete(connection: Connection, unit: MoneyUnit, number: int) -> bool:
    """Book an ordered batch, and give the rest of its reservation back."""
    if not may_become(number, state_of(connection, number), "complete"):
        return False
    _close(connection, unit, number, "complete", PLANNER, "")
    return True


def cancel(connection: Connection, unit: MoneyUnit, number: int, who: str, why: str) -> bool:
    """Want no more of a batch: book it, and give the rest of its reservation back."""
    if not may_become(number, state_of(connection, number), "cancelled"):
        return False
    _close(connection, unit, number, "cancelled", who, why)
    connection.execute(update(batches).where(batches.c.number == number).values(why=why))
    return True


def _close(
    connection: Connection, unit: MoneyUnit, number: int, wanted: BatchState, who: str, why: str
) -> None:
    """Pay what came, and give the rest of the reservation back."""
    book(connection, unit, [number])
    _become(connection, number, wanted, who, why)
    reserve(connection, number, {}, f"the batch is {wanted}")


def _become(
    connection: Connection, number: int, wanted: BatchState, who: str, why: str = "", **values: str
) -> None:
    add_event(connection, "batch", wanted, who, why, number)
    change = update(batches).where(batches.c.number == number)
    connection.execute(change.values(state=wanted, **values))


def check_none_open(connection: Connection) -> None:
    """Raise InputError if a batch is approved or ordered."""
    query = select(batches.c.number, batches.c.state).where(batches.c.state.in_(OPEN))
    first = connection.execute(query.order_by(batches.c.number)).first()
    if first is not None:
        raise InputError(
            f"batch {first.number} is still {first.state}; complete or cancel it before closing "
            "the collection."
        )
