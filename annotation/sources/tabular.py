"""`tabular`: the user's own items, from a JSONL, CSV or Parquet file or a hub data set."""

import math
import numbers
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pandas as pd

from annotation.errors import InputError
from annotation.files import Record, read_records
from annotation.items import COLUMNS, validate_items
from annotation.sources.choices import Options, choice_text, read_options, resolve_answers

_UNKNOWN_NUMBERS = ("", "na", "n/a", "nan", "null", "none")


def load_tabular(
    path: str | None = None,
    hub_id: str | None = None,
    split: str | None = None,
    config: str | None = None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
) -> pd.DataFrame:
    """Load an item table from a file or from the hub.

    How the columns are read:

    - item_id: numbers become texts. Without it, items are "row-000001", "row-000002", ...
    - choices: a list; a dict {"text": [...], "label": [...]}; a text that is JSON of either, or
      separated by "|"; or several columns, mapped as "a,b,c,d", whose names are then the labels
      (empty ones at the end are left out). Surrounding spaces are taken off.
    - answer: the exact text of a choice; else a label of one; else a letter (A is the first
      choice); else an index from 0. The first of these that fits the whole column is taken; see
      `annotation.sources.choices.resolve_answers`.
    - answer_text, group, reasoning: texts; empty is absent.
    - every other column that is numeric is a hardness measure under its own name; an empty value
      or NA is unknown. Others are left out unless mapped.

    Parameters
    ----------
    path
        A file; its suffix is .jsonl, .csv or .parquet. Either this or `hub_id`.
    hub_id
        A data set on the hub, read with the `datasets` library.
    split, config
        Split and configuration on the hub. `split` may be left out if there is only one.
    columns
        Name in the item table -> name in the data, for the columns above and for measures.
        Columns that are not mapped keep their names.
    choices
        The choices of all items, where the data have no column for them (a column `choices` of
        the data is then not read).

    Raises
    ------
    InputError
        If neither or both of `path` and `hub_id` are given; the file is absent, unreadable,
        malformed or of an unknown kind; the hub cannot be reached; a column is missing; an answer
        matches no choice; or the table is not valid, see `annotation.items.validate_items`.
    """
    if (path is None) == (hub_id is None):
        raise InputError("tabular: give either 'path' (a file) or 'hub_id' (a hub data set).")
    if path is not None:
        if split is not None or config is not None:
            raise InputError("tabular: 'split' and 'config' go with 'hub_id', not with 'path'.")
        records, where = read_records(Path(path)), path
    else:
        assert hub_id is not None
        records, where = _hub_records(hub_id, config, split), hub_id
    reader = _Reader(
        records, where, columns or {}, path is not None and Path(path).suffix.lower() == ".csv"
    )
    return validate_items(reader.items(choices), where=where)


def _hub_records(hub_id: str, config: str | None, split: str | None) -> list[Record]:
    from annotation.sources.hub import hub_splits

    splits = hub_splits(hub_id, config, split)
    if len(splits) > 1:
        raise InputError(
            f"hub data set '{hub_id}' has the splits {', '.join(splits)}; name one as 'split' "
            f"(or several: '{'+'.join(splits)}')."
        )
    return next(iter(splits.values()))


class _Reader:
    """Reads records under a column mapping into the columns of an item table."""

    def __init__(
        self, records: Sequence[Record], where: str, columns: Mapping[str, str], is_csv: bool
    ) -> None:
        self.records = records
        self.where = where
        self.mapping = columns
        self.is_csv = is_csv  # all values are texts, numbers too
        self.there = list(dict.fromkeys(name for record in records for name in record))
        if not records:
            raise InputError(f"{where}: the table has no rows.")

    def items(self, fixed_choices: list[str] | None) -> pd.DataFrame:
        if fixed_choices is not None and "choices" in self.mapping:
            raise InputError(
                f"{self.where}: give the choices once: as 'choices' or in the column mapping."
            )
        table: dict[str, Sequence[object]] = {
            "item_id": self._texts("item_id")
            or [f"row-{number:06d}" for number in range(1, len(self.records) + 1)],
            "question": self._values("question"),
        }
        answer_texts = self._texts("answer_text")
        if fixed_choices is not None:
            fixed = Options(tuple(choice_text(choice) for choice in fixed_choices))
            options = [fixed] * len(self.records)
        else:
            options = self._options(optional=answer_texts is not None)
        table["choices"] = [list(option.texts) for option in options]
        table["answer"] = self._answers(options, optional=answer_texts is not None)
        for name, texts in (
            ("answer_text", answer_texts),
            ("group", self._texts("group")),
            ("reasoning", self._texts("reasoning")),
        ):
            if texts is not None:
                table[name] = texts
        table |= self._measures()
        return pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in table.items()})

    def _fail(self, row: int, column: str, problem: str) -> NoReturn:
        raise InputError(f"{self.where}: row {row + 1}, column '{column}': {problem}.")

    def _missing(self, column: str, name: str) -> NoReturn:
        mapped = f" (mapped as {name})" if column != name else ""
        raise InputError(
            f"{self.where}: column '{column}'{mapped} is missing; the columns are: "
            f"{', '.join(self.there)}. Map others by 'columns', as {name} = \"...\"."
        )

    def _column(self, name: str) -> str | None:
        """The column of the data that holds `name`; None if there is none and none was asked."""
        column = self.mapping.get(name, name)
        if name not in self.mapping and column in self.mapping.values():
            return None  # it was mapped to something else
        if column in self.there:
            return column
        if name in self.mapping:
            self._missing(column, name)
        return None

    def _values(self, name: str) -> list[object]:
        column = self._column(name)
        if column is None:
            self._missing(name, name)
        return [record.get(column) for record in self.records]

    def _texts(self, name: str) -> list[object] | None:
        column = self._column(name)
        if column is None:
            return None
        return [_text(record.get(column)) for record in self.records]

    def _choice_columns(self) -> list[str]:
        """The column that holds the choices, or the several that hold one each; [] for none."""
        column = self.mapping.get("choices", "choices")
        if "choices" not in self.mapping or column in self.there:
            known = self._column("choices")
            return [] if known is None else [known]
        several = [part.strip() for part in column.split(",")]
        for part in several:
            if part not in self.there:
                self._missing(part, "choices")
        return several

    def _options(self, optional: bool) -> list[Options]:
        columns = self._choice_columns()
        if len(columns) > 1:
            return [_options_of_columns(record, columns) for record in self.records]
        if not columns:
            if optional:
                return [Options(())] * len(self.records)
            self._missing("choices", "choices")
        options = []
        for row, record in enumerate(self.records):
            try:
                options.append(read_options(record.get(columns[0])))
            except ValueError as error:
                self._fail(row, columns[0], str(error))
        return options

    def _answers(self, options: Sequence[Options], optional: bool) -> list[int | None]:
        column = self._column("answer")
        if column is None:
            if optional and not any(option.texts for option in options):
                return [None] * len(self.records)
            self._missing("answer", "answer")
        answers, problem = resolve_answers([r.get(column) for r in self.records], options)
        if problem:
            row, what = problem
            hint = "" if options[row].texts else "; map a free-form answer as answer_text"
            self._fail(row, column, what + hint)
        return answers

    def _measures(self) -> dict[str, list[object]]:
        used = {*self.mapping.values(), *self._choice_columns(), *COLUMNS}
        table: dict[str, list[object]] = {}
        for name in self.mapping:
            if name not in COLUMNS:
                table[name] = self._mapped_measure(name)
        for name in self.there:
            if name in used or name in table or not name.strip():  # no name: a row number
                continue
            values = [record.get(name) for record in self.records]
            if self._is_numeric(values):
                table[name] = [_number(value) for value in values]
        return table

    def _mapped_measure(self, name: str) -> list[object]:
        numbers_: list[object] = []
        for row, value in enumerate(self._values(name)):
            number = _number(value)
            if number is None:
                self._fail(
                    row,
                    self.mapping[name],
                    f"the hardness measure {name} should be a number; got {value!r:.60}",
                )
            numbers_.append(number)
        return numbers_

    def _is_numeric(self, values: Sequence[object]) -> bool:
        """Whether a column that nobody mapped is a measure: numbers, at least one of them known."""
        if any(
            isinstance(value, bool) or (isinstance(value, str) and not self.is_csv)
            for value in values
        ):
            return False
        read = [_number(value) for value in values]
        return None not in read and any(number == number for number in read)  # NaN is unknown


def _options_of_columns(record: Record, columns: Sequence[str]) -> Options:
    texts = [choice_text(record.get(column)) for column in columns]
    while texts and texts[-1] in (None, ""):
        texts.pop()
    return Options(tuple(texts), tuple(columns[: len(texts)]))


def _text(value: object) -> object:
    """A number as text, an empty text as None; anything else is left for validation."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value != value else str(value)
    return None if isinstance(value, str) and not value.strip() else value


def _number(value: object) -> float | None:
    """A value as a number, NaN where it is unknown; None if it is no number."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        if value.strip().lower() in _UNKNOWN_NUMBERS:
            return math.nan
        if "_" in value:  # Python would read 1_000
            return None
    elif not isinstance(value, numbers.Real | Decimal):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:
        return math.inf  # refused, with its row, by validation
