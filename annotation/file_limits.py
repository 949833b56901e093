"""How much is read of a file: what it is, how large, and how much larger once unfolded."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from annotation.errors import InputError, short

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

VARIABLE = "LABELMIX_LARGEST_FILE"
_USUAL_LIMIT = 4.0  # GB
_GB = 10**9
_MOST_ROWS_AT_ONCE = 1 << 16
_USUAL_DICTIONARY = 2 << 20  # bytes; writers begin to store texts as they are at half of it
_UNFOLDED = " when it is unfolded"
_AS_OBJECTS = 64  # bytes that a cell, however small, takes as a Python object at least


def largest_file() -> int:
    """Bytes that a file may have, packed or unfolded; LABELMIX_LARGEST_FILE says it in GB.

    Raises InputError if the variable is no number above 0.
    """
    text = os.environ.get(VARIABLE, "").strip()
    try:
        limit = float(text or _USUAL_LIMIT)
    except ValueError:
        limit = 0.0
    if not 0 < limit < 1e9:
        raise InputError(f"{VARIABLE} should be a number of GB, e.g. 16; got {short(text)}.")
    return int(limit * _GB)


def check_file(path: Path, most: int | None = None) -> None:
    """Check what is about to be read: a file, not a pipe or a device, and not too large.

    `most` is its largest size in bytes where it is not `largest_file()`.

    Raises OSError if there is no such file, InputError if it is none, or too large.
    """
    found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise InputError(
            f"{path}: is a pipe or a device and may never end; save what it gives as a file."
        )
    if most is not None and found.st_size > most:
        raise InputError(f"{path}: has {_size(found.st_size)}, more than {_size(most)}.")
    if found.st_size > largest_file():
        raise too_large(path, found.st_size)


def too_large(path: Path, size: int, unfolded: str = "") -> InputError:
    """The error for a file of so many bytes; `unfolded` says when it has them."""
    wanted = max(1, round(1.5 * size / _GB))
    return InputError(
        f"{path}: has {_size(size)}{unfolded}, more than the {_size(largest_file())} that are "
        f"read; check what it holds, or raise the limit: {VARIABLE}={wanted} (GB)."
    )


def _size(size: int) -> str:
    for unit, amount in (("GB", _GB), ("MB", 10**6), ("kB", 10**3)):
        if size >= amount:
            return f"{size / amount:.3g} {unit}"
    return f"{size} bytes"


def read_parquet_table(
    path: Path, columns: Sequence[str] | None = None, as_objects: bool = False
) -> "pa.Table":
    """Read a Parquet file, or these of its columns, piece by piece until it is too large.

    A file can unfold to a hundred thousand times its size. `as_objects`: every cell is to become
    an object of Python, which takes more room than it has in the table.

    Raises InputError if it has more than `largest_file()` unfolded; errors of pyarrow and OSError
    if it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    limit = largest_file()
    with path.open("rb") as opened:
        file = pq.ParquetFile(opened)
        schema, metadata = file.schema_arrow, file.metadata
        width = len(schema.names if columns is None else columns)
        cells = metadata.num_rows * (width + 4)  # a row is an object, too
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        stored = sum(group.total_byte_size for group in groups)
        least = max(stored, cells * _AS_OBJECTS if as_objects else metadata.num_rows)
        if least > limit:
            raise too_large(path, least, _UNFOLDED)
        longest = _repeated_texts(path, groups)
        large = [name for name, size in longest.items() if size > _USUAL_DICTIONARY]
        if large:  # counted first, as numbers that name a text
            counted = pq.ParquetFile(opened, read_dictionary=large)
            rows = max(1, limit // (16 * max(longest.values())))
            for _ in _pieces(path, counted, rows, columns, as_plain=True):
                pass
        rows = max(1, min(_MOST_ROWS_AT_ONCE, limit // max(longest.values(), default=1)))
        pieces = list(_pieces(path, file, rows, columns, as_objects))
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        table = pa.Table.from_batches(pieces, None if pieces else schema)
        return table if columns is None else table.select(list(columns))


def _pieces(
    path: Path,
    file: "pq.ParquetFile",
    rows: int,
    columns: Sequence[str] | None,
    as_plain: bool,
) -> "Iterator[pa.RecordBatch]":
    """So many rows at a time; raises InputError once all together are too large."""
    total, limit = 0, largest_file()
    for piece in file.iter_batches(rows, columns=None if columns is None else list(columns)):
        total += sum(map(_plain_size, piece.columns)) if as_plain else piece.nbytes
        if total > limit:
            raise too_large(path, total, f"{_UNFOLDED}, or more")
        yield piece


def _plain_size(column: "pa.Array") -> int:
    """Bytes of the values of a column, each of them counted where it is named by its number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        if not (pa.types.is_string(kind.value_type) or pa.types.is_binary(kind.value_type)):
            return int(column.nbytes)
        sizes = pc.binary_length(column.dictionary).take(column.indices)
        return int(pc.sum(sizes).as_py() or 0)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _plain_size(column.flatten())
    if pa.types.is_struct(kind):
        return sum(_plain_size(own) for own in column.flatten())
    return int(column.nbytes)


def _repeated_texts(path: Path, groups: "Sequence[pq.RowGroupMetaData]") -> dict[str, int]:
    """Columns whose texts can be repeated, and bytes that one text may have there at most.

    That is the size of the column's dictionary, or of the whole column where each text goes on
    from the one before. Other texts are stored as they are and cannot unfold.
    """
    longest: dict[str, int] = {}
    with path.open("rb") as file:
        for group in groups:
            for place in range(group.num_columns):
                chunk = group.column(place)
                size = 0
                if chunk.physical_type != "BYTE_ARRAY":
                    continue
                if any("DELTA" in encoding for encoding in chunk.encodings):
                    size = chunk.total_uncompressed_size
                elif any("DICTIONARY" in encoding for encoding in chunk.encodings):
                    file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
                    size = _page_size(file.read(16)) or chunk.total_uncompressed_size
                name = chunk.path_in_schema
                longest[name] = max(longest.get(name, 1), size)
    return longest


def _page_size(header: bytes) -> int | None:
    """The unfolded size of a page of a Parquet file, from its header; None if it tells none.

    The header is a struct of Thrift's compact protocol whose first two fields are the kind of page
    and the size (parquet.thrift of the format's specification): each a byte 0x15, for "the next
    field, a 32-bit integer", and a zigzag number of seven bits a byte.
    """
    numbers: list[int] = []
    place = 0
    while len(numbers) < 2:
        if header[place : place + 1] != b"\x15":
            return None
        number = shift = 0
        while True:
            place += 1
            if place >= len(header):
                return None
            number |= (header[place] & 0x7F) << shift
            shift += 7
            if not header[place] & 0x80:
                break
        numbers.append((number >> 1) ^ -(number & 1))
        place += 1
    return numbers[1] if numbers[1] > 0 else None
