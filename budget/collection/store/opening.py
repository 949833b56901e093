"""Making and opening a collection's database: whose it is, its version, and whether it is whole.

Making one, like an upgrade, is one transaction, and a file appears whole: a process that is killed
leaves nothing of it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from annotation.databases import damaged, newer, not_another_file
from annotation.errors import InputError, short
from annotation.whole_files import writing
from budget.collection.money_unit import MoneyUnit
from budget.collection.store.accounts import check
from budget.collection.store.addresses import StoreAddress
from budget.collection.store.chain import check_chain
from budget.collection.store.database import Database
from budget.collection.store.history import money_unit
from budget.collection.store.row_checks import UnfittingRowsError, check_rows
from budget.collection.store.schema import VERSION, VERSION_TABLE, metadata
from budget.collection.store.value_checks import WrongValueError, check_values

if TYPE_CHECKING:
    from alembic.config import Config

_WHAT = "a collection's store"
_REMEDY = "put a copy of it back"
_MOST_DIGITS = 9  # of a version
_MIGRATIONS = "budget.collection.store:migrations"


def exists(address: StoreAddress) -> bool:
    """Whether a collection's store is there.

    Raises InputError if something else is there, MachineError if the server cannot be reached.
    """
    if address.path is not None:
        not_another_file(address.path, _WHAT)
        return address.path.exists()
    database = Database(address)
    try:
        with database.reading() as connection:
            return _is_ours(connection, address)
    finally:
        database.close()


def create(address: StoreAddress, fill: Callable[[Connection], None]) -> None:
    """Make the tables where there are none, and what `fill` writes, in one transaction.

    An SQLite file is readable and writable for its owner alone.

    Raises InputError if a collection, or anything else, is there already.
    """
    if address.path is None:
        _fill(address, fill)
        return
    path = address.path
    not_another_file(path, _WHAT)
    if path.exists():
        raise _there_already(address)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp keeps the file for who runs this alone: it tells people's answers and pay.
        number, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(number)
        unfinished = Path(name)
        try:
            _fill(StoreAddress(address.shown, unfinished, None), fill)
            _name_it(unfinished, path)
        except FileExistsError:
            raise _there_already(address) from None
        finally:
            for ending in ("", "-wal", "-shm"):
                Path(f"{name}{ending}").unlink(missing_ok=True)


def _name_it(unfinished: Path, path: Path) -> None:
    """Give a whole file its name, unless another process was first: then FileExistsError."""
    try:
        os.link(unfinished, path)
    except PermissionError:  # a disk that has no hard links
        if path.exists():
            raise FileExistsError from None
        unfinished.replace(path)


def _fill(address: StoreAddress, fill: Callable[[Connection], None]) -> None:
    database = Database(address)
    try:
        with database.writing() as connection:
            if _is_ours(connection, address):
                raise _there_already(address)
            _upgrade(connection)
            fill(connection)
    finally:
        database.close()


def open_database(address: StoreAddress) -> Database:
    """Open what `create` made, and bring one of an older labelmix to this version.

    Raises InputError if there is none, or it is of a newer labelmix or another program;
    MachineError if it is damaged or cannot be reached.
    """
    path = address.path
    if path is not None:
        not_another_file(path, _WHAT)
        if not path.exists():
            raise _missing(address)
        with writing(path):
            is_empty = not path.stat().st_size
        if is_empty:
            raise damaged(path, "it is empty", _REMEDY)
    database = Database(address)
    try:
        with database.reading() as connection:
            if path is not None:
                _check_pages(connection, path)
            if not _is_ours(connection, address):
                raise _missing(address)
            version = _version(connection, address)
        if version < VERSION:
            with database.writing() as connection:
                _upgrade(connection)
        with database.reading() as connection:
            _check_tables(connection, address)
    except BaseException:
        database.close()
        raise
    return database


def _upgrade(connection: Connection) -> None:
    """Bring the tables to this version, in the transaction of the caller."""
    from alembic import command  # a store of this version is opened without it

    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newest_revision() -> str | None:
    """The name of the last migration: `VERSION` as a text."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_migrations()).get_current_head()


def _migrations() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _MIGRATIONS)
    return config


def _is_ours(connection: Connection, address: StoreAddress) -> bool:
    """Whether the tables are a collection's; False where there are none at all.

    Raises InputError if they are another program's.
    """
    there = set(inspect(connection).get_table_names())
    if VERSION_TABLE in there:
        return True
    if there:
        raise InputError(
            f"{address.shown}: not {_WHAT} (it has tables of another program, such as "
            f"{short(min(there))}); name an empty database, or one of its own."
        )
    return False


def _version(connection: Connection, address: StoreAddress) -> int:
    rows = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()
    # More digits than Python reads as a number are no version.
    if len(rows) != 1 or not str(rows[0]).isdecimal() or len(str(rows[0])) > _MOST_DIGITS:
        raise damaged(address.shown, "its version cannot be read", _REMEDY)
    version = int(rows[0])
    if version < 1:
        raise damaged(address.shown, f"its version is {version}", _REMEDY)
    if version > VERSION:
        raise newer(address.shown, version, VERSION)
    return version


def _check_pages(connection: Connection, path: Path) -> None:
    found = _integrity(connection, 1)
    if found and _is_of_a_value(found[0]):
        found = [each for each in _integrity(connection, 100) if not _is_of_a_value(each)]
    if found:
        raise damaged(path, found[0].replace("\n", " "), _REMEDY)


def _integrity(connection: Connection, most: int) -> list[str]:
    """What SQLite finds wrong in its file, so many things at most."""
    found = connection.execute(text(f"PRAGMA integrity_check({most})")).scalars()
    return [str(each) for each in found if each != "ok"]


def _is_of_a_value(finding: str) -> bool:
    """Whether it is a value that breaks a rule of its column: told later, with its row."""
    return finding.startswith("CHECK constraint failed")


def _check_tables(connection: Connection, address: StoreAddress) -> None:
    missing = set(metadata.tables) - set(inspect(connection).get_table_names())
    if missing:
        raise damaged(address.shown, f"table {short(min(missing))} is gone", _REMEDY)


def checked_unit(connection: Connection, shown: str) -> MoneyUnit:
    """Look at all that is kept, once; what money is counted in. `shown` names the store.

    Raises MachineError for the first value, or row, that is not what was written.
    """
    try:
        check_values(connection)
        unit = money_unit(connection)
        check_chain(connection)
        check_rows(connection, unit)
        check(connection)
    except (WrongValueError, UnfittingRowsError) as wrong:
        remedy = "put the right value back, or a copy of the database"
        raise damaged(shown, str(wrong), remedy) from None
    return unit


def _missing(address: StoreAddress) -> InputError:
    return InputError(
        f"{address.shown}: there is no collection; make one with 'labelmix collect new'."
    )


def _there_already(address: StoreAddress) -> InputError:
    return InputError(
        f"{address.shown}: a collection is there already; go on with it, or name another place."
    )
