"""One check of every item table, at the edge."""

import math
import numbers
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from annotation.errors import InputError, short
from annotation.items.table import COLUMNS, is_missing

_NUMBERS = (numbers.Real, Decimal, np.bool_)


def validate_items(
    frame: pd.DataFrame,
    where: str,
    rows: Sequence[str] | None = None,
    require_answers: bool = True,
) -> pd.DataFrame:
    """Check an item table and bring it into its one form.

    Columns of the result, in this order, with a fresh RangeIndex:

    - item_id: str, unique.
    - question: str.
    - choices: list[str]; two or more different ones, or none where the answer is free-form.
    - answer: Int64, index of the gold choice; <NA> where the answer is free-form.
    - answer_text: str or None; the gold answer where it is free-form.
    - group: str; the cluster of the item; its item_id where the input names none.
    - reasoning: str or None.
    - every other column of the input, in its order: a hardness measure as float64, larger is
      harder, NaN where it is unknown.

    Parameters
    ----------
    frame
        The table; it is not changed. `answer` may be absent if `answer_text` is there;
        `answer_text`, `group` and `reasoning` may be absent.
    where
        Where the table comes from (a file, a source), for the messages.
    rows
        What the messages call each row, such as "train row 3", (items,); by default its number.
    require_answers
        False lets through items that nobody has answered yet: with choices and no answer, or with
        neither choices nor answer_text. Nothing can be trained or tested on those.

    Raises
    ------
    InputError
        If the table is empty, lacks a column or has one twice; an item_id or a question is
        empty, or an item_id occurs twice; a multiple-choice item has fewer than two choices, an
        empty or a repeated one, no answer, one out of range, or an answer_text that is another
        choice; an item has neither choices nor answer_text; a measure is not a finite number.
    """
    check = _Checker(frame, where, rows, require_answers)
    check.columns()
    item_ids = check.texts("item_id", required=True)
    check.unique(item_ids)
    questions = check.texts("question", required=True)
    answer_texts = check.texts("answer_text")
    choices = check.choices(answer_texts)
    answers = check.answers(choices, answer_texts)
    groups = check.texts("group")
    reasoning = check.texts("reasoning")
    columns: dict[str, Any] = {
        "item_id": _text_series(item_ids),
        "question": _text_series(questions),
        "choices": pd.Series(choices, dtype=object),
        "answer": pd.Series(answers, dtype="Int64"),
        "answer_text": _text_series(answer_texts),
        "group": _text_series([g or i for g, i in zip(groups, item_ids, strict=True)]),
        "reasoning": _text_series(reasoning),
    }
    for name in frame.columns:
        if name not in COLUMNS:
            columns[name] = check.measure(name)
    return pd.DataFrame(columns)


class _Checker:
    """Checks one column after the other; every complaint names the place."""

    def __init__(
        self, frame: pd.DataFrame, where: str, rows: Sequence[str] | None, require_answers: bool
    ) -> None:
        self.frame = frame
        self.where = where
        self.rows = rows
        self.require_answers = require_answers

    def name(self, row: int) -> str:
        """What a row is called; `row` counts from 0, the name from 1."""
        return f"row {row + 1}" if self.rows is None else self.rows[row]

    def fail(self, row: int, column: str, problem: str) -> NoReturn:
        """Raise an InputError about a value."""
        raise InputError(f"{self.where}: {self.name(row)}, column '{column}': {problem}")

    def columns(self) -> None:
        names = self.frame.columns
        there = ", ".join(str(name) for name in names)
        for name in names:
            if not isinstance(name, str) or not name.strip():
                raise InputError(f"{self.where}: column name {name!r} should be a text.")
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise InputError(f"{self.where}: column '{twice}' occurs twice; keep one.")
        required = ["item_id", "question", "choices"]
        # Free-form items need no index.
        if self.require_answers and "answer_text" not in names:
            required.append("answer")
        for name in required:
            if len(names) and name not in names:
                raise InputError(
                    f"{self.where}: column '{name}' is missing; the columns are: {there}."
                )
        if self.frame.empty:
            raise InputError(f"{self.where}: the table has no items.")

    def texts(self, column: str, required: bool = False) -> list[str | None]:
        if column not in self.frame.columns:
            return [None] * len(self.frame)
        texts: list[str | None] = []
        for row, value in enumerate(self.frame[column].tolist()):
            if isinstance(value, str):
                texts.append(self._unicode(row, column, value))
                if required and not value.strip():
                    self.fail(row, column, "is empty.")
            elif not is_missing(value):
                self.fail(row, column, f"should be a text; got {short(value)}.")
            elif required:
                self.fail(row, column, "is empty.")
            else:
                texts.append(None)
        return texts

    def _unicode(self, row: int, column: str, value: str) -> str:
        if value.isascii():
            return str(value)
        try:
            value.encode()
        except UnicodeEncodeError as error:  # half a surrogate pair: no file could hold it
            self.fail(row, column, f"has a broken character at position {error.start}.")
        return str(value)

    def unique(self, item_ids: Sequence[str | None]) -> None:
        first: dict[str | None, int] = {}
        for row, item_id in enumerate(item_ids):
            if first.setdefault(item_id, row) != row:
                self.fail(
                    row,
                    "item_id",
                    f"{short(item_id)} occurs already in {self.name(first[item_id])}; "
                    "every item needs its own.",
                )

    def choices(self, answer_texts: Sequence[str | None]) -> list[list[str]]:
        table: list[list[str]] = []
        for row, value in enumerate(self.frame["choices"].tolist()):
            if isinstance(value, list) and _are_sound(value):
                choices = value.copy()
            elif isinstance(value, list | tuple | np.ndarray):
                choices = [self._choice(row, choice) for choice in value]
            elif is_missing(value):
                choices = []
            else:
                self.fail(row, "choices", f"should be a list of texts; got {short(value)}.")
            if not choices and answer_texts[row] is None and self.require_answers:
                self.fail(row, "choices", "is empty, and there is no answer_text either.")
            if len(choices) == 1:
                self.fail(row, "choices", f"has one choice only, {short(choices[0])}; give two.")
            bare = [choice.strip() for choice in choices]
            if len(set(bare)) < len(bare):
                twice = next(choice for choice in bare if bare.count(choice) > 1)
                self.fail(row, "choices", f"{short(twice)} occurs twice.")
            table.append(choices)
        return table

    def _choice(self, row: int, choice: object) -> str:
        if not isinstance(choice, str):
            self.fail(row, "choices", f"every choice should be a text; got {short(choice)}.")
        if not choice.strip():
            self.fail(row, "choices", "has a choice with no text.")
        return self._unicode(row, "choices", choice)

    def answers(
        self, choices: Sequence[Sequence[str]], answer_texts: Sequence[str | None]
    ) -> list[int | None]:
        absent = "answer" not in self.frame.columns
        values = [None] * len(self.frame) if absent else self.frame["answer"].tolist()
        answers: list[int | None] = []
        for row, value in enumerate(values):
            count = len(choices[row])
            if is_missing(value):
                if count and self.require_answers:
                    self.fail(row, "answer", "is missing; give the index of the gold choice.")
                answers.append(None)
                continue
            if not count:
                self.fail(row, "answer", f"is {short(value)}, but the item has no choices.")
            index = _as_index(value)
            if index is None:
                self.fail(
                    row, "answer", f"should be the index of the gold choice; got {short(value)}."
                )
            if not 0 <= index < count:
                self.fail(
                    row,
                    "answer",
                    f"{index} is out of range; the item has {count} choices (0-{count - 1}).",
                )
            gold, text = choices[row][index], answer_texts[row]
            if text is not None and text.strip() != gold.strip():
                self.fail(
                    row, "answer_text", f"{short(text)} is not the gold choice {short(gold)}."
                )
            answers.append(index)
        return answers

    def measure(self, column: str) -> pd.Series:
        values = self.frame[column].tolist()
        floats = np.empty(len(values), dtype=np.float64)
        for row, value in enumerate(values):
            if is_missing(value):
                floats[row] = math.nan
                continue
            try:
                number = float(value) if isinstance(value, _NUMBERS) else math.nan
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                self.fail(
                    row,
                    column,
                    f"a hardness measure should be a finite number; got {short(value)}; "
                    "mend it or leave the column out.",
                )
            floats[row] = number
        return pd.Series(floats)


def _are_sound(choices: list[object]) -> bool:
    """Whether all are texts with something in them, looked at together; False if one may not be."""
    try:
        return all(map(str.strip, choices)) and "".join(choices).isascii()  # type: ignore[arg-type]
    except TypeError:
        return False


def _as_index(value: object) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, numbers.Integral):
        return int(value)
    # A column of integers with gaps arrives as floats.
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _text_series(values: Iterable[str | None]) -> pd.Series:
    # Object columns: the text type of pandas differs from version to version.
    return pd.Series(list(values), dtype=object)
