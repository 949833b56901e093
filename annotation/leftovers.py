"""Unfinished files: what they are called, and how those of processes that were killed go away."""

import hashlib
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path

_A_DAY = 24 * 3600.0  # seconds; nothing of ours is written for so long
_ENDING = re.compile(r"\.(?P<machine>[^.]+)-(?P<process>\d+)\.part\Z")


def unfinished_ending(process: int | None = None) -> str:
    """How the name of a file ends that a process, by default this one, has not finished."""
    return f".{_machine()}-{os.getpid() if process is None else process}.part"


def remove_leftovers(path: Path) -> None:
    """Remove what processes that are gone left unfinished of the file at `path`.

    Of another machine, whose processes cannot be seen from here, what is older than a day.
    """
    begin = f".{path.name}."
    with suppress(OSError):  # no such folder, or nothing may be removed there
        for found in path.parent.iterdir():
            ending = _ENDING.search(found.name)
            if not found.name.startswith(begin) or ending is None:
                continue
            if ending["machine"] == _machine() and os.name == "posix":
                is_left = not _runs(int(ending["process"]))
            else:
                is_left = time.time() - found.stat().st_mtime > _A_DAY
            if is_left:
                found.unlink(missing_ok=True)


def _machine() -> str:
    """Four letters for this machine, so that names stay short."""
    return hashlib.blake2b(socket.gethostname().encode(), digest_size=2).hexdigest()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks only
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True
