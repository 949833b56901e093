"""SQLite files that are kept and read again: opened with care, checked, told of in one line."""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from annotation.errors import InputError, MachineError
from annotation.faults import database_failure, os_failure

PATIENCE = 8.0  # seconds to wait for another process that writes


@contextmanager
def database_errors(path: Path, remedy: str) -> Iterator[None]:
    """Turn what SQLite says of the file at `path` into one line.

    `remedy` is what to do where the file is damaged. Mistakes of our own code stay what they are.

    Raises MachineError in place of sqlite3.DatabaseError, and where its words are no UTF-8.
    """
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise database_failure(path, error, remedy) from None
    except UnicodeDecodeError:  # its message quotes a damaged name
        raise damaged(path, "what it says of itself is no text", remedy) from None


def damaged(path: Path | str, what: str, remedy: str) -> MachineError:
    """The error of a kept file whose content is not what was written."""
    return MachineError(f"{path}: is damaged: {what}; {remedy}.")


def newer(path: Path | str, found: int, known: int) -> InputError:
    """The error of a kept file that a later labelmix wrote."""
    return InputError(
        f"{path}: was written by a newer labelmix (version {found} of the file, this one reads up "
        f"to {known}); install that labelmix, or name another folder."
    )


def not_another_file(path: Path, what: str) -> None:
    """Tell a file that was never an SQLite database apart from one that is damaged.

    Raises InputError if there is such a file: "not" `what`, such as "a store of trials".
    """
    if path.is_dir():
        raise InputError(f"{path}: not {what} (it is a folder); name another folder.")
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            begins = file.read(16)
    except OSError as error:
        raise os_failure(path, "read", error) from None
    if begins and begins != b"SQLite format 3\0":
        raise InputError(
            f"{path}: not {what} (file is not a database); move it away or name another folder."
        )


def connected(
    path: Path, isolation_level: Literal["DEFERRED"] | None = "DEFERRED"
) -> sqlite3.Connection:
    """Open an SQLite file, which is made where needed, and see that its pages fit together.

    Raises InputError if no file can stand there; sqlite3.Error if it is damaged or no database.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise os_failure(path.parent, "made a folder", error) from None
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=isolation_level)
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(str(found).replace("\n", " "))
    except BaseException:
        connection.close()
        raise
    return connection


def checksum(row: Sequence[object]) -> int:
    """CRC-32 of the values of a row, types and all."""
    return zlib.crc32(repr(tuple(row)).encode("utf-8", "backslashreplace"))
