"""Find the gold choice of every item: a column of answers has one reading, and it is told.

A value such as "2" may be the text of a choice, a label, or a number counted from 0 or from 1. Read
row by row, such values come out wrong without a word. So the readings are held against all rows
together; what fits in two ways with different results is a question to the user.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from annotation.errors import InputError, short
from annotation.items.choices import LabelledChoices
from annotation.items.numbers_as_text import exact_number, whole_number

AnswerReading = Literal["text", "letter", "index0", "index1"]
"""How a column names the right choice.

- "text": the text of the choice. Numbers that are equal are one text.
- "letter": the label that the table gives the choice, or else its letter, A being the first.
- "index0", "index1": the number of the choice, the first being 0, or 1.
"""

# Of a letter and what follows it: "B", "(B)", "B.", "B) gold", "B: gold", "Answer: B".
_LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?answer(?: is)? ?:? ?)?(?:[(\[]([A-Za-z])[)\]]:?|([A-Za-z])[.):]?)"
    r"(?:(?<=[.):\]]) *(\S.*))?",
    re.IGNORECASE | re.DOTALL,
)
UNKNOWN = -1  # what many published tables write for an answer that is kept back
_WORDS: Mapping[str, str] = {
    "text": "texts of choices",
    "letter": "letters or labels",
    "index0": "numbers counted from 0",
    "index1": "numbers counted from 1",
}

_Places = list[int]  # of the gold choices, (rows)


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
    column = _Column.of(answers, options)
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
    words = _WORDS
    if not fits or (wanted is not None and wanted not in fits):
        mixed = column.try_mixed() if not fits else {}
        if not mixed or not (wanted in (None, "letter") or wanted in mixed):
            raise column.problem(fits, fails, wanted)
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
            raise column.question(fits, first, other, mixed=words is not _WORDS)
    found: list[int | None] = [None] * len(answers)
    for row, place in zip(column.rows, places, strict=True):
        found[row] = place
    word = words[first]
    if first == "letter":
        word = "labels of choices" if column.all_labelled else "letters"
    return ReadAnswers(found, word, unknown)


class _Column:
    """The rows that have an answer."""

    def __init__(
        self, rows: list[int], values: list[object], options: list[LabelledChoices]
    ) -> None:
        self.rows, self.values, self.options = rows, values, options
        self.all_labelled = False  # whether every answer is a label that the table gives

    @classmethod
    def of(cls, answers: Sequence[object], options: Sequence[LabelledChoices]) -> "_Column":
        rows = [row for row, answer in enumerate(answers) if not _is_absent(answer)]
        if len(rows) == len(answers):
            return cls(rows, list(answers), list(options))
        return cls(rows, [answers[row] for row in rows], [options[row] for row in rows])

    def without_unknown(self) -> "_Column":
        """The rows whose answer is not -1, or where -1 is a choice."""
        kept = [
            place
            for place, (value, option) in enumerate(zip(self.values, self.options, strict=True))
            if whole_number(value) != UNKNOWN or _by_text(value, option) is not None
        ]
        return _Column(
            [self.rows[k] for k in kept],
            [self.values[k] for k in kept],
            [self.options[k] for k in kept],
        )

    def try_readings(
        self, names: Sequence[AnswerReading]
    ) -> tuple[dict[AnswerReading, _Places], dict[AnswerReading, int]]:
        """Readings that fit all rows, with their result; and of the others the first misfit."""
        fits: dict[AnswerReading, _Places] = {}
        fails: dict[AnswerReading, int] = {}
        for name in names:
            places = self._read(name)
            if isinstance(places, int):
                fails[name] = places
            else:
                fits[name] = places
        return fits, fails

    def _read(self, name: AnswerReading) -> _Places | int:
        """The places of all rows; or the first row (here) that does not fit."""
        places: _Places = []
        if name == "text":
            for value, option in zip(self.values, self.options, strict=True):
                place = _by_text(value, option)
                if place is None:
                    return len(places)
                places.append(place)
            return places
        if name == "letter":
            labelled = True
            letters: dict[object, tuple[int, str] | None] = {}
            for value, option in zip(self.values, self.options, strict=True):
                place = _by_label(value, option) if option.labels else None
                if place is None:
                    labelled = False
                    place = _by_letter(value, option, letters)
                if place is None:
                    return len(places)
                places.append(place)
            self.all_labelled = labelled
            return places
        first = int(name == "index1")
        numbers: dict[object, int | None] = {}
        for value, option in zip(self.values, self.options, strict=True):
            place = _by_index(value, option, first, numbers)
            if place is None:
                return len(places)
            places.append(place)
        return places

    def try_mixed(self) -> dict[AnswerReading, _Places]:
        """Letters beside numbers, for each way of counting that fits all rows."""
        fits: dict[AnswerReading, _Places] = {}
        for name in ("index0", "index1"):
            places: _Places = []
            numbers: dict[object, int | None] = {}
            letters: dict[object, tuple[int, str] | None] = {}
            for value, option in zip(self.values, self.options, strict=True):
                place = _by_label(value, option) if option.labels else None
                if place is None:
                    place = _by_letter(value, option, letters)
                if place is None:
                    place = _by_index(value, option, int(name == "index1"), numbers)
                if place is None:
                    break
                places.append(place)
            else:
                fits[name] = places
        return fits

    def mixed_words(self) -> Mapping[str, str]:
        count = sum(whole_number(value) is not None for value in self.values)
        rows = f"{count:,} row{'s' if count > 1 else ''}"
        return {name: f"letters, and in {rows} as {_WORDS[name]}" for name in ("index0", "index1")}

    def question(
        self,
        fits: Mapping[AnswerReading, _Places],
        one: AnswerReading,
        other: AnswerReading,
        mixed: bool,
    ) -> AnswersError:
        """Two readings fit, and differ."""
        here = next(k for k, a in enumerate(fits[one]) if a != fits[other][k])
        texts = self.options[here].texts
        means = f"{texts[fits[one][here]]!r:.60} or {texts[fits[other][here]]!r:.60}"
        if mixed:
            letter = next(k for k, v in enumerate(self.values) if whole_number(v) is None)
            return AnswersError(
                self.rows[here],
                f"{short(self.values[here])} is a number, but row {self.rows[letter] + 1} has the "
                f"letter {short(self.values[letter])}: the column mixes two ways, and the number "
                f"means {means}, counted from 0 or from 1; write all answers in one way, or say "
                "how numbers are counted",
                (one, other),
            )
        return AnswersError(
            self.rows[here],
            f"{short(self.values[here])} can be {means}: all answers can be read as {_WORDS[one]} "
            f"and as {_WORDS[other]}; say which",
            tuple(name for name in fits if name == one or fits[name] != fits[one]),
        )

    def problem(
        self,
        fits: Mapping[AnswerReading, _Places],
        fails: Mapping[AnswerReading, int],
        wanted: AnswerReading | None,
    ) -> AnswersError:
        """No reading fits, or not the one that is wanted: where, and why."""
        if wanted is not None and (fits or wanted in fails):
            here = fails.get(wanted, 0)
            value, option = self.values[here], self.options[here]
            return AnswersError(
                self.rows[here],
                f"{short(value)} is none of the {_WORDS[wanted]} {_choices(option)}",
            )
        ways = [self._meanings(here) for here in range(len(self.rows))]
        for here, own in enumerate(ways):
            value, option = self.values[here], self.options[here]
            if not own:  # no way at all
                named = _letter_and_text(value)
                if named is not None and named[1] and named[0] < len(option.texts):
                    letter, text = named
                    return AnswersError(
                        self.rows[here],
                        f"{short(value)} names the choice {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[letter]}, "
                        f"which is {option.texts[letter]!r:.60}, and the text {text!r:.60}",
                    )
                return AnswersError(
                    self.rows[here],
                    f"{short(value)} is no text, label, letter or index {_choices(option)}",
                )
        # The way that most rows are written in, and a row that is not.
        count = {name: sum(name in own for own in ways) for name in get_args(AnswerReading)}
        usual = max(count, key=lambda name: count[name])
        one = next(k for k, own in enumerate(ways) if usual in own)
        here = next(k for k, own in enumerate(ways) if usual not in own)
        if {usual, *ways[here]} <= {"index0", "index1"}:  # numbers alone, and one is too large
            return AnswersError(
                self.rows[here],
                f"{short(self.values[here])} is no text, label, letter or index "
                f"{_choices(self.options[here])}, while row {self.rows[one] + 1} has "
                f"{short(self.values[one])}",
            )
        return AnswersError(
            self.rows[here],
            f"the column mixes ways to write answers: row {self.rows[one] + 1} has "
            f"{short(self.values[one])}, row {self.rows[here] + 1} has "
            f"{short(self.values[here])}, of which the first is among {_WORDS[usual]} and the "
            f"second among {_WORDS[next(iter(ways[here]))]}; write all answers in one way",
        )

    def _meanings(self, here: int) -> dict[AnswerReading, int]:
        alone = _Column([0], [self.values[here]], [self.options[here]])
        found = {name: alone._read(name) for name in get_args(AnswerReading)}
        return {name: own[0] for name, own in found.items() if not isinstance(own, int)}


def _choices(option: LabelledChoices) -> str:
    texts = list(option.texts)
    return f"of {texts!r:.200}" if texts else "(the item has no choices)"


def _is_absent(answer: object) -> bool:
    if answer is None:
        return True
    if isinstance(answer, str):
        return not answer or answer.isspace()
    return isinstance(answer, float) and answer != answer  # NaN


def _by_text(answer: object, option: LabelledChoices) -> int | None:
    texts = option.texts
    if isinstance(answer, str):
        if answer in texts:
            return texts.index(answer)
        bare = answer.strip()
        if bare in texts:
            return texts.index(bare)
        if bare in ("True", "False", "true", "false"):
            return _by_truth(bare == "True" or bare == "true", texts)
    elif isinstance(answer, bool):
        return _by_truth(answer, texts)
    return _by_equal_number(answer, texts)


def _by_truth(answer: bool, texts: Sequence[object]) -> int | None:
    """True among the choices "true" and "false", in either spelling."""
    spelled = (str(answer), str(answer).lower())
    return next((k for k, text in enumerate(texts) if text in spelled), None)


def _by_equal_number(answer: object, texts: Sequence[object]) -> int | None:
    """The one choice that is this number; of several, the one that is written so."""
    number = exact_number(answer)
    if number is None:
        return None
    equal = [k for k, text in enumerate(texts) if exact_number(text) == number]
    if len(equal) > 1:
        equal = [k for k in equal if texts[k] == str(answer)]
    return equal[0] if len(equal) == 1 else None


def _by_label(answer: object, option: LabelledChoices) -> int | None:
    labels = option.labels
    if isinstance(answer, str):
        bare = answer.strip()
        if bare in labels:
            return labels.index(bare)
    return _by_equal_number(answer, labels)


def _by_letter(
    answer: object, option: LabelledChoices, known: dict[object, tuple[int, str] | None]
) -> int | None:
    if not isinstance(answer, str):
        return None
    try:
        named = known[answer]
    except KeyError:
        named = known[answer] = _letter_and_text(answer)
    if named is None:
        return None
    place, text = named
    if option.labels:
        # The table's own letters: "(b)" is its choice B, wherever that stands.
        upper = [label.upper() for label in option.labels]
        letter = chr(ord("A") + place)
        if letter in upper:
            place = upper.index(letter)
        elif any(len(label) == 1 and label.isalpha() for label in upper):
            return None
    if place >= len(option.texts):
        return None
    if text and _by_text(text, LabelledChoices(option.texts[place : place + 1])) is None:
        return None
    return place


def _letter_and_text(answer: object) -> tuple[int, str] | None:
    """Place of the letter in the alphabet from 0, and the text behind it, "" for none."""
    if not isinstance(answer, str):
        return None
    written = _LETTER.fullmatch(answer.strip())
    if written is None:
        return None
    return ord((written[1] or written[2]).upper()) - ord("A"), (written[3] or "").strip()


def _by_index(
    answer: object, option: LabelledChoices, first: int, known: dict[object, int | None]
) -> int | None:
    if type(answer) is int:
        number: int | None = answer
    elif isinstance(answer, bool):  # equal to 1 or 0, but no number of a choice
        return None
    else:
        try:
            number = known[answer]
        except KeyError:
            number = known[answer] = whole_number(answer)
        except TypeError:  # a list or the like
            return None
    if number is None or not first <= number < len(option.texts) + first:
        return None
    return number - first
