"""Write tables of items as files that `tabular` reads."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from annotation.errors import InputError
from annotation.files import SUFFIXES, Record, read_records, whole_file
from annotation.items.table import TEXT_COLUMNS, is_missing, records_to_frame
from annotation.items.validate import validate_items


def write_table(
    items: pd.DataFrame, path: Path, texts: Mapping[str, Sequence[str | None]] | None = None
) -> None:
    """Write items, answered or not, as `.jsonl`, `.parquet` or `.csv`, whole or not at all.

    In a CSV file choices are a JSON list and the answer is the text of the gold choice. Empty texts
    and unknown numbers are empty. `texts` are further columns, (items,) each, that are no measures.

    Raises InputError if the suffix is another, the table is not valid or cannot be written.
    """
    check_table_path(path)
    items = validate_items(items, f"items for {path}", require_answers=False)
    rows: list[Record] = [
        {str(name): known(value) for name, value in row.items()} for row in items.to_dict("records")
    ]
    for number, row in enumerate(rows):
        if path.suffix.lower() == ".csv" and row["answer"] is not None:
            row["answer"] = row["choices"][int(row["answer"])]
        row |= {name: values[number] for name, values in (texts or {}).items()}
    write_rows(rows, path)


def write_rows(rows: Sequence[Record], path: Path) -> None:
    """Write rows as they are, whole or not at all; lists and the like are JSON in a CSV file.

    Raises InputError if the suffix is not `.jsonl`, `.csv` or `.parquet`, or the file cannot be
    written.
    """
    check_table_path(path)
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
    with whole_file(path) as unfinished:
        writers[path.suffix.lower()](rows, unfinished, path)


def check_table_path(path: Path) -> None:
    """Raise InputError if a table cannot be written under such a name."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: items are written as {', '.join(SUFFIXES)}; name it so.")


def known(value: object) -> object:
    """The value; None for NaN and <NA>."""
    is_nan = isinstance(value, float) and math.isnan(value)
    return None if is_nan or value is pd.NA else value


def _write_jsonl(rows: Sequence[Record], unfinished: Path, _path: Path) -> None:
    # Half a surrogate pair, which no file can hold, becomes its escape, as JSON writes it.
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_csv(rows: Sequence[Record], unfinished: Path, _path: Path) -> None:
    names = _names(rows)
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([_cell(row.get(name)) for name in names] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else value


def _write_parquet(rows: Sequence[Record], unfinished: Path, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {}
    for name in _names(rows):
        try:
            columns[name] = pa.array([row.get(name) for row in rows])
        except (pa.ArrowException, TypeError, ValueError):
            raise InputError(
                f"{path}: column '{name}' has values of several kinds, which Parquet does not "
                "take; write a .jsonl file."
            ) from None
    pq.write_table(pa.table(columns), unfinished)


def _names(rows: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def read_items(path: str | Path) -> pd.DataFrame:
    """Read an item table that `write_items` wrote (`.jsonl` or `.parquet`) and validate it.

    Other layouts are read by `annotation.items.read`.

    Raises InputError if the file is absent, unreadable, malformed, or no item table.
    """
    path = Path(path)
    _require_item_suffix(path)
    return validate_items(records_to_frame(read_records(path)), where=str(path))


def write_items(items: pd.DataFrame, path: str | Path, require_answers: bool = True) -> None:
    """Write an item table as `.jsonl` or `.parquet`, whole or not at all.

    `read_items` gives back the same table, `annotation.items.read.load_unanswered` one
    whose answers were not required (see `validate_items`).

    Raises InputError if the suffix is another, the table is not valid or cannot be written.
    """
    path = Path(path)
    _require_item_suffix(path)
    items = validate_items(items, f"items for {path}", require_answers=require_answers)
    with whole_file(path) as unfinished:
        if path.suffix.lower() == ".jsonl":
            _write_item_jsonl(items, unfinished)
        else:
            _write_item_parquet(items, unfinished)


def _require_item_suffix(path: Path) -> None:
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: an item table is kept as .jsonl or .parquet; name it so.")


def _plain_columns(items: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns as lists of plain Python values; missing is None."""
    return {
        name: [None if is_missing(value) else value for value in items[name].tolist()]
        for name in items.columns
    }


def _write_item_jsonl(items: pd.DataFrame, path: Path) -> None:
    columns = _plain_columns(items)
    with path.open("w", encoding="utf-8") as file:
        for row in zip(*columns.values(), strict=True):
            record = dict(zip(columns, row, strict=True))
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _write_item_parquet(items: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = dict.fromkeys(TEXT_COLUMNS, pa.string())
    types |= {"choices": pa.list_(pa.string()), "answer": pa.int64()}
    columns = _plain_columns(items)
    table = pa.table(
        {
            name: pa.array(values, type=types.get(name, pa.float64()))
            for name, values in columns.items()
        }
    )
    pq.write_table(table, path)
