"""Several files of one command: all of them are put in place, or none."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from annotation.faults import os_failure

# Written files and where they belong, in the order of writing; None where nothing waits.
_waiting: ContextVar[dict[Path, Path] | None] = ContextVar("waiting", default=None)


@contextmanager
def written_together() -> Iterator[None]:
    """Put the files that are written in this block in place at its end, all of them.

    An error or an interruption before that leaves whatever stood in every place. All files of
    `annotation.whole_files.whole_file` wait for the end, so nothing but writing belongs into the
    block; devices and pipes are written at once.

    Raises InputError if a file cannot be put in place: MachineError if the disk is full or fails.
    """
    waiting: dict[Path, Path] = {}
    token = _waiting.set(waiting)
    try:
        yield
        for path in waiting.values():  # what can be known to fail fails before the first is moved
            if path.is_dir():
                error = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                raise os_failure(path, "written", error)
        for unfinished, path in waiting.items():
            try:
                unfinished.replace(path)
            except OSError as error:
                raise os_failure(path, "written", error) from None
    finally:
        _waiting.reset(token)
        for unfinished in waiting:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


def waits_for_others(unfinished: Path, path: Path) -> bool:
    """Whether a file that is all written will be put in place together with others, not now."""
    waiting = _waiting.get()
    if waiting is None:
        return False
    waiting[unfinished] = path
    return True
