"""Faults of the machine: which failures of the system are its own, and the one line for each."""

import errno
import os
import sqlite3
from pathlib import Path

from annotation.errors import InputError, MachineError

# What can be done about a failure that is no mistake in what was asked for.
_REMEDIES = {
    errno.ENOSPC: "make room on its disk, then start again",
    errno.EDQUOT: "make room within the quota, then start again",
    errno.EFBIG: "the system limits how large files may be (ulimit -f); raise the limit",
    errno.EIO: "the disk or its connection fails; check it, then start again",
    errno.EROFS: "its disk is read-only; name another place",
    errno.EACCES: "change its permissions or name another place",
    errno.EPERM: "change its permissions or name another place",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "free some memory, then start again",
    errno.ESTALE: "the network drive was lost; start again once it is there",
    errno.ENODEV: "the device is gone",
    errno.ENXIO: "the device is gone",
}
_RIGHTS = {errno.EACCES, errno.EPERM}


def os_failure(path: Path | str, verb: str, error: OSError) -> InputError:
    """The error of a file that "cannot be" `verb`, such as "written": where, why and what to do.

    MachineError if the machine is at fault; InputError if another path would do, such as where a
    folder stands in the way. A file that may not be read is the wrong input.
    """
    remedy = _REMEDIES.get(error.errno or 0)
    # Libraries put words of their own around what the system says.
    reason = error.strerror if remedy is None else os.strerror(error.errno or 0)
    message = f"{path}: cannot be {verb}: {reason or error}"
    if remedy is None or (verb == "read" and error.errno in _RIGHTS):
        return InputError(f"{message}.")
    return MachineError(f"{message}; {remedy}.")


def database_failure(path: Path | str, error: sqlite3.Error, delete: str) -> InputError:
    """The error of an SQLite file.

    `delete` is what is lost with the file, said where it is damaged: half a sentence that tells
    what to do. MachineError, but for a file that is no database.
    """
    code = getattr(error, "sqlite_errorcode", None)
    base = None if code is None else code & 0xFF  # the rest of an extended code is detail
    match base:
        case sqlite3.SQLITE_FULL:
            remedy = _REMEDIES[errno.ENOSPC]
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            remedy = "another process uses it; wait until that has ended"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            remedy = "change the permissions of the file and its folder or name another folder"
        case sqlite3.SQLITE_IOERR:
            remedy = "the disk is full or fails; make room or check it, then start again"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | None:
            remedy = f"the file is damaged; {delete}"
        case _:
            remedy = f"the file is damaged or another program's; {delete}"
    return MachineError(f"{path}: {error}; {remedy}.")
