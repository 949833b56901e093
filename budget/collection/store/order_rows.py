"""Batches and their lines in the database."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, Select, Subquery, case, func, select

from annotation.errors import InputError, short
from budget.collection.ledger import PAID, PROMISED
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import STATES, BatchRecord, BatchState, OrderLine
from budget.collection.price import Price
from budget.collection.store.rows import found, frame, moment, next_number
from budget.collection.store.schema import batches, judgments, ledger, order_lines


class BatchRow(NamedTuple):
    """What booking asks of a batch."""

    number: int
    state: BatchState
    approved_at: str | None
    extra_judgments: Decimal


def batch_rows(connection: Connection, numbers: Sequence[int] | None = None) -> list[BatchRow]:
    """Batches by their numbers, all of them for None."""
    columns = (batches.c.number, batches.c.state, batches.c.approved_at, batches.c.extra_judgments)
    query = select(*columns).order_by(batches.c.number)
    return [
        BatchRow(number, state, approved_at, Decimal(extra))
        for number, state, approved_at, extra in found(connection, query, batches.c.number, numbers)
    ]


def state_of(connection: Connection, number: int) -> BatchState:
    """The state of a batch; InputError if there is no such batch."""
    found = connection.execute(select(batches.c.state).where(batches.c.number == number)).scalar()
    for state in STATES:
        if state == found:
            return state
    count = next_number(connection, batches.c.number) - 1
    there = f"1 to {count}" if count else "none"
    raise InputError(f"there is no batch {short(number)}; the batches are: {there}.")


def lines_of(connection: Connection, batch: int) -> dict[int, OrderLine]:
    """The lines of a batch, by their numbers."""
    columns = (
        order_lines.c.line,
        order_lines.c.supplier,
        order_lines.c.item_id,
        order_lines.c.stratum,
        order_lines.c.judgments,
        order_lines.c.gold,
        order_lines.c.per_judgment,
        order_lines.c.per_hour,
        order_lines.c.most_seconds,
        order_lines.c.pay_skipped,
    )
    query = select(*columns).where(order_lines.c.batch == batch).order_by(order_lines.c.line)
    prices: dict[tuple[str, str, str, bool], Price] = {}
    lines: dict[int, OrderLine] = {}
    for row in connection.execute(query):
        terms = (row.per_judgment, row.per_hour, row.most_seconds, row.pay_skipped)
        if terms not in prices:
            piece, hour, seconds, skipped = terms
            prices[terms] = Price(Decimal(piece), Decimal(hour), Decimal(seconds), skipped)
        lines[row.line] = OrderLine(
            row.supplier, row.item_id, row.stratum, row.judgments, row.gold, prices[terms]
        )
    return lines


def line_table(connection: Connection, batch: int | None) -> pd.DataFrame:
    """Lines of a batch, or of all, in the order in which they were ordered."""
    received = _received()
    names = ("batch", "supplier", "item_id", "stratum", "judgments", "gold")
    prices = ("per_judgment", "per_hour", "most_seconds")
    query = (
        select(
            *(order_lines.c[name] for name in (*names, *prices, "pay_skipped")),
            func.coalesce(received.c.received, 0).label("received"),
        )
        .join(received, received.c.line == order_lines.c.line, isouter=True)
        .order_by(order_lines.c.line)
    )
    if batch is not None:
        query = query.where(order_lines.c.batch == batch)
    result = connection.execute(query)
    numbers = dict.fromkeys(("batch", "judgments", "received"), "int64")
    table = frame(list(result.keys()), result.all(), **numbers, pay_skipped="bool")
    for name in prices:
        table[name] = pd.Series([Decimal(each) for each in table[name]], dtype=object)
    return table


def records(connection: Connection, unit: MoneyUnit) -> tuple[BatchRecord, ...]:
    """Every batch as it stands, by number."""
    received_of_line = _received()
    wanted = _by_batch(
        connection,
        select(order_lines.c.batch, func.sum(order_lines.c.judgments)).group_by(
            order_lines.c.batch
        ),
    )
    received = _by_batch(
        connection,
        select(order_lines.c.batch, func.sum(received_of_line.c.received))
        .join(received_of_line, received_of_line.c.line == order_lines.c.line)
        .group_by(order_lines.c.batch),
    )
    promised: dict[int, int] = {}
    paid: dict[int, int] = {}
    sums = select(ledger.c.batch, ledger.c.kind, func.sum(ledger.c.amount))
    for number, kind, amount in connection.execute(sums.group_by(ledger.c.batch, ledger.c.kind)):
        promised[number] = promised.get(number, 0) + PROMISED.get(kind, 0) * int(amount)
        paid[number] = paid.get(number, 0) + PAID.get(kind, 0) * int(amount)
    return tuple(
        BatchRecord(
            number=row.number,
            state=row.state,
            made_at=moment(row.made_at),
            approved_at=None if row.approved_at is None else moment(row.approved_at),
            approved_by=row.approved_by,
            ordered_at=None if row.ordered_at is None else moment(row.ordered_at),
            why=row.why,
            decision=json.loads(row.decision),
            most=unit.amount(row.most),
            reserved=unit.amount(promised.get(row.number, 0)),
            paid=unit.amount(paid.get(row.number, 0)),
            wanted=wanted.get(row.number, 0),
            received=received.get(row.number, 0),
        )
        for row in connection.execute(select(batches).order_by(batches.c.number))
    )


def missing(connection: Connection, batch: int) -> int:
    """Judgments that lines of a batch still wait for."""
    received = _received()
    left = order_lines.c.judgments - func.coalesce(received.c.received, 0)
    query = (
        select(func.coalesce(func.sum(case((left > 0, left), else_=0)), 0))
        .select_from(order_lines)
        .join(received, received.c.line == order_lines.c.line, isouter=True)
        .where(order_lines.c.batch == batch)
    )
    return int(connection.execute(query).scalar_one())


def _by_batch(connection: Connection, query: Select[Any]) -> dict[int, int]:
    return {batch: int(count) for batch, count in connection.execute(query)}


def _received() -> Subquery:
    """Line, and how many people have labelled its item; none where nobody has."""
    return (
        select(judgments.c.line, func.count(judgments.c.annotator.distinct()).label("received"))
        .where(~judgments.c.cancelled, ~judgments.c.gone, judgments.c.line.is_not(None))
        .group_by(judgments.c.line)
        .subquery()
    )
