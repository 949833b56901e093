"""Writing and finding rows, many at a time; numbers of rows, times as texts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, func, insert, select

_AT_ONCE = 500  # values in one condition: SQLite takes no more than some thousands
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> str:
    """The present moment as a text."""
    return datetime.now(UTC).strftime(_FORM)


def moment(value: str) -> datetime:
    """A text as a moment in UTC."""
    return datetime.strptime(value, _FORM).replace(tzinfo=UTC)


def time_texts(times: pd.Series) -> list[str | None]:
    """Times (datetime64[us, UTC]) as texts, None for NaT; texts are in the order of time."""
    plain = times.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    there = ~np.isnat(plain)
    texts = np.datetime_as_string(plain, unit="us").tolist()
    return [f"{value}Z" if is_there else None for value, is_there in zip(texts, there, strict=True)]


def times(texts: Sequence[str | None]) -> pd.Series:
    """Texts as datetime64[us, UTC], NaT for None."""
    read = pd.to_datetime(pd.Series(texts, dtype=object), utc=True, format="ISO8601")
    return read.dt.as_unit("us")


def next_number(connection: Connection, column: ColumnElement[int]) -> int:
    """The number of the next row: one more than the largest there is. For writers alone."""
    return int(connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each with the same columns."""
    if rows:
        connection.execute(insert(table), list(rows))


def found(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    values: Sequence[Any] | None,
) -> Iterator[Any]:
    """The rows of a query whose `column` is one of `values`; all of them for None."""
    if values is None:
        yield from connection.execute(query)
        return
    for start in range(0, len(values), _AT_ONCE):
        yield from connection.execute(query.where(column.in_(values[start : start + _AT_ONCE])))


def frame(names: Sequence[str], rows: Sequence[Any], **dtypes: str) -> pd.DataFrame:
    """Rows as a table: columns hold what the rows do (a text stays one, None stays None).

    `dtypes` says which columns are other than objects; "time" reads texts as times.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    table: dict[str, pd.Series] = {}
    for name, values in zip(names, columns, strict=True):
        dtype = dtypes.get(name, "object")
        table[name] = times(values) if dtype == "time" else pd.Series(list(values), dtype=dtype)
    return pd.DataFrame(table)
