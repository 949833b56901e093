"""Numbers that took long to compute, kept in a file with a checksum."""

import io
import logging
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.files import readable
from annotation.whole_files import whole_file

logger = logging.getLogger(__name__)


def kept_values(
    path: Path, count: int, compute: Callable[[], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The `count` numbers at `path`, (count,); computed where they are not there, and kept.

    A file that is damaged, or of an earlier version, which had no checksum, is made again with a
    note.

    Raises InputError if it cannot be read or written.
    """
    if path.exists():
        with readable(path):
            content = path.read_bytes()
        if content[-4:] == _checksum(content[:-4]):
            values: NDArray[np.float64] = np.load(io.BytesIO(content))
            if values.shape == (count,):
                return values
        logger.warning("note: %s: is damaged or of an earlier version; it is made again.", path)
    values = compute()
    file = io.BytesIO()
    np.save(file, values)
    with whole_file(path) as unfinished:
        unfinished.write_bytes(file.getvalue() + _checksum(file.getvalue()))
    return values


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "little")
