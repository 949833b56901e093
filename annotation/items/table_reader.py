"""From rows of a table to the columns of an item table, under a column mapping."""

from collections.abc import Mapping, Sequence
from typing import Literal, NoReturn

import pandas as pd

from annotation.csv_headers import column_name
from annotation.errors import InputError, short
from annotation.files import TableRow
from annotation.items.answer_forms import UNKNOWN, AnswerReading
from annotation.items.answers import AnswersError, read_answers
from annotation.items.choices import LabelledChoices, choice_text, choices_in
from annotation.items.numbers_as_text import whole_number
from annotation.items.numeric_columns import (
    NoNumber,
    comma_remedy,
    first_no_number,
    is_measure,
    is_row_number,
    number_in,
)
from annotation.items.table import COLUMNS

_UNNAMED = "row-{:06d}"  # an item of a table without identifiers, by its place from 1
FIRST_UNNAMED = _UNNAMED.format(1)
# How a user says which column is which: `columns` of a configuration, --column, or not at all.
MappedBy = Literal["configuration", "option", "nothing"]


class TableReader:
    """Reads records under a column mapping into the columns of an item table.

    Parameters
    ----------
    records : the rows
    where : their file or hub id, for the messages
    columns : name in the item table -> name in the data
    is_csv : all values are texts, numbers too
    require_answers : whether a column answer, or answer_text, has to be there
    mapped_by : how messages tell the user to map a column
    answers : how the answers are to be read, where the user says it

    After `items`, `no_numbers` holds the columns that were left out as they are no numbers, and
    `remarks` says how the answers were read.

    Raises InputError if there are no rows.
    """

    def __init__(
        self,
        records: Sequence[TableRow],
        where: str,
        columns: Mapping[str, str],
        is_csv: bool,
        require_answers: bool = True,
        mapped_by: MappedBy = "configuration",
        answers: AnswerReading | None = None,
    ) -> None:
        self.records = records
        self.where = where
        self.is_csv = is_csv
        self.require_answers = require_answers
        self.mapped_by = mapped_by
        self.answers = answers
        self.no_numbers: dict[str, NoNumber] = {}
        self.remarks: list[str] = []
        self.there = list(dict.fromkeys(name for record in records for name in record))
        self.mapping = {name: self._in_file(column) for name, column in columns.items()}
        if not records:
            raise InputError(f"{where}: the table has no rows.")
        for name in self.there:
            self._check_name(name)

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
            or [_UNNAMED.format(number) for number in range(1, len(self.records) + 1)],
            "question": self._values("question"),
        }
        answer_texts = self._texts("answer_text")
        if fixed_choices is not None:
            fixed = LabelledChoices(tuple(choice_text(choice) for choice in fixed_choices))
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

    def _check_name(self, column: str) -> None:
        """JSON can say half a character, which no file could hold."""
        try:
            column.encode()
        except UnicodeEncodeError as error:
            row = next(n for n, record in enumerate(self.records, 1) if column in record)
            raise InputError(
                f"{self.where}: row {row}: the name of column {short(column)} has a broken "
                f"character at position {error.start}."
            ) from None

    def _fail(self, row: int, column: str, problem: str) -> NoReturn:
        raise InputError(f"{self.where}: row {row + 1}, column '{column}': {problem}.")

    def _missing(self, column: str, name: str) -> NoReturn:
        mapped = f" (mapped as {name})" if column != name else ""
        raise InputError(
            f"{self.where}: column '{column}'{mapped} is missing; the columns are: "
            f"{', '.join(self.there)}. {self._how_to_map(name)}"
        )

    def _how_to_map(self, name: str) -> str:
        if self.mapped_by == "configuration":
            return f"Map others by 'columns', as {name} = \"...\"."
        if self.mapped_by == "option":
            return f"Name the one that holds it: --column {name}=COLUMN."
        return f"Rename the one that holds it to '{name}'."

    def _in_file(self, column: str) -> str:
        """A column as the file calls it, be it with outer blanks; unchanged if it is not there."""
        if column in self.there:
            return column
        name = column_name(column)
        return next((known for known in self.there if column_name(known) == name), column)

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
        several = [self._in_file(part.strip()) for part in column.split(",")]
        for part in several:
            if part not in self.there:
                self._missing(part, "choices")
        return several

    def _options(self, optional: bool) -> list[LabelledChoices]:
        columns = self._choice_columns()
        if len(columns) > 1:
            return [_options_of_columns(record, columns) for record in self.records]
        if not columns:
            if optional:
                return [LabelledChoices(())] * len(self.records)
            self._missing("choices", "choices")
        options = []
        for row, record in enumerate(self.records):
            try:
                options.append(choices_in(record.get(columns[0])))
            except ValueError as error:
                self._fail(row, columns[0], str(error))
        return options

    def _answers(self, options: Sequence[LabelledChoices], optional: bool) -> list[int | None]:
        column = self._column("answer")
        if column is None:
            free_form = optional and not any(option.texts for option in options)
            if free_form or not self.require_answers:
                return [None] * len(self.records)
            self._missing("answer", "answer")
        try:
            found = read_answers([r.get(column) for r in self.records], options, self.answers)
        except AnswersError as error:
            known = options[error.row].texts
            self._fail(
                error.row,
                column,
                f"{error}{self._how_to_read(error.options)}"
                + ("" if known else self._without_choices()),
            )
        if self.require_answers:
            self._all_answered(found.places, options, column)
        if found.reading:
            self.remarks.append(f"answers are read as {found.reading} (column '{column}').")
        if found.unknown:
            rows = f"{found.unknown:,} row{'s' if found.unknown > 1 else ''}"
            self.remarks.append(f"{rows} with the answer -1 count as not answered.")
        return found.places

    def _all_answered(
        self, places: Sequence[int | None], options: Sequence[LabelledChoices], column: str
    ) -> None:
        """Raise InputError on the first row that has choices and no answer, as the file has it."""
        absent = [
            row
            for row, (place, option) in enumerate(zip(places, options, strict=True))
            if place is None and option.texts
        ]
        if not absent:
            return
        value = self.records[absent[0]].get(column)
        written = f" ({UNKNOWN})" if whole_number(value) == UNKNOWN else ""
        others = ""
        if len(absent) > 1:
            others = f"; {len(absent) - 1:,} more row{'s have' if len(absent) > 2 else ' has'} none"
        raise InputError(
            f"{self.where}: row {absent[0] + 1} has no answer{written} in column '{column}'"
            f"{others}; fill in the right choice, or leave such rows out."
        )

    def _how_to_read(self, readings: Sequence[AnswerReading]) -> str:
        """How the user says which of these readings is meant; "" for none."""
        if not readings:
            return ""
        if self.mapped_by == "configuration":
            ways = " or ".join(f'answers = "{name}"' for name in readings)
            return f": {ways} in [items]"
        return ": " + " or ".join(f"--answers {name}" for name in readings)

    def _without_choices(self) -> str:
        """What to do about an answer without choices."""
        if self.mapped_by == "option":
            shared = "" if self._choice_columns() else "give the classes by --choices a,b,c, or "
            return f"; {shared}map a free-form answer: --column answer_text=COLUMN"
        shared = "" if self._choice_columns() else "give the classes as 'choices', or "
        return f"; {shared}map a free-form answer as answer_text"

    def _measures(self) -> dict[str, list[object]]:
        used = {*self.mapping.values(), *self._choice_columns(), *COLUMNS}
        table: dict[str, list[object]] = {}
        for name in self.mapping:
            if name not in COLUMNS:
                table[name] = self._mapped_measure(name)
        for name in self.there:
            if name in used or name in table:
                continue
            values = [record.get(name) for record in self.records]
            if is_row_number(name, values):
                continue
            if is_measure(values, self.is_csv):
                table[name] = [number_in(value) for value in values]
            elif (why := first_no_number(values, self.is_csv)) is not None:
                self.no_numbers[name] = why
        return table

    def _mapped_measure(self, name: str) -> list[object]:
        numbers_: list[object] = []
        values = self._values(name)
        for row, value in enumerate(values):
            number = number_in(value)
            if number is None:
                self._fail(
                    row,
                    self.mapping[name],
                    f"the hardness measure {name} should be a number; got {value!r:.60}"
                    + comma_remedy(values, row),
                )
            numbers_.append(number)
        return numbers_


def _options_of_columns(record: TableRow, columns: Sequence[str]) -> LabelledChoices:
    texts = [choice_text(record.get(column)) for column in columns]
    while texts and texts[-1] in (None, ""):
        texts.pop()
    return LabelledChoices(tuple(texts), tuple(columns[: len(texts)]))


def _text(value: object) -> object:
    """A number as text, an empty text as None; anything else is left for validation."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value != value else str(value)
    return None if isinstance(value, str) and not value.strip() else value
