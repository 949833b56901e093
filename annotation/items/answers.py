"""Find the gold choice of every item: a column of answers has one reading, and it is told.

A value such as "2" may be the text of a choice, a label, or a number counted from 0 or from 1. Read
row by row, such values come out wrong without a word. So the readings are held against all rows
together; what fits in two ways with different results is a question to the user.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from annotation.errors import InputError, short
from annotation.items.answer_column import WORDS, AnswerColumn, Places
from annotation.items.answer_forms import AnswerReading, letter_and_text
from annotation.items.choices import LabelledChoices
from annotation.items.numbers_as_text import whole_number


@dataclass(frozen=True)
class ReadAnswers:
    """The gold choice of every item, and how it was found.

    Attributes
    ----------
    places : index of the gold choice from 0, (items,); None where there is no answer
    reading : how the column was read, in words; "" where it holds no answer
    unknown : rows with -1, which stands for an answer that is not known
    """

    places: list[int | None]
    reading: str = ""
    unknown: int = 0


class AnswersError(ValueError):
    """A column of answers that cannot be read.

    `row` counts from 0; `options` are the readings that a user can choose from, if that helps.
    """

    def __init__(self, row: int, problem: str, options: Sequence[AnswerReading] = ()) -> None:
        super().__init__(problem)
        self.row = row
        self.options = tuple(options)


def answer_reading(name: str) -> AnswerReading:
    """A reading by its name.

    Raises InputError if there is none of that name.
    """
    for known in get_args(AnswerReading):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise InputError(
        f"answers {name!r:.40} is no way to read them; choose one of "
        f"{', '.join(get_args(AnswerReading))}."
    )


def read_answers(
    answers: Sequence[object],
    options: Sequence[LabelledChoices],
    wanted: AnswerReading | None = None,
) -> ReadAnswers:
    """Find the gold choice of every item.

    Every reading (`AnswerReading`) is held against all rows. If one fits, or all that fit say the
    same, it is taken; labels that the table gives to choices settle what numbers mean. If none
    does, letters beside numbers are read where exactly one way of counting fits. -1 is an answer
    that is not known, unless it is a choice.

    Parameters
    ----------
    answers
        One value per item, (items,); None, NaN or an empty text: no answer.
    options
        The choices of every item, (items,).
    wanted
        The reading that the user named.

    Raises
    ------
    AnswersError
        If no reading fits, or several fit and differ.
    """
    column = AnswerColumn.of(answers, options)
    if not column.rows:
        return ReadAnswers([None] * len(answers))
    fits, fails = column.try_readings(get_args(AnswerReading))
    unknown = 0
    if not fits:
        known = column.without_unknown()
        if len(known.rows) < len(column.rows):
            unknown = len(column.rows) - len(known.rows)
            column = known
            if not column.rows:
                return ReadAnswers([None] * len(answers), "", unknown)
            fits, fails = column.try_readings(get_args(AnswerReading))
    words = WORDS
    if not fits or (wanted is not None and wanted not in fits):
        mixed = column.try_mixed() if not fits else {}
        if not mixed or not (wanted in (None, "letter") or wanted in mixed):
            raise _problem(column, fits, fails, wanted)
        fits, words = mixed, column.mixed_words()
        if wanted in mixed:
            fits = {wanted: mixed[wanted]}
    elif wanted is not None:
        fits = {wanted: fits[wanted]}
    elif "letter" in fits and column.all_labelled:
        # What the table's own labels say is no matter of counting.
        fits = {name: own for name, own in fits.items() if not name.startswith("index")}
    first, places = next(iter(fits.items()))
    for other, differing in fits.items():
        if differing != places:
            raise _question(column, fits, first, other, mixed=words is not WORDS)
    found: list[int | None] = [None] * len(answers)
    for row, place in zip(column.rows, places, strict=True):
        found[row] = place
    word = words[first]
    if first == "letter":
        word = "labels of choices" if column.all_labelled else "letters"
    return ReadAnswers(found, word, unknown)


def _question(
    column: AnswerColumn,
    fits: Mapping[AnswerReading, Places],
    one: AnswerReading,
    other: AnswerReading,
    mixed: bool,
) -> AnswersError:
    """Two readings fit, and differ."""
    here = next(k for k, a in enumerate(fits[one]) if a != fits[other][k])
    texts = column.options[here].texts
    means = f"{texts[fits[one][here]]!r:.60} or {texts[fits[other][here]]!r:.60}"
    if mixed:
        letter = next(k for k, v in enumerate(column.values) if whole_number(v) is None)
        return AnswersError(
            column.rows[here],
            f"{short(column.values[here])} is a number, but row {column.rows[letter] + 1} has the "
            f"letter {short(column.values[letter])}: the column mixes two ways, and the number "
            f"means {means}, counted from 0 or from 1; write all answers in one way, or say "
            "how numbers are counted",
            (one, other),
        )
    return AnswersError(
        column.rows[here],
        f"{short(column.values[here])} can be {means}: all answers can be read as {WORDS[one]} "
        f"and as {WORDS[other]}; say which",
        tuple(name for name in fits if name == one or fits[name] != fits[one]),
    )


def _problem(
    column: AnswerColumn,
    fits: Mapping[AnswerReading, Places],
    fails: Mapping[AnswerReading, int],
    wanted: AnswerReading | None,
) -> AnswersError:
    """No reading fits, or not the one that is wanted: where, and why."""
    if wanted is not None and (fits or wanted in fails):
        here = fails.get(wanted, 0)
        value, option = column.values[here], column.options[here]
        return AnswersError(
            column.rows[here],
            f"{short(value)} is none of the {WORDS[wanted]} {_choices(option)}",
        )
    ways = [column.meanings(here) for here in range(len(column.rows))]
    for here, own in enumerate(ways):
        value, option = column.values[here], column.options[here]
        if not own:  # no way at all
            named = letter_and_text(value)
            if named is not None and named[1] and named[0] < len(option.texts):
                letter, text = named
                return AnswersError(
                    column.rows[here],
                    f"{short(value)} names the choice {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[letter]}, "
                    f"which is {option.texts[letter]!r:.60}, and the text {text!r:.60}",
                )
            return AnswersError(
                column.rows[here],
                f"{short(value)} is no text, label, letter or index {_choices(option)}",
            )
    # The way that most rows are written in, and a row that is not.
    count = {name: sum(name in own for own in ways) for name in get_args(AnswerReading)}
    usual = max(count, key=lambda name: count[name])
    one = next(k for k, own in enumerate(ways) if usual in own)
    here = next(k for k, own in enumerate(ways) if usual not in own)
    if {usual, *ways[here]} <= {"index0", "index1"}:  # numbers alone, and one is too large
        return AnswersError(
            column.rows[here],
            f"{short(column.values[here])} is no text, label, letter or index "
            f"{_choices(column.options[here])}, while row {column.rows[one] + 1} has "
            f"{short(column.values[one])}",
        )
    return AnswersError(
        column.rows[here],
        f"the column mixes ways to write answers: row {column.rows[one] + 1} has "
        f"{short(column.values[one])}, row {column.rows[here] + 1} has "
        f"{short(column.values[here])}, of which the first is among {WORDS[usual]} and the "
        f"second among {WORDS[next(iter(ways[here]))]}; write all answers in one way",
    )


def _choices(option: LabelledChoices) -> str:
    texts = list(option.texts)
    return f"of {texts!r:.200}" if texts else "(the item has no choices)"
