"""Write tables of items as files that `annotation.items.read` reads."""

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pandas as pd

from annotation.errors import InputError
from annotation.files import SUFFIXES, TableRow
from annotation.items.answers import AnswersError, read_answers
from annotation.items.choices import LabelledChoices
from annotation.items.validate import validate_items
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import whole_file


def write_table(
    items: pd.DataFrame, path: Path, texts: Mapping[str, Sequence[str | None]] | None = None
) -> None:
    """Write items, answered or not, as `.jsonl`, `.parquet` or `.csv`, whole or not at all.

    In a CSV file choices are a JSON list. The answer is the text of the gold choice there,
    elsewhere its index from 0; where that could be read in another way, too, it is written so that
    it cannot. Empty texts and unknown numbers are empty. `texts` are further columns, (items,)
    each, that are no measures.

    Raises InputError if the suffix is another, the table is not valid or cannot be written.
    """
    check_table_path(path)
    items = validate_items(items, f"items for {path}", require_answers=False)
    rows: list[TableRow] = [
        {str(name): known(value) for name, value in row.items()} for row in items.to_dict("records")
    ]
    answers = _written_answers(rows, path.suffix.lower() == ".csv")
    for number, row in enumerate(rows):
        row["answer"] = answers[number]
        row |= {name: values[number] for name, values in (texts or {}).items()}
    write_rows(rows, path)


def _written_answers(rows: Sequence[TableRow], is_csv: bool) -> list[object]:
    """The answers in the first form that is read back as they are; None where there is none."""
    options = [LabelledChoices(tuple(text.strip() for text in row["choices"])) for row in rows]
    places = [None if row["answer"] is None else int(row["answer"]) for row in rows]

    def in_form(form: Callable[[int, LabelledChoices], object]) -> list[object]:
        pairs = zip(places, options, strict=True)
        return [None if place is None else form(place, own) for place, own in pairs]

    usual = [lambda place, _: place, lambda place, own: own.texts[place]]
    forms = [*(reversed(usual) if is_csv else usual), _letter, _letter_and_text]
    for form in forms:
        answers = in_form(form)
        with suppress(AnswersError):
            if read_answers(answers, options).places == places:
                return answers
    return in_form(forms[0])


def _letter(place: int, _options: LabelledChoices) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else str(place)


def _letter_and_text(place: int, options: LabelledChoices) -> str:
    return f"{_letter(place, options)}) {options.texts[place]}"


def write_rows(rows: Sequence[TableRow], path: Path) -> None:
    """Write rows as they are, whole or not at all; lists and the like are JSON in a CSV file.

    Texts that a spreadsheet would run get an apostrophe there, see `annotation.spreadsheet_cells`.

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


def _write_jsonl(rows: Sequence[TableRow], unfinished: Path, _path: Path) -> None:
    # Half a surrogate pair, which no file can hold, becomes its escape, as JSON writes it.
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_csv(rows: Sequence[TableRow], unfinished: Path, _path: Path) -> None:
    names = _names(rows)
    with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(guarded_row(names))
        writer.writerows(guarded_row(_cell(row.get(name)) for name in names) for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else value


def _write_parquet(rows: Sequence[TableRow], unfinished: Path, path: Path) -> None:
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


def _names(rows: Sequence[TableRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))
