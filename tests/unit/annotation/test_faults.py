"""Failures of the system are told in one line; which of them are the machine's decides the code."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from annotation.faults import database_failure, os_failure


def error_of(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE],
)
def test_faults_of_the_machine(number: int) -> None:
    failure = os_failure(Path("runs/a.json"), "written", error_of(number))
    assert isinstance(failure, MachineError)
    assert failure.exit_code == 3
    told = str(failure)
    assert told.startswith(f"runs/a.json: cannot be written: {os.strerror(number)}; ")
    assert told.endswith(".") and "\n" not in told


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG])
def test_wrong_paths_are_the_input_s(number: int) -> None:
    failure = os_failure("a.json", "written", error_of(number))
    assert failure.exit_code == 2
    assert str(failure) == f"a.json: cannot be written: {os.strerror(number)}."


def test_a_file_that_may_not_be_read_is_the_wrong_input() -> None:
    assert os_failure("a.json", "read", error_of(errno.EACCES)).exit_code == 2
    assert os_failure("a.json", "read", error_of(errno.EIO)).exit_code == 3


def test_an_error_without_a_number_tells_its_words() -> None:
    failure = os_failure("a.json", "written", OSError("no space left"))
    assert (failure.exit_code, str(failure)) == (2, "a.json: cannot be written: no space left.")


def test_databases(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database" * 100)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        connection.execute("SELECT * FROM sqlite_master")
    connection.close()
    failure = database_failure(path, damaged.value, "delete it")
    assert failure.exit_code == 3
    assert str(failure) == f"{path}: file is not a database; the file is damaged; delete it."

    path.unlink()
    small = sqlite3.connect(path)
    small.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        small.executescript("CREATE TABLE a (b); INSERT INTO a VALUES (randomblob(100000))")
    small.close()
    told = str(database_failure(path, full.value, "delete it"))
    assert told == f"{path}: database or disk is full; make room on its disk, then start again."


def test_a_database_that_another_process_holds(tmp_path: Path) -> None:
    one = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    one.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(tmp_path / "a.sqlite", timeout=0)
    with pytest.raises(sqlite3.OperationalError) as locked:
        other.execute("CREATE TABLE a (b)")
    one.close()
    other.close()
    told = str(database_failure("a.sqlite", locked.value, "delete it"))
    assert told == (
        "a.sqlite: database is locked; another process uses it; wait until that has ended."
    )


def test_whoever_catches_wrong_input_catches_the_machine_s_faults() -> None:
    assert issubclass(MachineError, InputError)
    assert (InputError("x").exit_code, MachineError("x").exit_code) == (2, 3)
