"""Read tables of records from JSONL, CSV and Parquet files; write files whole or not at all."""

import csv
import gzip
import io
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from annotation.errors import InputError, short
from annotation.faults import os_failure
from annotation.file_limits import check_file, largest_file, read_parquet_table, too_large
from annotation.leftovers import remove_leftovers, unfinished_ending
from annotation.spreadsheet_cells import may_be_guarded, plain_row

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TableRow = dict[str, Any]  # one row: column name -> value

SUFFIXES = (".jsonl", ".csv", ".parquet")
_PACKED = ".gz"
_OWNER_ALONE = 0o600  # reads and writes; nobody else does


def read_records(path: Path) -> list[TableRow]:
    """Read the rows of a table, in the order of the file.

    The suffix says the format: `.jsonl` (one JSON object a line, blank lines are skipped),
    `.csv` (with a header; every value is a text, without the apostrophe that keeps a spreadsheet
    from running it, see `annotation.spreadsheet_cells`) or `.parquet`. The first two may be
    packed by gzip, as `.jsonl.gz` and `.csv.gz`.

    Raises InputError if the suffix is another, or the file is absent, cannot be read, or is
    malformed (with the line).
    """
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(table_suffix(path))
    if reader is None:
        raise InputError(
            f"{path}: unknown kind of file '{path.suffix}'; give one of {', '.join(SUFFIXES)}."
        )
    with readable(path):
        return reader(path)


def table_suffix(path: Path) -> str:
    """The kind of a table by its name, in lower case: ".csv" of "items.csv" and "items.csv.gz"."""
    if path.suffix.lower() != _PACKED:
        return path.suffix.lower()
    inner = Path(path.stem).suffix.lower()
    return inner if inner in (".jsonl", ".csv") else _PACKED


def _open_text(path: Path, newline: str | None = None) -> IO[str]:
    # Some editors put a byte order mark first.
    if path.suffix.lower() == _PACKED:
        unfolded = io.BufferedReader(_Unfolded(path), 1 << 20)
        return io.TextIOWrapper(unfolded, encoding="utf-8-sig", newline=newline)
    return path.open(encoding="utf-8-sig", newline=newline)


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
    with _open_text(path) as file:
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
    return records


def _read_csv(path: Path) -> list[TableRow]:
    with _open_text(path, newline="") as file:
        guarded = may_be_guarded(file)
    with _open_text(path, newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = plain_row(next(reader, []))
            _check_separator(header, path)
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
                records.append(dict(zip(header, plain_row(row) if guarded else row, strict=True)))
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num} is not CSV: {error}.") from None
    return records


def _check_separator(header: list[str], path: Path) -> None:
    """Raise InputError if the header is one name that another separator divides into columns."""
    for separator, name in ((";", "';'"), ("\t", "tabs"), ("|", "'|'")):
        if len(header) == 1 and separator in header[0].strip():
            raise InputError(
                f"{path}: line 1: values are separated by {name}; save it with commas, numbers "
                "with decimal points (in a spreadsheet: 'CSV UTF-8 (comma delimited)')."
            )


def _read_parquet(path: Path) -> list[TableRow]:
    import pyarrow as pa

    path.open("rb").close()  # for the reason why it cannot be read
    try:
        return list(read_parquet_table(path, as_objects=True).to_pylist())
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


def check_folder(path: Path) -> None:
    """Before long work whose results go to a folder, which need not be there yet.

    Raises InputError if it cannot be made, because a file stands there.
    """
    in_the_way = next((own for own in (path, *path.parents) if own.exists()), None)
    if in_the_way is not None and not in_the_way.is_dir():
        raise InputError(
            f"{path}: cannot be made a folder: {in_the_way} is a file; give another --out."
        )


@contextmanager
def whole_file(path: Path, private: bool = False) -> Iterator[Path]:
    """Give a path to write to, and put what was written at `path` once it is all there.

    Its folder is made where needed. An interruption or an error leaves whatever stood at `path`
    before; what a process that was killed left beside it goes with the next write. A device or a
    pipe, such as /dev/stdout, is written to and stays what it is.

    A `private` file, of people's names, answers or pay, is readable by its owner alone, from its
    first byte on; so it is even where it replaces one that others could read.

    Raises InputError if the file cannot be written: MachineError if the disk is full or fails.
    """
    with writing(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            with tempfile.TemporaryDirectory() as folder:
                unfinished = Path(folder) / path.name
                yield unfinished
                with unfinished.open("rb") as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
            return
        unfinished = path.with_name(f".{path.name}{unfinished_ending()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(path)
            if private:
                unfinished.unlink(missing_ok=True)
                os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ALONE))
            yield unfinished
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())  # some disks tell only now that they are full
            unfinished.replace(path)
        finally:
            with suppress(OSError):  # there may be no such folder
                unfinished.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the failures of writing `path` into one line that names it.

    Raises InputError if the path is wrong, MachineError if the disk is full or fails.
    """
    try:
        yield
    except OSError as error:
        raise os_failure(path, "written", error) from None


def append_line(path: Path, line: str) -> None:
    """Add a line to a file of lines, which is made where needed: all of the line, or nothing.

    Raises InputError if it cannot be written: MachineError if the disk is full or fails.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            add_whole(file, line.encode() + b"\n")


def add_whole(file: io.FileIO, content: bytes) -> None:
    """Write at the end of an unbuffered file and wait for the disk; a failure leaves no part.

    Raises OSError.
    """
    end = file.seek(0, os.SEEK_END)
    try:
        written = 0
        while written < len(content):
            written += file.write(content[written:])
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            file.truncate(end)
        raise


def not_an_input(out: Path | None, inputs: Iterable[Path | None]) -> None:
    """Check, before anything is read, that writing `out` overwrites none of the inputs.

    Two names of one file (a link, another spelling of its path) are that one file. None stands for
    an option that was not given.

    Raises InputError if `out` is one of the inputs.
    """
    if out is None:
        return
    for path in inputs:
        if path is not None and is_same_file(out, path):
            raise InputError(f"{out}: is an input and would be overwritten; name another file.")


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths name one file, there or yet to be written."""
    with suppress(OSError):
        return one.samefile(other)
    return os.path.abspath(one) == os.path.abspath(other)  # noqa: PTH100 - resolve() may fail
