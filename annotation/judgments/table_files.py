"""Read and write judgment tables as CSV and Parquet: columns as they stand in the file."""

import codecs
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from annotation.csv_headers import check_separator
from annotation.errors import InputError, short
from annotation.file_limits import read_parquet_table
from annotation.files import readable
from annotation.items.identifiers import LOST_DIGITS
from annotation.judgments.rejections import CheckedJudgments, Rejection
from annotation.judgments.schema import COLUMNS, SUFFIXES, TEXT_COLUMNS, check_columns, header_name
from annotation.judgments.table import check_judgments, validate_judgments
from annotation.packed_files import open_text
from annotation.spreadsheet_cells import guarded_column, plain_column
from annotation.whole_files import whole_file

_PARSING = {"newlines_in_values": True}
_BLOCK = 1 << 22  # bytes; a row should fit into it


def read_csv(path: Path) -> tuple[pd.DataFrame, list[Rejection]]:
    """The columns of a judgment table in a CSV file, as texts; rows of another length rejected.

    The index of the table counts all rows of the file from 1, rejected ones too.

    Raises InputError if it is not CSV, or a column is missing or occurs twice.
    """
    header = _header(path)
    check_separator(header, path)
    names = [str(header_name(name)) for name in header]
    check_columns(names, str(path))
    ragged: list[Rejection] = []

    def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow has no public type
        # The header is row 1 of the file and no row of the table.
        number = (row.number or 1) - 1
        problem = f"has {row.actual_columns} values, the header has {row.expected_columns}."
        ragged.append(Rejection(str(path), number, names[0], short(row.text), problem))
        return "skip"

    try:
        # One thread, so that rows keep their numbers.
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=pa_csv.ParseOptions(**_PARSING, invalid_row_handler=skip),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                include_columns=[name for name in header if header_name(name) in COLUMNS],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _not_csv(path, error) from None
    frame = _frame(table, path, is_csv=True)
    numbers = np.arange(1, len(frame) + len(ragged) + 1)
    left_out = [rejection.row for rejection in ragged]
    return frame.set_axis(np.delete(numbers, np.array(left_out, dtype=np.int64) - 1)), ragged


def _header(path: Path) -> list[str]:
    """The cells of the first line that is not blank.

    Arrow would read on in the background, and one that is left so may abort the process.
    """
    try:
        with open_text(path, newline="") as file:
            rows = csv.reader(iter(lambda: file.readline(_BLOCK), ""))
            header = next((row for row in rows if row), None)
    except (csv.Error, OSError, ValueError) as error:
        raise _not_csv(path, error) from None
    if header is None:
        raise InputError(f"{path}: is not CSV: it has no line.")
    return header


def read_parquet(path: Path) -> pd.DataFrame:
    """The columns of a judgment table in a Parquet file.

    Raises InputError if it is not Parquet, cannot be turned into a table, or a column is missing
    or occurs twice.
    """
    try:
        with path.open("rb") as file:
            names = pq.read_schema(file).names
        check_columns([header_name(name) for name in names], str(path))
        known = [name for name in names if header_name(name) in COLUMNS]
        table = read_parquet_table(path, known)
    except (pa.ArrowException, OSError, ValueError) as error:
        told = InputError | FileNotFoundError | PermissionError | IsADirectoryError
        if isinstance(error, told):
            raise
        raise _not(path, "a Parquet file", error) from None
    return _frame(table, path)


def _frame(table: pa.Table, path: Path, is_csv: bool = False) -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name in table.column_names:
        try:
            values = table.column(name)
            columns[str(header_name(name))] = _column(plain_column(values) if is_csv else values)
        except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
            raise _not(path, f"a judgment table (column '{name}')", error) from None
    return pd.DataFrame(columns, copy=False)


def _column(values: pa.ChunkedArray) -> object:
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        # One object per distinct text, not one per row.
        encoded = values.combine_chunks().dictionary_encode()
        distinct = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
        # Named an object: pandas would otherwise make strings of its own of a million texts.
        return pd.Series(distinct[encoded.indices.fill_null(-1).to_numpy()], dtype=object)
    return values.to_pandas(types_mapper=None)


def write_csv(judgments: pd.DataFrame, path: Path) -> None:
    """Write a valid judgment table as CSV, times in ISO 8601; a spreadsheet runs no cell of it."""
    pa_csv.write_csv(
        _arrow(judgments, for_csv=True), path, pa_csv.WriteOptions(quoting_style="all_valid")
    )


def write_parquet(judgments: pd.DataFrame, path: Path) -> None:
    """Write a valid judgment table as Parquet."""
    pq.write_table(_arrow(judgments, for_csv=False), path)


def _arrow(judgments: pd.DataFrame, for_csv: bool) -> pa.Table:
    arrays: dict[str, pa.Array] = {}
    for name in COLUMNS:
        series = judgments[name]
        if name in TEXT_COLUMNS:
            arrays[name] = pa.array(series, type=pa.string(), from_pandas=True)
            if for_csv:
                arrays[name] = guarded_column(arrays[name])
        elif name in ("created_at", "updated_at"):
            arrays[name] = pa.array(series, type=pa.timestamp("us", tz="UTC"), from_pandas=True)
            if for_csv:
                arrays[name] = arrays[name].cast(pa.string())
        else:
            arrays[name] = pa.array(series, from_pandas=True)
    return pa.table(arrays)


def _not_csv(path: Path, error: BaseException) -> InputError:
    with path.open("rb") as file:
        is_wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    is_other = isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)
    if is_wide or is_other:
        return InputError(
            f"{path}: is not UTF-8 text; save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
        )
    return _not(path, "CSV", error)


def _not(path: Path, kind: str, error: BaseException) -> InputError:
    reason = str(error).partition("\n")[0].rstrip(".")
    return InputError(f"{path}: is not {kind}: {reason}.")


def read_judgments(path: str | Path) -> pd.DataFrame:
    """Read a judgment table from `.csv` or `.parquet` and validate it.

    Raises InputError if the file is absent, unreadable, malformed, or a row is wrong, see
    `validate_judgments`.
    """
    return check_judgment_file(path).required()


def check_judgment_file(path: str | Path) -> CheckedJudgments:
    """Like `read_judgments`, but rows that are wrong are left out and named.

    Raises InputError if the file is absent, unreadable or malformed, a column is missing, or
    identifiers lost digits: rows that are left can be wrong ones.
    """
    path = Path(path)
    _require_suffix(path)
    with readable(path):
        if path.suffix.lower() == ".parquet":
            return _with_whole_identifiers(check_judgments(read_parquet(path), where=str(path)))
        path.open("rb").close()  # for the reason why it cannot be read
        frame, ragged = read_csv(path)
    checked = check_judgments(frame, where=str(path))
    number = frame.index.to_numpy()  # of every row in the file, lines of another length counted
    rejected = [replace(each, row=int(number[each.row - 1])) for each in checked.rejected]
    by_row = sorted([*ragged, *rejected], key=lambda each: each.row)
    notes = [replace(each, row=int(number[each.row - 1])) for each in checked.notes]
    found = CheckedJudgments(checked.judgments, tuple(by_row), tuple(notes))
    return _with_whole_identifiers(found)


def _with_whole_identifiers(checked: CheckedJudgments) -> CheckedJudgments:
    for each in checked.rejected:
        if each.problem.endswith(LOST_DIGITS):
            raise InputError(str(each))
    return checked


def write_judgments(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a judgment table as `.csv` or `.parquet`, whole or not at all.

    `read_judgments` gives back the same table. The file, which names people, is readable by its
    owner alone.

    Raises InputError if the suffix is another, the table is not valid or cannot be written.
    """
    path = Path(path)
    _require_suffix(path)
    judgments = validate_judgments(frame, where=f"judgments for {path}")
    with whole_file(path, private=True) as unfinished:
        if path.suffix.lower() == ".parquet":
            write_parquet(judgments, unfinished)
        else:
            write_csv(judgments, unfinished)


def _require_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: a judgment table is kept as .csv or .parquet; name it so.")
