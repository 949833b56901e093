"""Write a user's own table with columns added to it; what was there stays as it was."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from annotation.errors import InputError
from annotation.files import TableRow
from annotation.items.numeric_columns import number_in
from annotation.items.read import UserTable
from annotation.items.table import measures
from annotation.items.write import check_table_path, known, write_rows
from annotation.whole_files import whole_file

Added = Mapping[str, Sequence[object]]  # column -> values, (items,); NaN, None or "": unknown


def check_added_names(table: UserTable, names: Sequence[str]) -> None:
    """See that columns can be added without changing one of the user's.

    A measure that the file brings under its own name may be added again: then what it leaves
    unknown is filled in.

    Raises InputError if the file has a column of such a name that is something else.
    """
    there = {name for record in table.records for name in record}
    for name in names:
        if name in there and not _is_own_measure(table, name):
            raise InputError(
                f"{table.path}: a measure or stratum would be written over its own column "
                f"'{name}'; rename that column."
            )


def write_extended(table: UserTable, added: Added, path: Path) -> None:
    """Write the rows of a file with further columns, as `.jsonl`, `.csv` or `.parquet`.

    Columns and values of the file stay as they are, its order too; a value that is there is never
    replaced. From a CSV file to another kind, measures become numbers. The new file is read as
    the old one was, under the same mapping.

    Raises InputError if a name is taken (`check_added_names`), the suffix is another, or the file
    cannot be written.
    """
    check_table_path(path)
    check_added_names(table, list(added))
    kind = path.suffix.lower()
    if kind == table.path.suffix.lower() == ".parquet":
        _extend_parquet(table, added, path)
        return
    write_rows(_rows(table, added, typed=kind != ".csv"), path)


def _rows(table: UserTable, added: Added, typed: bool) -> list[TableRow]:
    numeric: set[str] = set()
    if typed and table.is_csv:
        numeric = {table.columns.get(name, name) for name in measures(table.items)}
    rows = []
    for number, record in enumerate(table.records):
        row = {
            name: _typed(value) if name in numeric else known(value)
            for name, value in record.items()
        }
        for name, values in added.items():
            new = known(values[number])
            if name not in row or (_is_unknown(row[name]) and new is not None):
                row[name] = new
        rows.append(row)
    return rows


def _is_own_measure(table: UserTable, name: str) -> bool:
    return name in measures(table.items) and table.columns.get(name, name) == name


def _is_unknown(value: object) -> bool:
    number = number_in(value)
    return number is not None and math.isnan(number)


def _typed(text: object) -> object:
    """A number of a CSV file as a number, whole ones without a fraction."""
    number = number_in(text)
    if number is None or math.isnan(number):
        return None
    written = str(text).strip().lstrip("+-")
    return int(str(text)) if written.isascii() and written.isdecimal() else number


def _extend_parquet(table: UserTable, added: Added, path: Path) -> None:
    """Add columns to a Parquet file; the others keep their types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    extended = pq.read_table(table.path)
    for name, values in added.items():
        new = [known(value) for value in values]
        place = extended.schema.get_field_index(name)
        if place < 0:
            kind = pa.string() if any(isinstance(value, str) for value in new) else pa.float64()
            extended = extended.append_column(name, pa.array(new, type=kind))
            continue
        old = extended.column(name).to_pylist()
        if any(_is_unknown(value) for value in old):
            filled = [b if _is_unknown(a) else float(a) for a, b in zip(old, new, strict=True)]
            extended = extended.set_column(place, name, pa.array(filled, type=pa.float64()))
    with whole_file(path) as unfinished:
        pq.write_table(extended, unfinished)
