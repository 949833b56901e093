"""Values that somebody changed in a collection's database: one line, never a traceback."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from annotation.errors import InputError, MachineError
from budget.collection.exporting import export
from budget.collection.status import collection_status
from budget.collection.store.addresses import store_address
from budget.collection.store.database import Database
from budget.collection.store.schema import VERSION_TABLE, metadata
from budget.collection.store.store import CollectionStore
from tests.functional.budget.test_collection_interrupted import prepared
from tests.mutations import ESCAPE, RIGHT_TO_LEFT
from tests.unit.budget.collection.by_hand import (
    answer,
    learns_nothing,
    new_collection,
    one_round,
    opened,
    right,
    to_the_annotators,
)
from training.engines import SilentWatcher

TABLES = tuple(metadata.tables)
COLUMNS = [(table, column.name) for table in TABLES for column in metadata.tables[table].columns]
VALUES: tuple[Any, ...] = (
    *(None, "", " ", "text", "3", "-1", "1.5", "nan", "1e999", "9" * 5_000, "x" * 6_000),
    *(0, -1, 7, 10**18, 2.5, float("inf"), b"\xff\x00", b"text", "{}", "[]", '{"guessing": "x"}'),
    *("complete", "planned", "paused", "spent", "budget", "2026-02-30T00:00:00.000000Z"),
    *(ESCAPE, RIGHT_TO_LEFT, "a\x00b", "2026-01-31T10:00:00.000000Z", "1", "item-001"),
)
OF_TYPE: dict[str, tuple[Any, ...]] = {
    "Text": (*(value for value in VALUES if isinstance(value, str) and "\0" not in value), None),
    **dict.fromkeys(("BigInteger", "Integer"), (0, -1, 7, 10**18, None)),
    "Double": (-1.0, float("inf"), float("nan"), 1e308, None),
    "Boolean": (True, False, None),
}
TRIGGERS = [f"{table}_refuses_{verb}" for table in ("ledger", "events") for verb in ("update",)]


@pytest.fixture(scope="module")
def worked_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A collection with a batch that is complete, one half answered, an edit and a deletion."""
    with pytest.MonkeyPatch.context() as patch:
        learns_nothing(patch)
        folder = new_collection(tmp_path_factory.mktemp("worked-on"))
        one_round(folder)
        with opened(folder) as collection:
            batch = to_the_annotators(collection)
            for name in ("crowd", "expert"):
                if (folder / "suppliers" / name / "out" / f"batch-{batch}.csv").is_file():
                    answer(folder, name, batch, lambda item, who: right(item) if who else None)
            answer(folder, "crowd", 1, lambda item, who: "odd" if item < "item-050" else None)
            collection.step(SilentWatcher())
            assert {"spent", "refunded"} <= set(collection.store.ledger()["kind"])
        yield folder


def changed(folder: Path, table: str, column: str, place: float, value: object) -> bool:
    """Change one value, as somebody would who opens the file; False where SQLite refuses.

    `place` is which row, as a share of all.
    """
    with closing(sqlite3.connect(folder / "collection.sqlite")) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
        try:
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?",
                (value, rows[int(place * len(rows))]),
            )
        except (sqlite3.IntegrityError, UnicodeEncodeError):
            return False
        connection.commit()
    return True


def copied(folder: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(folder, target))


def check_line(error: InputError) -> None:
    message = str(error)
    assert "\n" not in message and "Traceback" not in message
    assert message.endswith(".")


@pytest.mark.parametrize("table", TABLES)
def test_a_value_of_another_kind_is_told_by_table_row_and_column(
    table: str, worked_on: Path, tmp_path: Path
) -> None:
    for column in metadata.tables[table].columns:
        folder = copied(worked_on, tmp_path / "c")
        if not changed(folder, table, column.name, 0.5, b"\xff\x00"):
            continue
        with pytest.raises(MachineError) as raised:
            CollectionStore.open(folder / "collection.sqlite").close()
        message = str(raised.value)
        check_line(raised.value)
        assert f"collection.sqlite: is damaged: table {table}, " in message
        assert f", column '{column.name}': b'\\xff\\x00' should be " in message
        assert message.endswith("; put the right value back, or a copy of the database.")


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("batches", "state", "approved", "table batches, number 2, column 'state': 'approved'"),
        ("batches", "most", 1, "table batches, number 2, column 'most': 1 should be "),
        ("batches", "decision", "[]", "column 'decision': '[]' should be an object in JSON"),
        ("batches", "ordered_at", None, "column 'ordered_at': None does not fit: the batch was"),
        ("order_lines", "per_judgment", "0.01", "a supplier, stratum, price or number of"),
        ("order_lines", "judgments", 3, "a supplier, stratum, price or number of judgments was"),
        ("order_lines", "batch", 9, "column 'batch': 9 is no number of table batches"),
        ("judgments", "line", 10**9, "column 'line': 1000000000 is no line of table order_lines"),
        ("judgments", "item_id", "item-1", "column 'item_id': 'item-1' does not fit 'item-"),
        ("judgments", "seconds", -2.5, "column 'seconds': -2.5 should be a number of seconds"),
        ("judgments", "created_at", "now", "column 'created_at': 'now' should be a time such as"),
        ("ledger", "amount", 1, "the ledger is damaged: entry "),
        ("about", "key", "", "column 'key': '' should be a text that is not empty"),
    ],
)
def test_a_value_that_contradicts_others_is_told(
    table: str, column: str, value: object, says: str, worked_on: Path, tmp_path: Path
) -> None:
    folder = copied(worked_on, tmp_path / "c")
    assert changed(folder, table, column, 0.99, value)
    with pytest.raises(MachineError) as raised:
        CollectionStore.open(folder / "collection.sqlite").close()
    check_line(raised.value)
    assert says in str(raised.value)


def work(folder: Path, out: Path) -> None:
    """Everything that people do with a collection."""
    with opened(folder) as collection:
        collection_status(collection, quality=True)
        collection.step(SilentWatcher())
        export(collection, out)


def test_any_value_of_any_table(
    worked_on: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns_nothing(monkeypatch)
    rng = random.Random(3)
    refused = 0
    for number in range(15):
        folder = copied(worked_on, tmp_path / "c")
        table, column = rng.choice(COLUMNS)
        value, place = rng.choice(VALUES), rng.random()
        if not changed(folder, table, column, place, value):
            continue
        try:
            work(folder, tmp_path / f"out-{number}")
        except InputError as error:
            check_line(error)
            refused += 1
        except Exception as error:
            raise AssertionError(f"{table}.{column}, {place}: {value!r}") from error
    assert refused > 5


def looked_at(where: str | Path) -> None:
    """All that a store tells."""
    with CollectionStore.open(where) as store:
        store.batches(), store.lines(), store.judgments(valid_only=False), store.events()
        store.ledger(), store.balance(), store.unpaid(), store.state()


def test_any_value_on_both_databases(new_database: Callable[[], str | Path]) -> None:
    where = new_database()
    prepared(where).close()
    looked_at(where)
    database = Database(store_address(where))
    on_server = isinstance(where, str)
    rng, refused = random.Random(1), 0
    with database.engine.begin() as connection:
        for kept in ("ledger", "events"):
            trigger = f"changes ON {kept}" if on_server else "update"
            connection.execute(text(f"DROP TRIGGER {kept}_refuses_{trigger}"))
    for name, column in COLUMNS:
        table = metadata.tables[name]
        key = next(iter(table.primary_key))
        for value in rng.sample(OF_TYPE[type(table.c[column].type).__name__], 3):
            with database.engine.connect() as connection:
                query = select(key, table.c[column]).order_by(key.desc()).limit(1)
                row, before = connection.execute(query).one()
                change = update(table).values({column: value}).where(key == row)
                try:
                    connection.execute(change)
                except (IntegrityError, DataError):  # a constraint, or too large a number
                    continue
                connection.commit()
            try:
                looked_at(where)
            except InputError as error:
                check_line(error)
                refused += 1
            with database.engine.begin() as connection:
                back = key == (value if key.name == column else row)
                connection.execute(update(table).values({column: before}).where(back))
    database.close()
    looked_at(where)
    assert refused > 50


def test_any_version(worked_on: Path, tmp_path: Path) -> None:
    for value in VALUES:
        folder = copied(worked_on, tmp_path / "c")
        if changed(folder, VERSION_TABLE, "version_num", 0, value) and value != "1":
            with pytest.raises(InputError) as raised:
                CollectionStore.open(folder / "collection.sqlite").close()
            check_line(raised.value)
