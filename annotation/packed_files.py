"""Text files, plain or packed by gzip, opened alike."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from annotation.file_limits import largest_file, too_large

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = ".gz"
_BLOCK = 1 << 20  # bytes that are read at once


def open_text(
    path: Path, newline: str | None = None, see: Callable[[bytes], None] | None = None
) -> IO[str]:
    """Open a text file for reading; one whose name ends in `.gz` is unfolded as it is read.

    `see` is shown every block of bytes before a line of it is read.

    Raises OSError if it cannot be opened; InputError, while it is read, if it unfolds to more than
    `annotation.file_limits.largest_file()`.
    """
    is_packed = path.suffix.lower() == PACKED
    raw: io.RawIOBase = _Unfolded(path) if is_packed else path.open("rb", buffering=0)
    if see is not None:
        raw = _Seen(raw, see)
    # Some editors put a byte order mark first.
    return io.TextIOWrapper(io.BufferedReader(raw, _BLOCK), encoding="utf-8-sig", newline=newline)


class _Seen(io.RawIOBase):
    """Another stream, whose blocks are shown as they pass."""

    def __init__(self, raw: io.RawIOBase, see: Callable[[bytes], None]) -> None:
        self._raw, self._see = raw, see

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        count = self._raw.readinto(buffer)
        if count:
            self._see(bytes(memoryview(buffer)[:count]))
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Unfolded(io.RawIOBase):
    """What a gzip file holds, up to the size that is read at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = gzip.open(path, "rb")  # noqa: SIM115 - closed with this one
        self._most = largest_file()
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = self._file.readinto(buffer)
        self._read += count
        if self._read > self._most:
            raise too_large(self._path, self._read, " and more when it is unfolded")
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
