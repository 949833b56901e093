"""Exclusive use of a folder: one process at a time, and who comes second is told who was first."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from annotation.errors import InputError, short
from annotation.faults import os_failure
from annotation.whole_files import check_folder

LOCK = ".labelmix.lock"  # the system frees it when its process ends, however it ends
HOLDER = ".labelmix.holder"  # who holds the lock, for people alone
_LONGEST_NOTE = 2_000  # characters; ours have about 100


class FolderInUseError(InputError):
    """Another process works in the folder."""


@contextmanager
def exclusive(
    folder: Path, doing: str, remedy: str = "wait until it has ended, or name another folder"
) -> Iterator[None]:
    """Keep every other process that asks for `folder` out of it until the block ends.

    The folder is made where needed. Nothing has to be cleaned up after a crash: the system frees
    the lock of a process that is gone. Readers that do not ask are not kept out.

    Parameters
    ----------
    folder
        What is used alone.
    doing
        Told to whoever comes second, such as "labelmix labelstudio push".
    remedy
        What whoever comes second can do, as half a sentence.

    Raises
    ------
    FolderInUseError
        At once, if another process holds it, or another part of this one does.
    InputError
        If the folder cannot be made or locked.
    """
    check_folder(folder)
    # Any thread may end the block; the folder is ours, not the thread's.
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUseError(f"{folder}: is in use by {_holder(folder)}; {remedy}.") from None
    except OSError as error:
        raise os_failure(folder, "locked for one process", error) from None
    note = folder / HOLDER
    try:
        with suppress(OSError):  # a full disk: the lock holds all the same
            note.write_text(json.dumps(_note(doing)), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _note(doing: str) -> dict[str, str | int]:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {"doing": doing, "process": os.getpid(), "host": socket.gethostname(), "since": since}


def _holder(folder: Path) -> str:
    """Who holds the lock, as far as its note can be read."""
    try:
        with (folder / HOLDER).open(encoding="utf-8") as file:
            note = json.loads(file.read(_LONGEST_NOTE))
        process, since = int(note["process"]), str(note["since"])
        doing, host = str(note["doing"]), str(note["host"])
    except (OSError, ValueError, ArithmeticError, KeyError, TypeError, RecursionError):
        return "another process"  # it has only just begun, or is about to end
    return f"{short(doing)} (process {process} on {short(host)[1:-1]}, since {short(since)[1:-1]})"
