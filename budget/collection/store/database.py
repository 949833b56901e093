"""A database that is open: transactions to read and to write, and one process that works alone.

Writers wait for each other, in both databases alike: whoever decides what to write has read what
all others wrote before.
"""

import hashlib
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, text
from sqlalchemy.pool import QueuePool

from annotation.errors import InputError, short
from annotation.locks import FolderInUseError, exclusive
from budget.collection.store.addresses import StoreAddress
from budget.collection.store.failures import store_errors

PATIENCE = 30  # seconds to wait for another process that writes
_CONNECTING = 10  # seconds to wait for a server
_WRITES = "labelmix_writes"
_LONGEST_NAME = 63  # bytes of PostgreSQL's application_name
_WAIT = "wait until it has ended"


class CollectionInUseError(FolderInUseError):
    """Another process works on the collection."""


class Database:
    """Connections to one database.

    Raises InputError if it is PostgreSQL and its driver is not installed.
    """

    def __init__(self, address: StoreAddress) -> None:
        self.address = address
        if address.path is not None:
            self.engine = _sqlite_engine(address.path)
        else:
            self.engine = _postgresql_engine(address)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One state of the database for all of the block, whatever others write meanwhile.

        Raises InputError or MachineError as `store_errors` does.
        """
        with store_errors(self.address), self.engine.connect() as connection:
            if self.address.url is not None:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All of the block, or nothing; other writers wait.

        Raises InputError or MachineError as `store_errors` does.
        """
        with store_errors(self.address), self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if self.address.url is not None:
                    connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}s'"))
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"),
                        {"key": _lock_key(connection, "writing")},
                    )
                yield connection

    @contextmanager
    def alone(self, doing: str) -> Iterator[None]:
        """Keep every other process that asks for the same out until the block ends.

        Nothing has to be cleaned up after a crash. In SQLite it is a lock of the file's folder.

        Raises FolderInUseError at once, telling who works on it.
        """
        if self.address.path is not None:
            with exclusive(self.address.path.parent, doing, _WAIT):
                yield
            return
        with store_errors(self.address):
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            with store_errors(self.address):
                # Out of the pool: the server frees the lock when the connection is closed.
                connection.detach()
                key = {"key": _lock_key(connection, "alone")}
                if not connection.execute(_TRY_LOCK, key).scalar_one():
                    holder = connection.execute(_HOLDER, key).first()
                    raise CollectionInUseError(
                        f"{self.address.shown}: is in use by {_shown(holder)}; {_WAIT}."
                    )
                connection.execute(_NAME, {"name": _note(doing)})
            yield


_APPLICATION = "labelmix"
_TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
_NAME = text("SELECT set_config('application_name', :name, false)")
_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND pg_locks.database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32) | objid::bigint = :key AND objsubid = 1"
)


def _lock_key(connection: Connection, purpose: str) -> int:
    """A number for PostgreSQL's advisory locks; collections in two schemas have their own."""
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    content = f"labelmix {purpose} {schema}".encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)


def _note(doing: str) -> str:
    """Who holds the lock, as short as the server needs it."""
    who = f" (process {os.getpid()} on {socket.gethostname()})"
    room = _LONGEST_NAME - len(who.encode())
    return doing[: max(room, 0)] + who if room > 0 else doing[:_LONGEST_NAME]


def _shown(holder: Row[Any] | None) -> str:
    return "another process" if holder is None else short(holder[0])[1:-1]


def _sqlite_engine(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        # Not "sqlite:///path", in which some signs of a path mean something else. `rw`: a file is
        # made by `opening` alone, readable for its owner only.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            timeout=PATIENCE,
            isolation_level=None,
            uri=True,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what was told as done stays done
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver's own BEGIN comes late and lets two writers read the same before one waits.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(address: StoreAddress) -> Engine:
    assert address.url is not None
    arguments: dict[str, Any] = {"application_name": _APPLICATION}
    if "connect_timeout" not in address.url.query:
        arguments["connect_timeout"] = _CONNECTING
    try:
        # A server that was restarted meanwhile is connected to again.
        return create_engine(address.url, connect_args=arguments, pool_pre_ping=True)
    except ImportError:
        raise InputError(
            f"{address.shown}: PostgreSQL needs a package more: pip install 'labelmix[postgres]'."
        ) from None
