"""Rows of numbers on disk, each with a checksum: what was damaged is known as absent."""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Positions
from annotation.databases import newer
from annotation.errors import InputError
from annotation.faults import os_failure
from annotation.whole_files import whole_file, writing

_VERSION = 1
_TYPE = np.dtype("<f4")
_CHECKSUM = np.dtype("<u4")
_LONGEST_HEAD = 1000  # bytes; ours have about 60

KeptValues = NDArray[np.float32]


class KeptRows:
    """An array of `count` rows, float32, of which some are there.

    Two files in `folder`: `rows.float32`, the rows one after another, and `record`, which says
    which of them are there, with the CRC-32 of each. Rows that are not there take no room on most
    disks. A record that is damaged, or fits no rows, stands for an empty array. One process at a
    time may write; see `annotation.locks`.

    Raises InputError if a newer labelmix wrote it, MachineError if the disk fails, in every call.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._rows_path = folder / "rows.float32"
        self._record_path = folder / "record"
        self._shape: tuple[int, ...] = ()  # of a row
        self._done: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self._checksums: NDArray[np.uint32] = np.zeros(count, dtype=_CHECKSUM)
        self.was_damaged = False  # whether something was found that could not be used
        self._verified = np.zeros(count, dtype=bool)  # in this process
        self.look_again()

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which rows are there, (count,)."""
        return self._done.copy()

    def look_again(self) -> None:
        """Read the record anew: another process may have written."""
        found = self._read_record()
        if found is None:
            self._done[:] = False
            self._shape = ()
        else:
            done, checksums, self._shape = found
            same = done & self._done & (checksums == self._checksums)
            self._verified &= same
            self._done, self._checksums = done, checksums

    def read(self, positions: Positions) -> tuple[KeptValues, NDArray[np.bool_]]:
        """The rows at `positions`, sorted and each once; and which of them are sound, (positions,).

        Those that are not count as absent from here on.
        """
        out = np.zeros((positions.size, *self._shape), dtype=_TYPE)
        sound = self._done[positions]
        if not sound.any():
            return out, sound
        try:
            with self._rows_path.open("rb", buffering=0) as file:
                for start, end in _runs(positions):
                    file.seek(int(positions[start]) * self._row_bytes)
                    _fill(file.readinto, out[start:end])
        except FileNotFoundError:
            sound[:] = False
        except OSError as error:
            raise os_failure(self._rows_path, "read", error) from None
        for place in np.flatnonzero(sound & ~self._verified[positions]):
            sound[place] = zlib.crc32(out[place]) == self._checksums[positions[place]]
        self._verified[positions] = sound
        damaged = positions[self._done[positions] & ~sound]
        self.was_damaged |= bool(damaged.size)
        self._done[damaged] = False
        return out, sound

    def write(self, positions: Positions, rows: KeptValues) -> None:
        """Keep rows; `positions` are sorted and each once. Rows of another shape replace all.

        They are there when this returns; what fails on the way leaves them absent.
        """
        rows = np.ascontiguousarray(rows, dtype=_TYPE)
        if not self._done.any():
            self._shape = rows.shape[1:]
        elif rows.shape[1:] != self._shape:
            self._done[:] = False
            self._shape = rows.shape[1:]
        with writing(self._rows_path):
            self._rows_path.parent.mkdir(parents=True, exist_ok=True)
            # Written, not mapped: a mapped page that finds no room on the disk ends the process.
            begun = self._done.any() and self._rows_path.is_file()
            with self._rows_path.open("r+b" if begun else "wb", buffering=0) as file:
                for start, end in _runs(positions):
                    file.seek(int(positions[start]) * self._row_bytes)
                    _fill(file.write, rows[start:end])
                os.fsync(file.fileno())
        self._checksums[positions] = [zlib.crc32(row) for row in rows]
        self._done[positions] = self._verified[positions] = True
        self._write_record()

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self._shape, dtype=np.int64)) * _TYPE.itemsize

    def _write_record(self) -> None:
        head = {"version": _VERSION, "rows": self._done.size, "shape": list(self._shape)}
        content = json.dumps(head).encode() + b"\n"
        content += self._done.tobytes() + self._checksums.tobytes()
        with whole_file(self._record_path) as unfinished:
            unfinished.write_bytes(content + zlib.crc32(content).to_bytes(4, "little"))

    def _read_record(
        self,
    ) -> tuple[NDArray[np.bool_], NDArray[np.uint32], tuple[int, ...]] | None:
        count = self._done.size
        try:
            with self._record_path.open("rb") as file:
                content = file.read(_LONGEST_HEAD + 5 * count + 4)
        except (FileNotFoundError, NotADirectoryError):
            # Rows without a record: begun and never finished, or of an earlier version.
            return None
        except IsADirectoryError:
            raise InputError(f"{self._record_path}: is a folder; delete it.") from None
        except OSError as error:
            raise os_failure(self._record_path, "read", error) from None
        self._refuse_newer(content)
        sound = zlib.crc32(content[:-4]).to_bytes(4, "little") == content[-4:]
        head, _, body = content[:-4].partition(b"\n")
        if not sound or len(body) != 5 * count:
            self.was_damaged = True
            return None
        shape = tuple(int(length) for length in json.loads(head)["shape"])
        done = np.frombuffer(body, dtype=bool, count=count).copy()
        return done, np.frombuffer(body, dtype=_CHECKSUM, offset=count).copy(), shape

    def _refuse_newer(self, content: bytes) -> None:
        try:
            version = json.loads(content[:_LONGEST_HEAD].partition(b"\n")[0])["version"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if isinstance(version, int) and version > _VERSION:
            raise newer(self._record_path, version, _VERSION)


def _runs(positions: Positions) -> Iterator[tuple[int, int]]:
    """Beginning and end of every stretch of neighbours in sorted positions."""
    breaks = np.flatnonzero(np.diff(positions) != 1) + 1
    edges = [0, *breaks.tolist(), positions.size]
    yield from ((start, end) for start, end in pairwise(edges) if end > start)


def _fill(move: Callable[[memoryview], int | None], rows: KeptValues) -> None:
    """Move bytes between a file and all of the rows, or up to the end of the file."""
    left = rows.reshape(-1).view(np.uint8).data
    while len(left):
        moved = move(left)
        if not moved:
            return
        left = left[moved:]
