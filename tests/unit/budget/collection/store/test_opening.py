"""Opening a store: whose it is, of which version, whether it is whole; one line for everything."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url

from annotation.errors import InputError, MachineError
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store import opening
from budget.collection.store.addresses import store_address
from budget.collection.store.database import Database
from budget.collection.store.schema import VERSION, VERSION_TABLE, metadata
from budget.collection.store.store import CollectionStore

if TYPE_CHECKING:
    from tests.postgresql_server import PostgreSQLServer

UNIT = MoneyUnit("EUR", 2)
NewDatabase = Callable[[], str | Path]


def make(where: str | Path) -> CollectionStore:
    return CollectionStore.create(where, UNIT, Decimal(10), "ann")


def run(where: str | Path, *statements: str) -> None:
    database = Database(store_address(where))
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.close()


def refusal(where: str | Path, error: type[InputError] = InputError) -> str:
    """The message of opening; it is one line."""
    with pytest.raises(InputError) as raised:
        CollectionStore.open(where).close()
    assert type(raised.value) is error
    message = str(raised.value)
    assert "\n" not in message and "Traceback" not in message
    return message


# On both databases


def test_the_migrations_make_the_tables_of_the_schema(new_database: NewDatabase) -> None:
    where = new_database()
    with make(where) as store, store._database.reading() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == str(VERSION)
        assert opening.newest_revision() == str(VERSION)


def test_opened_again_everything_is_there(new_database: NewDatabase) -> None:
    where = new_database()
    with make(where) as store:
        store.add_batch([OrderLine("crowd", "i1", "easy", 1, None, Price(Decimal(1)))], {}, "a")
        before = store.batches(), store.ledger(), store.events()
    with CollectionStore.open(where) as store:
        assert store.batches() == before[0]
        assert store.ledger().equals(before[1]) and store.events().equals(before[2])


def test_where_none_is(new_database: NewDatabase) -> None:
    where = new_database()
    assert "there is no collection; make one with 'labelmix collect new'" in refusal(where)
    assert not CollectionStore.exists(where)


def test_where_one_is_no_other_is_made(new_database: NewDatabase) -> None:
    where = new_database()
    make(where).close()
    with pytest.raises(InputError, match="a collection is there already"):
        make(where)
    CollectionStore.open(where).close()


def test_a_database_of_a_newer_labelmix(new_database: NewDatabase) -> None:
    where = new_database()
    make(where).close()
    run(where, f"UPDATE {VERSION_TABLE} SET version_num = '7'")
    says = f"was written by a newer labelmix (version 7 of the file, this one reads up to {VERSION}"
    assert says in refusal(where)


@pytest.mark.parametrize("change", ["SET version_num = 'abc'", ""])
def test_a_version_that_cannot_be_read(new_database: NewDatabase, change: str) -> None:
    where = new_database()
    make(where).close()
    verb = f"UPDATE {VERSION_TABLE} {change}" if change else f"DELETE FROM {VERSION_TABLE}"
    run(where, verb)
    assert "is damaged: its version cannot be read" in refusal(where, MachineError)


def test_a_database_of_another_program(new_database: NewDatabase) -> None:
    where = new_database()
    database_of_other = where if isinstance(where, str) else where.parent / "other.sqlite"
    if isinstance(database_of_other, Path):
        database_of_other.parent.mkdir()
        sqlite3.connect(database_of_other).execute("CREATE TABLE people (name TEXT)")
    else:
        run(database_of_other, "CREATE TABLE people (name TEXT)")
    says = "not a collection's store (it has tables of another program, such as 'people')"
    assert says in refusal(database_of_other)
    if isinstance(database_of_other, str):
        for ask in (make, CollectionStore.exists):
            with pytest.raises(InputError, match="tables of another program"):
                ask(database_of_other)


def test_a_table_that_is_gone(new_database: NewDatabase) -> None:
    where = new_database()
    make(where).close()
    run(where, "DROP TABLE judgments" + ("" if isinstance(where, Path) else " CASCADE"))
    assert "is damaged: table 'judgments' is gone" in refusal(where, MachineError)


def test_rows_that_are_gone(new_database: NewDatabase) -> None:
    where = new_database()
    make(where).close()
    of = ["update", "delete"] if isinstance(where, Path) else ["changes"]
    on = "" if isinstance(where, Path) else " ON events"
    drops = [f"DROP TRIGGER events_refuses_{change}{on}" for change in of]
    run(where, *drops, "DELETE FROM events WHERE number = 1")
    assert "table events, number 2, column 'number': 2 should be 1: rows are numbered" in refusal(
        where, MachineError
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger SET amount = amount + 1 WHERE entry = 3",
        "UPDATE ledger SET supplier = 'me' WHERE entry = 3",
        "UPDATE ledger SET at = '2020-01-01T00:00:00.000000Z' WHERE entry = 3",
    ],
)
def test_an_entry_that_was_changed(new_database: NewDatabase, change: str) -> None:
    where = new_database()
    with make(where) as store:
        store.add_batch([OrderLine("crowd", "i1", "easy", 1, None, Price(Decimal(1)))], {}, "a")
        store.approve(1, "ann")
    CollectionStore.open(where).close()
    if isinstance(where, Path):
        run(where, "DROP TRIGGER ledger_refuses_update", change)
    else:
        run(where, "DROP TRIGGER ledger_refuses_changes ON ledger", change)
    assert "entry 3 is not what was written" in refusal(where, MachineError)


def test_the_unit_of_money_is_gone(new_database: NewDatabase) -> None:
    where = new_database()
    make(where).close()
    run(where, "DELETE FROM about WHERE key = 'money.places'")
    assert "does not say what money is counted in" in refusal(where, MachineError)


def test_nothing_stays_of_a_store_that_could_not_be_made(new_database: NewDatabase) -> None:
    where = new_database()

    def fill(connection: Connection) -> None:
        connection.execute(text("INSERT INTO about VALUES ('a', 'b')"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        opening.create(store_address(where), fill)
    assert not CollectionStore.exists(where)
    if isinstance(where, Path):
        assert not list(where.parent.iterdir())
    make(where).close()


def test_a_budget_that_is_none_makes_nothing(new_database: NewDatabase) -> None:
    where = new_database()
    for budget, who in ((Decimal("0.001"), "ann"), (Decimal(1), "")):
        with pytest.raises(InputError):
            CollectionStore.create(where, UNIT, budget, who)
        assert not CollectionStore.exists(where)


# Files


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    where = tmp_path / "new" / "100%?#.sqlite"
    before = os.umask(0)
    try:
        with make(where) as store:
            store.remember(a="b")
            names = sorted(path.name for path in where.parent.iterdir())
            modes = {stat.S_IMODE(path.stat().st_mode) for path in where.parent.iterdir()}
    finally:
        os.umask(before)
    assert names == [where.name, f"{where.name}-shm", f"{where.name}-wal"]
    assert modes == {0o600}
    assert [path.name for path in where.parent.iterdir()] == [where.name]


def test_files_that_are_no_store(tmp_path: Path) -> None:
    where = tmp_path / "collection.sqlite"
    make(where).close()
    whole = where.read_bytes()
    other = tmp_path / "other.sqlite"

    other.write_bytes(b"")
    assert "is damaged: it is empty; put a copy of it back" in refusal(other, MachineError)
    other.write_text("item_id,label\n")
    assert "not a collection's store (file is not a database)" in refusal(other)
    with pytest.raises(InputError, match="file is not a database"):
        make(other)
    other.unlink()
    other.mkdir()
    assert "not a collection's store (it is a folder)" in refusal(other)
    with pytest.raises(InputError, match="it is a folder"):
        make(other)
    other.rmdir()
    for kept in (len(whole) // 2, 600, 50):
        other.write_bytes(whole[:kept])
        assert str(other) in refusal(other, MachineError)
    other.write_bytes(whole[:4096] + b"\x07" * (len(whole) - 4096))
    assert "is damaged" in refusal(other, MachineError)
    assert where.read_bytes() == whole


def test_a_file_in_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        make(tmp_path / "file" / "collection.sqlite")


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with make(tmp_path / "collection.sqlite") as store:

        @event.listens_for(store._database.engine, "connect")
        def narrow(connection: sqlite3.Connection, _: object) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")

        store._database.engine.dispose()
        lines = [
            OrderLine("crowd", f"i{k}", "easy", 1, None, Price(Decimal("0.01"))) for k in range(900)
        ]
        with pytest.raises(MachineError, match="full; make room on its disk, then start again"):
            store.add_batch(lines, {}, "a")
        assert not store.batches() and not len(store.ledger())
        store.remember(a="b")
        assert store.about("a") == "b"


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    """As the system says it: who runs the tests may have every right."""
    where = tmp_path / "collection.sqlite"
    make(where).close()
    with CollectionStore.open(where) as store:

        @event.listens_for(store._database.engine, "connect")
        def fix(connection: sqlite3.Connection, _: object) -> None:
            connection.execute("PRAGMA query_only = ON")

        store._database.engine.dispose()
        with pytest.raises(MachineError, match=r"readonly.*change the permissions of the file"):
            store.remember(a="b")


def test_a_store_that_another_process_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("budget.collection.store.database.PATIENCE", 0.2)
    with make(tmp_path / "collection.sqlite") as store:
        other = sqlite3.connect(tmp_path / "collection.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert store.about("a") is None  # reading does not wait
        with pytest.raises(MachineError, match="another process uses it; wait until that has"):
            store.remember(a="b")
        other.execute("ROLLBACK")
        other.close()
        store.remember(a="b")


# Servers


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    for place in (f"/labels?host={tmp_path}", "127.0.0.1:1/labels", "no-such-host.invalid/labels"):
        message = refusal(f"postgresql://ann:s3cret@{place}", MachineError)
        assert "PostgreSQL database labels of ann@" in message
        assert "cannot be reached: " in message and "see that the server runs" in message
        assert "s3cret" not in message


def test_a_wrong_password_or_database(postgresql: "PostgreSQLServer") -> None:
    url = postgresql.with_password(postgresql.new_database(), "ann", "s3cret")
    make(url).close()
    with CollectionStore.open(url) as store:
        assert "s3cret" not in store.shown
    wrong = make_url(url)
    for user, password, says in (
        ("ann", "s3cre7", 'password authentication failed for user "ann"; see that user and'),
        ("bob", "s3cre7", 'role "bob" does not exist; see that user and password are right'),
    ):
        shown = wrong.set(username=user, password=password).render_as_string(hide_password=False)
        message = refusal(shown)
        assert says in message and "s3cre" not in message
    nowhere = wrong.set(database="nowhere", username="postgres", password=None)
    message = refusal(nowhere.render_as_string(hide_password=False))
    assert 'database "nowhere" does not exist; make it first' in message


def test_an_address_with_a_wrong_option(postgresql: "PostgreSQLServer") -> None:
    place = make_url(postgresql.new_schema())
    for option, value, says in (
        ("sslmode", "maybe", 'invalid sslmode value: "maybe"'),
        ("colour", "red", 'invalid connection option "colour"'),
        ("options", "-csearch_path=nowhere", "there is no collection"),
    ):
        wrong = place.update_query_dict({option: value}).set(password="s3cret")
        with pytest.raises(InputError) as raised:
            CollectionStore.open(wrong.render_as_string(hide_password=False))
        assert says in str(raised.value) and "s3cret" not in str(raised.value)
    nowhere = place.update_query_dict({"options": "-csearch_path=nowhere"})
    with pytest.raises(InputError, match="make the schema first, or name another") as refused:
        make(nowhere.render_as_string(hide_password=False))
    assert type(refused.value) is InputError


def test_a_user_without_rights(postgresql: "PostgreSQLServer") -> None:
    url = postgresql.new_database()
    make(url).close()
    postgresql.with_password(postgresql.new_database(), "eve", "s3cret")
    as_eve = make_url(url).set(username="eve").render_as_string(hide_password=False)
    assert "permission denied" in refusal(as_eve, MachineError)


def test_a_server_that_only_reads(postgresql: "PostgreSQLServer") -> None:
    url = postgresql.new_schema()
    make(url).close()
    place = make_url(url)
    options = f"{place.query['options']} -cdefault_transaction_read_only=on"
    fixed = place.update_query_dict({"options": options}).render_as_string(hide_password=False)
    with (
        CollectionStore.open(fixed) as store,
        pytest.raises(MachineError, match="read-only transaction; its server accepts no writing"),
    ):
        store.remember(a="b")


def test_a_server_that_was_started_anew(postgresql: "PostgreSQLServer") -> None:
    url = postgresql.new_database()
    with make(url) as store:
        store.remember(a="b")
        postgresql.drop_connections(url)
        assert store.about("a") == "b"


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    message = refusal("postgresql://ann:s3cret@127.0.0.1:1/labels")
    assert "pip install 'labelmix[postgres]'" in message and "s3cret" not in message


def test_a_copy_is_a_store(tmp_path: Path) -> None:
    make(tmp_path / "a.sqlite").close()
    shutil.copy(tmp_path / "a.sqlite", tmp_path / "b.sqlite")
    CollectionStore.open(tmp_path / "b.sqlite").close()
