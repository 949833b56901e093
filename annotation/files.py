"""Read tables of records from JSONL, CSV and Parquet files, and JSON documents."""

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotation.csv_headers import check_separator, column_name, unknown_kind
from annotation.errors import InputError, short
from annotation.faults import os_failure
from annotation.file_limits import check_file, read_parquet_table
from annotation.packed_files import PACKED, open_text
from annotation.spreadsheet_cells import GuardWatch, plain_row

TableRow = dict[str, Any]  # one row: column name -> value

SUFFIXES = (".jsonl", ".csv", ".parquet")


def read_records(path: Path) -> list[TableRow]:
    """Read the rows of a table, in the order of the file.

    The suffix says the format: `.jsonl` (one JSON object a line, blank lines are skipped),
    `.csv` (with a header; every value is a text, without the apostrophe that keeps a spreadsheet
    from running it, see `annotation.spreadsheet_cells`) or `.parquet`. The first two may be packed
    by gzip, as `.jsonl.gz` and `.csv.gz`. Names of columns lose outer blanks.

    Raises InputError if the suffix is another, or the file is absent, cannot be read, or is
    malformed (with the line).
    """
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(table_suffix(path))
    if reader is None:
        raise unknown_kind(path, f"one of {', '.join(SUFFIXES)}")
    with readable(path):
        return reader(path)


def table_suffix(path: Path) -> str:
    """The kind of a table by its name, in lower case: ".csv" of "items.csv" and "items.csv.gz"."""
    if path.suffix.lower() != PACKED:
        return path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if inner in (".jsonl", ".csv") else PACKED


@contextmanager
def readable(path: Path, most: int | None = None, if_absent: str = "") -> Iterator[None]:
    """Turn the failures of opening and decoding `path` into an InputError that names it.

    A pipe, a device or a file that is too large (`most` bytes where less than usual) is refused
    before it is opened. `if_absent` says what to do where there is no such file.
    """
    try:
        check_file(path, most)
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{'; ' if if_absent else ''}{if_absent}.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    except OSError as error:
        raise os_failure(path, "read", error) from None
    except ValueError as error:  # a null byte in the path
        if isinstance(error, InputError) or "null byte" not in str(error):
            raise
        raise InputError(f"{path}: is no path: {error}.") from None


def _read_jsonl(path: Path) -> list[TableRow]:
    records: list[TableRow] = []
    names: set[str] = set()
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{path}: line {number} is not JSON: {error.msg} (column {error.colno})."
                ) from None
            except (ValueError, RecursionError) as error:
                raise InputError(
                    f"{path}: line {number} cannot be read: {too_deep_or_long(error)}."
                ) from None
            if not isinstance(record, dict):
                raise InputError(
                    f"{path}: line {number} should be a JSON object "
                    f'({{"question": ...}}); got {short(line.strip())}.'
                )
            records.append(record)
            names.update(record)
    return _with_plain_names(records, names)


def _with_plain_names(records: list[TableRow], names: Collection[str]) -> list[TableRow]:
    """The rows with names of columns without outer blanks, where no other column has that name."""
    plain = {name: column_name(name) for name in names}
    often = Counter(plain.values())
    changed = {name: own for name, own in plain.items() if name != own and often[own] == 1}
    if not changed:
        return records
    return [{changed.get(name, name): own for name, own in row.items()} for row in records]


def _read_csv(path: Path) -> list[TableRow]:
    watch = GuardWatch()
    with open_text(path, newline="", see=watch.see) as file:
        reader = csv.reader(file, strict=True)
        try:
            header = plain_row(next(reader, []))
            check_separator(header, path)
            header = [column_name(cell) for cell in header]
            repeated = [name for name in header if header.count(name) > 1]
            if repeated:
                raise InputError(f"{path}: column '{repeated[0]}' occurs twice in the header.")
            records: list[TableRow] = []
            for row in reader:
                if not row:  # a blank line
                    continue
                if len(row) != len(header):
                    raise InputError(
                        f"{path}: line {reader.line_num} has {len(row)} values, the header has "
                        f"{len(header)}; quote values that hold commas."
                    )
                values = plain_row(row) if watch.may_be_guarded else row
                records.append(dict(zip(header, values, strict=True)))
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num} is not CSV: {error}.") from None
    return records


def _read_parquet(path: Path) -> list[TableRow]:
    import pyarrow as pa

    path.open("rb").close()  # for the reason why it cannot be read
    try:
        table = read_parquet_table(path, as_objects=True)
        return _with_plain_names(list(table.to_pylist()), table.column_names)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise InputError(f"{path}: is not a Parquet file: {reason}.") from None


def read_json(path: Path) -> object:
    """Read one JSON document.

    Raises InputError if the file is absent, cannot be read or is not JSON (with the line).
    """
    with readable(path):
        text = path.read_text(encoding="utf-8-sig")
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno} is not JSON: {error.msg}.") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read: {too_deep_or_long(error)}.") from None
    return document


def too_deep_or_long(error: ValueError | RecursionError) -> str:
    """What Python's readers of JSON and TOML refuse though it is well-formed, in words."""
    if isinstance(error, RecursionError):
        return "its brackets are nested too deeply"
    return "it holds a number of thousands of digits"
