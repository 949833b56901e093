"""What databases say when they fail, in one line: where, why and what to do; never a password."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from annotation.errors import InputError, MachineError
from annotation.faults import database_failure
from budget.collection.store.addresses import StoreAddress

_DAMAGED = "put a copy of it back"
_FULL = "make room on its disk, then start again"
_RIGHTS = "let its owner grant the rights, or name another database"
_IN_USE = "another process uses it; wait until that has ended"
_UNREACHABLE = "see that the server runs and that the address is right, then start again"
_PASSWORD = "see that user and password are right"

# Codes of PostgreSQL (SQLSTATE), or their first two letters.
_MACHINE = {
    "53100": _FULL,
    "53": "the server is short of something; ask who runs it, then start again",
    "55P03": _IN_USE,
    "57014": _IN_USE,
    "40": "start again",
    "25006": "its server accepts no writing; name the one that does",
    "42501": _RIGHTS,
    "58": "the server's disk fails; ask who runs it, then start again",
    "XX": f"the database is damaged; {_DAMAGED}",
    "57P": _UNREACHABLE,
    "08": _UNREACHABLE,
}
_WRONG = {
    "28": _PASSWORD,
    "3D000": "make it first, or name another (createdb)",
    "3F000": "make the schema first, or name another",
}
# Wrong statements and values: mistakes of our own code, or a trigger that refuses.
_OURS = ("22", "23", "42", "P0")
# A connection that fails before it stands has no code.
_WORDS_OF_WRONG = {
    "password authentication failed": _PASSWORD,
    "no password supplied": _PASSWORD,
    "authentication failed": _PASSWORD,
    "no pg_hba.conf entry": "let who runs the server permit this user and host",
    "role": _PASSWORD,
    "does not exist": "make it first, or name another (createdb)",
}


@contextmanager
def store_errors(address: StoreAddress) -> Iterator[None]:
    """Turn what a database says into one line; mistakes of our own code stay what they are.

    Raises InputError for a wrong password or database, MachineError for everything else that a
    database may say, in place of the errors of SQLAlchemy and its drivers.
    """
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise _of_sqlite(address, error.orig) from None
        raise _of_postgresql(address, error) from None
    except sqlite3.Error as error:
        raise _of_sqlite(address, error) from None


def _of_sqlite(address: StoreAddress, error: sqlite3.Error) -> Exception:
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return error
    return database_failure(address.shown, error, _DAMAGED)


def _of_postgresql(address: StoreAddress, error: DBAPIError) -> Exception:
    code = getattr(error.orig, "sqlstate", None)
    said = " ".join(str(error.orig).split())
    if code is None:
        for words, remedy in _WORDS_OF_WRONG.items():
            if words in said:
                return InputError(f"{address.shown}: {_last(said)}; {remedy}.")
        return MachineError(f"{address.shown}: cannot be reached: {_last(said)}; {_UNREACHABLE}.")
    for known, kind in ((_WRONG, InputError), (_MACHINE, MachineError)):
        for begins, remedy in known.items():
            if code.startswith(begins):
                return kind(f"{address.shown}: {said}; {remedy}.")
    if code.startswith(_OURS):
        return error
    return MachineError(f"{address.shown}: {said}; ask who runs the server, then start again.")


def _last(said: str) -> str:
    """The server's own words, without those of the driver about where it tried."""
    return said.rpartition("FATAL: ")[2].strip().rstrip(".")
