"""Whether every value in a store's tables is of a kind that this store writes there.

People can open a database by hand, and disks fail. All tables are looked at once on opening, so
that nothing else has to expect a value of another kind. One that could have been written, such as
another number of seconds, cannot be told apart; where rows tell the same twice it can
(`row_checks`), and in the ledger by its digests (`chain`).
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Connection, Row, Table, text
from sqlalchemy.exc import OperationalError

from annotation.errors import InputError, short
from annotation.judgments.columns import is_text
from annotation.terms.cost import money
from budget.collection.ledger import KINDS
from budget.collection.money_unit import LARGEST
from budget.collection.orders import MOST_JUDGMENTS, STATES
from budget.collection.store.schema import about, batches, events, judgments, ledger, order_lines

_AT_ONCE = 10_000  # rows
_TIME = "2026-01-31T10:00:00.000000Z"
_TIME_FORM = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z")
_LARGEST_NUMBER = 2**63 - 1


class WrongValueError(Exception):
    """A value that is not what was written: table, row, column, the value, and what is wrong."""

    def __init__(self, table: Table, row: object, column: str, value: object, why: str) -> None:
        number = str(row) if _is_whole(row) else short(row)
        where = f"table {table.name}, {key_of(table).name} {number}, column '{column}'"
        super().__init__(f"{where}: {short(value)} {why}")


@dataclass(frozen=True)
class ValueKind:
    """What may stand in a column.

    Attributes
    ----------
    should_be : what a value should be, for people
    fits : whether one does
    all_fit : the same for many different values at once, where that is quicker
    """

    should_be: str
    fits: Callable[[Any], bool]
    all_fit: Callable[[Set[Any]], bool] | None = None


def one_of(values: Iterable[str]) -> ValueKind:
    """One of a few texts."""
    known = tuple(values)
    return ValueKind(f"one of {', '.join(known)}", lambda value: value in known)


def key_of(table: Table) -> Column[Any]:
    """The column that numbers or names the rows of a table."""
    return next(iter(table.primary_key))


def check_values(connection: Connection) -> None:
    """Raise WrongValueError for the first value that this store would not have written."""
    for table, kinds in _KINDS.items():
        try:
            _check_table(connection, table, kinds)
        except OperationalError:
            if connection.dialect.name != "sqlite":
                raise
            with _any_bytes(connection):  # bytes stand where a text should
                _check_table(connection, table, kinds)


def _check_table(connection: Connection, table: Table, kinds: Mapping[str, ValueKind]) -> None:
    """As the driver reads them: the types of the schema would fail at values of other kinds."""
    names, key = [column.name for column in table.columns], key_of(table).name
    query = text(f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {key}")
    result = connection.execute(query)
    expected = 1
    while rows := result.fetchmany(_AT_ONCE):
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            _check_column(table, name, kinds[name], values, rows)
        if table is not about:
            _check_numbers(table, rows, expected)
        expected += len(rows)


def _check_column(
    table: Table, name: str, kind: ValueKind, values: Sequence[Any], rows: Sequence[Row[Any]]
) -> None:
    different = set(values)
    may_be_missing = bool(table.c[name].nullable)
    if may_be_missing:
        different.discard(None)
    all_fit = kind.all_fit or (lambda values: all(map(kind.fits, values)))
    if not different or all_fit(different):
        return
    for place, value in enumerate(values):
        if not (may_be_missing if value is None else kind.fits(value)):
            why = f"should be {kind.should_be}"
            raise WrongValueError(table, rows[place][0], name, value, why)


def _check_numbers(table: Table, rows: Sequence[Row[Any]], expected: int) -> None:
    for should_be, (number, *_) in enumerate(rows, expected):
        if number != should_be:
            why = f"should be {should_be}: rows are numbered without gaps"
            raise WrongValueError(table, number, key_of(table).name, number, why)


@contextmanager
def _any_bytes(connection: Connection) -> Iterator[None]:
    """Let SQLite give bytes that are no text as well, as halves of characters."""
    driver: Any = connection.connection.driver_connection
    driver.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return is_text(value) and "\0" not in value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and _is_name(f"x{value}")


def _are_names(values: Set[Any]) -> bool:
    return _are_texts(values) and all(map(str.strip, values))


def _are_texts(values: Set[Any]) -> bool:
    return set(map(type, values)) == {str} and _is_name("x".join(["", *values, ""]))


def _are_numbers(values: Set[Any]) -> bool:
    return set(map(type, values)) == {int} and min(values) > 0 and max(values) <= _LARGEST_NUMBER


def _are_times(values: Set[Any]) -> bool:
    if set(map(type, values)) != {str} or not all(map(_TIME_FORM.fullmatch, values)):
        return False
    try:
        return all(map(datetime.fromisoformat, values))
    except ValueError:
        return False


def _is_time(value: object) -> bool:
    return _are_times({value})


def _is_amount(value: object) -> bool:
    try:
        return isinstance(value, str) and money(value) >= 0
    except InputError:
        return False


def _is_share(value: object) -> bool:
    return _is_amount(value) and Decimal(str(value)) <= 1


def _is_object(value: object) -> bool:
    try:
        return _is_name(value) and isinstance(json.loads(str(value)), dict)
    except (ValueError, RecursionError):
        return False


_NAME = ValueKind("a text that is not empty", _is_name, _are_names)
_TEXT = ValueKind("a text", _is_text, _are_texts)
_NUMBER = ValueKind("a whole number from 1", lambda value: _are_numbers({value}), _are_numbers)
_FLAG = ValueKind("0 or 1", lambda value: isinstance(value, int) and value in (0, 1))
_MOMENT = ValueKind(f"a time such as {_TIME}", _is_time, _are_times)
_AMOUNT = ValueKind("an amount such as 0.05", _is_amount)
_SHARE = ValueKind("a share of 0 to 1", _is_share)
_UNITS = ValueKind(f"0 to {LARGEST}", lambda value: _is_whole(value) and 0 <= value <= LARGEST)
_SECONDS = ValueKind(
    "a number of seconds, at least 0",
    lambda value: isinstance(value, float | int) and 0 <= value < math.inf,
)
_COUNT = ValueKind(
    f"1 to {MOST_JUDGMENTS:,}", lambda value: _is_whole(value) and 1 <= value <= MOST_JUDGMENTS
)
_OBJECT = ValueKind("an object in JSON", _is_object)

# Every column of every table. NULL may stand where the schema has it.
_KINDS: Mapping[Table, Mapping[str, ValueKind]] = {
    about: {"key": _NAME, "value": _TEXT},
    events: {
        **dict.fromkeys(("number", "batch"), _NUMBER),
        "at": _MOMENT,
        "kind": one_of(("budget", "state", "batch")),
        **dict.fromkeys(("value", "who"), _NAME),
        "why": _TEXT,
    },
    batches: {
        "number": _NUMBER,
        **dict.fromkeys(("key", "approved_by"), _NAME),
        "state": one_of(STATES),
        **dict.fromkeys(("made_at", "approved_at", "ordered_at"), _MOMENT),
        "why": _TEXT,
        "extra_judgments": _SHARE,
        "most": _UNITS,
        "decision": _OBJECT,
    },
    order_lines: {
        **dict.fromkeys(("line", "batch"), _NUMBER),
        **dict.fromkeys(("supplier", "item_id", "stratum", "gold"), _NAME),
        "judgments": _COUNT,
        **dict.fromkeys(("per_judgment", "per_hour", "most_seconds"), _AMOUNT),
        "pay_skipped": _FLAG,
    },
    judgments: {
        **dict.fromkeys(("judgment", "line", "arrived"), _NUMBER),
        **dict.fromkeys(("supplier", "source_id", "item_id", "annotator"), _NAME),
        **dict.fromkeys(("label", "stratum", "role"), _TEXT),
        "seconds": _SECONDS,
        **dict.fromkeys(("created_at", "updated_at"), _MOMENT),
        **dict.fromkeys(("cancelled", "gone"), _FLAG),
    },
    ledger: {
        **dict.fromkeys(("entry", "batch", "judgment", "line"), _NUMBER),
        "at": _MOMENT,
        "kind": one_of(KINDS),
        "amount": _UNITS,
        "supplier": _NAME,
        **dict.fromkeys(("stratum", "annotator", "why"), _TEXT),
        "digest": _NAME,
    },
}
