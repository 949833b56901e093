"""From rows of a table to the columns of an item table, under a column mapping."""

import math
import numbers
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn

import pandas as pd

from annotation.errors import InputError
from annotation.files import Record
from annotation.items import COLUMNS
from annotation.sources.choices import Options, choice_text, read_options, resolve_answers

_UNKNOWN_NUMBERS = ("", "na", "n/a", "nan", "null", "none")


class TableReader:
    """Reads records under a column mapping into the columns of an item table.

    Parameters
    ----------
    records : the rows
    where : their file or hub id, for the messages
    columns : name in the item table -> name in the data
    is_csv : all values are texts, numbers too
    require_answers : whether a column answer, or answer_text, has to be there

    Raises InputError if there are no rows.
    """

    def __init__(
        self,
        records: Sequence[Record],
        where: str,
        columns: Mapping[str, str],
        is_csv: bool,
        require_answers: bool = True,
    ) -> None:
        self.records = records
        self.where = where
        self.mapping = columns
        self.is_csv = is_csv
        self.require_answers = require_answers
        self.there = list(dict.fromkeys(name for record in records for name in record))
        if not records:
            raise InputError(f"{where}: the table has no rows.")

    def items(self, fixed_choices: list[str] | None) -> pd.DataFrame:
        """The columns of an item table, not validated; `fixed_choices` are those of all items.

        Raises InputError if a column is missing, or a value cannot be read, with its row.
        """
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
            options = self._options(optional=answer_texts is not None or not self.require_answers)
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
            free_form = optional and not any(option.texts for option in options)
            if free_form or not self.require_answers:
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
