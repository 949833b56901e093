"""Write an item table as a file that `tabular` reads."""

import csv
import json
from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import SUFFIXES, whole_file
from annotation.items import validate_items, write_items


def write_table(items: pd.DataFrame, path: Path) -> None:
    """Write items, answered or not, as `.jsonl`, `.parquet` or `.csv`, whole or not at all.

    In a CSV file choices are a JSON list and the answer is the text of the gold choice. Empty texts
    and unknown numbers are empty.

    Raises InputError if the suffix is another, the table is not valid or cannot be written.
    """
    check_table_path(path)
    if path.suffix.lower() != ".csv":
        write_items(items, path, require_answers=False)
        return
    items = validate_items(items, f"items for {path}", require_answers=False)
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(items.columns)
        for row in items.to_dict("records"):
            answer = row["answer"]
            row["answer"] = None if pd.isna(answer) else row["choices"][int(answer)]
            row["choices"] = json.dumps(row["choices"], ensure_ascii=False)
            writer.writerow([_cell(value) for value in row.values()])


def check_table_path(path: Path) -> None:
    """Raise InputError if a table cannot be written under such a name."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: items are written as {', '.join(SUFFIXES)}; name it so.")


def _cell(value: object) -> object:
    return "" if value is None or value != value else value
