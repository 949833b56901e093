"""Judgments in: what is new, what changed and what is gone, and which order each belongs to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, bindparam, select, update

from annotation.errors import InputError, short
from annotation.judgments.schema import COLUMNS
from annotation.judgments.table import validate_judgments
from annotation.many_rows import no_search_for_circles
from budget.collection.orders import OPEN
from budget.collection.store.rows import (
    add_rows,
    found,
    frame,
    next_number,
    time_texts,
)
from budget.collection.store.schema import batches, judgments, order_lines

# What is compared and kept of a judgment, in this order.
_KEPT = (
    *("item_id", "annotator", "label", "seconds", "created_at", "updated_at", "cancelled"),
    *("stratum", "role"),
)
_ITEM, _ANNOTATOR, _CREATED, _UPDATED, _CANCELLED = 0, 1, 4, 5, 6
_FOR_GOOD = (_ITEM, _ANNOTATOR, _CREATED)  # no edit changes them
_FIRST_YEAR, _LAST_YEAR = 1000, 9999  # times are kept as texts of one length
_MANY = 20_000  # more source_ids are not asked for one by one
_LAST = "~"  # after every time


class Received(NamedTuple):
    """How many judgments were new, changed, gone from where they came from, or as before."""

    new: int
    changed: int
    gone: int
    same: int


class Delivered(NamedTuple):
    """How many judgments were new, changed or as before, and how many only a whole table settles.

    `unclear` ones do not fit what is known: they were deleted, or are another's by now. Nothing was
    done about them.
    """

    new: int
    changed: int
    same: int
    unclear: int


class _Known(NamedTuple):
    """A judgment as it is kept."""

    judgment: int
    values: tuple[Any, ...]  # of _KEPT
    gone: bool
    line: int | None
    arrived: int


def checked(table: pd.DataFrame, supplier: str) -> pd.DataFrame:
    """The table as a judgment table.

    Raises InputError as `validate_judgments` does, or if it does not say which judgment is which.
    """
    where = f"judgments of supplier {short(supplier)}"
    if "source_id" not in table.columns:
        raise InputError(
            f"{where}: column 'source_id' is missing; without it a judgment that comes again "
            "cannot be told from a new one."
        )
    read = validate_judgments(table, where)
    for name in ("created_at", "updated_at"):
        years = read[name].dt.year
        for place in np.flatnonzero((years < _FIRST_YEAR) | (years > _LAST_YEAR)):
            raise InputError(
                f"{where}: row {place + 1}, column '{name}': the year {int(years.iloc[place])} is "
                f"none of {_FIRST_YEAR} to {_LAST_YEAR}; put the right time there, or none."
            )
    check_no_nul(read, where)
    return read


def check_no_nul(table: pd.DataFrame, where: str) -> None:
    """Raise InputError for the first text of a judgment table that no database would keep."""
    for name in ("source_id", *_KEPT):
        column = table[name]
        if column.dtype == object:
            for row, value in enumerate(column.tolist(), 1):
                if value is not None and "\0" in value:
                    raise InputError(
                        f"{where}: row {row}, column '{name}': {short(value)} has a NUL; take it "
                        "out."
                    )


@no_search_for_circles()
def receive(connection: Connection, supplier: str, table: pd.DataFrame, whole: bool) -> Received:
    """Take a checked table in. See `CollectionStore.receive`."""
    came = _came(table)
    few = None if whole or len(came) > _MANY else list(came)
    return _take_in(connection, supplier, came, _known(connection, supplier, few), few, whole)


def deliver(connection: Connection, supplier: str, table: pd.DataFrame) -> Delivered:
    """Take in a checked table of single judgments. See `CollectionStore.deliver`."""
    came = _came(table)
    few = None if len(came) > _MANY else list(came)
    known = _known(connection, supplier, few)
    told: dict[str, tuple[Any, ...]] = {}
    late = unclear = 0
    for source, values in came.items():
        before = known.get(source)
        if before is None:
            told[source] = values
        elif before.gone or any(before.values[k] != values[k] for k in _FOR_GOOD):
            unclear += 1
        elif (before.values[_UPDATED] or "") > (values[_UPDATED] or ""):
            late += 1  # overtaken on its way
        else:
            told[source] = values
    received = _take_in(connection, supplier, told, known, few, False)
    return Delivered(received.new, received.changed, received.same + late, unclear)


def _take_in(
    connection: Connection,
    supplier: str,
    came: Mapping[str, tuple[Any, ...]],
    known: Mapping[str, _Known],
    few: Sequence[str] | None,
    whole: bool,
) -> Received:
    """Write what is new, changed and gone; `few` are the source_ids that were looked for."""
    items = None if few is None else sorted({values[_ITEM] for values in came.values()})
    lines = _Lines(connection, supplier, items)
    updates: dict[int, dict[str, Any]] = {}
    arriving: list[tuple[str, str, int | None]] = []  # created, source_id, number where known
    counts = dict.fromkeys(Received._fields, 0)
    for source, values in came.items():
        before = known.get(source)
        if before is None:
            counts["new"] += 1
            arriving.append((values[_CREATED] or _LAST, source, None))
            continue
        is_same = before.values == values and not before.gone
        counts["same" if is_same else "changed"] += 1
        moved = before.values[_ITEM] != values[_ITEM]
        # An item may be ordered of which judgments are there already.
        orphan = before.line is None and lines.has(values[_ITEM])
        again = before.gone or moved or before.values[_CANCELLED] != values[_CANCELLED]
        if is_same and not orphan:
            continue
        line = None if moved else before.line
        updates[before.judgment] = _update(before.judgment, values, False, line, before.arrived)
        if again or orphan:
            arriving.append((values[_CREATED] or _LAST, source, before.judgment))
    if whole:
        for source, before in known.items():
            if source not in came and not before.gone:
                counts["gone"] += 1
                updates[before.judgment] = _update(
                    before.judgment, before.values, True, before.line, before.arrived
                )
    _write_updates(connection, updates.values())
    lines.count(connection, leave_out={number for *_, number in arriving if number is not None})
    arrived = next_number(connection, judgments.c.arrived)
    number = next_number(connection, judgments.c.judgment)
    new: list[dict[str, Any]] = []
    for place, (_, source, old) in enumerate(sorted(arriving, key=lambda each: each[:2]), arrived):
        values = came[source]
        who = None if values[_CANCELLED] else values[_ANNOTATOR]
        if old is None:
            row = {"judgment": number, "supplier": supplier, "source_id": source, "gone": False}
            row.update(zip(_KEPT, values, strict=True))
            row.update(line=lines.choose(values[_ITEM], who), arrived=place)
            new.append(row)
            number += 1
        else:
            change = updates[old]
            change["new_line"] = lines.choose(values[_ITEM], who, change["new_line"])
            change["new_arrived"] = place
    again = [updates[old] for *_, old in arriving if old is not None]
    _write_updates(connection, again)
    add_rows(connection, judgments, new)
    return Received(**counts)


def _came(table: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """The values of _KEPT of every judgment, by source_id."""
    columns: list[list[Any]] = []
    for name in _KEPT:
        if name in ("created_at", "updated_at"):
            columns.append(time_texts(table[name]))
        elif name == "seconds":
            columns.append([None if each != each else each for each in table[name].tolist()])
        else:
            columns.append(table[name].tolist())
    return dict(zip(table["source_id"].tolist(), zip(*columns, strict=True), strict=True))


def _known(connection: Connection, supplier: str, sources: list[str] | None) -> dict[str, _Known]:
    query = select(
        judgments.c.source_id,
        judgments.c.judgment,
        judgments.c.gone,
        judgments.c.line,
        judgments.c.arrived,
        *(judgments.c[name] for name in _KEPT),
    ).where(judgments.c.supplier == supplier)
    return {
        row[0]: _Known(row[1], tuple(row[5:]), row[2], row[3], row[4])
        for row in found(connection, query, judgments.c.source_id, sources)
    }


def _update(
    judgment: int, values: tuple[Any, ...], gone: bool, line: int | None, arrived: int
) -> dict[str, Any]:
    kept = {f"new_{name}": value for name, value in zip(_KEPT, values, strict=True)}
    return {"of": judgment, "new_gone": gone, "new_line": line, "new_arrived": arrived, **kept}


def _write_updates(connection: Connection, updates: Iterable[dict[str, Any]]) -> None:
    rows = list(updates)
    names = (*_KEPT, "gone", "line", "arrived")
    statement = update(judgments).where(judgments.c.judgment == bindparam("of"))
    if rows:
        connection.execute(statement.values({n: bindparam(f"new_{n}") for n in names}), rows)


class _Lines:
    """Lines of a supplier that judgments can belong to: of batches that were ordered, or will be.

    A judgment belongs to the oldest open batch whose line of its item still wants one of this
    annotator, else to the newest line of the item.
    """

    def __init__(self, connection: Connection, supplier: str, items: list[str] | None) -> None:
        self._of_item: defaultdict[str, list[tuple[int, int, bool]]] = defaultdict(list)
        self._people: defaultdict[int, set[str]] = defaultdict(set)  # who labelled, by line
        self._supplier = supplier
        query = (
            select(
                order_lines.c.item_id, order_lines.c.line, order_lines.c.judgments, batches.c.state
            )
            .join(batches, batches.c.number == order_lines.c.batch)
            .where(order_lines.c.supplier == supplier)
            .where(batches.c.state.in_(OPEN) | batches.c.ordered_at.is_not(None))
            .order_by(order_lines.c.batch)
        )
        self._are_all = items is None
        for item, line, wanted, state in found(connection, query, order_lines.c.item_id, items):
            self._of_item[item].append((line, wanted, state in OPEN))

    def has(self, item: str) -> bool:
        return item in self._of_item

    def count(self, connection: Connection, leave_out: set[int]) -> None:
        """Count the labels that lines have, but for judgments that are about to choose a line."""
        query = select(judgments.c.line, judgments.c.judgment, judgments.c.annotator).where(
            ~judgments.c.gone, ~judgments.c.cancelled
        )
        counted: list[int] | None = None
        if self._are_all:
            query = query.where(
                judgments.c.supplier == self._supplier, judgments.c.line.is_not(None)
            )
        else:
            # The lines are the supplier's. To name it too would have SQLite read all that it gave.
            counted = [line for of_item in self._of_item.values() for line, *_ in of_item]
        for line, judgment, annotator in found(connection, query, judgments.c.line, counted):
            if judgment not in leave_out:
                self._people[line].add(annotator)

    def choose(self, item: str, annotator: str | None, kept: int | None = None) -> int | None:
        """The line of a judgment, `kept` where that is decided; None if its item has none.

        `annotator` is who labelled it; None where it was skipped.
        """
        line = kept
        if line is None and item in self._of_item:
            lines = self._of_item[item]
            wanting = (
                line
                for line, wanted, is_open in lines
                if is_open
                and len(self._people[line]) < wanted
                and annotator not in self._people[line]
            )
            line = next(wanting, lines[-1][0])
        if line is not None and annotator is not None:
            self._people[line].add(annotator)
        return line


def judgment_rows(connection: Connection, valid_only: bool) -> pd.DataFrame:
    """The judgments as a judgment table. See `CollectionStore.judgments`."""
    query = (
        select(
            *(judgments.c[name] for name in ("source_id", *_KEPT, "supplier", "gone")),
            order_lines.c.batch,
            order_lines.c.gold,
            order_lines.c.stratum.label("ordered_stratum"),
        )
        .join(order_lines, order_lines.c.line == judgments.c.line, isouter=True)
        .order_by(judgments.c.judgment)
    )
    if valid_only:
        query = query.where(~judgments.c.gone, ~judgments.c.cancelled)
    names = ["source_id", *_KEPT, "supplier", "gone", "batch", "gold", "ordered_stratum"]
    table = frame(
        names,
        connection.execute(query).all(),
        seconds="float64",
        created_at="time",
        updated_at="time",
        cancelled="bool",
        gone="bool",
        batch="Int64",
    )
    is_ordered = table["ordered_stratum"].notna()
    table["stratum"] = table["stratum"].mask(is_ordered, table["ordered_stratum"])
    return table[[*COLUMNS, "supplier", "batch", *([] if valid_only else ["gone"])]]
