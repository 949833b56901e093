"""All answers of a table at once, held against each way to read them."""

from collections.abc import Mapping, Sequence
from typing import get_args

from annotation.items.answer_forms import (
    UNKNOWN,
    AnswerReading,
    by_index,
    by_label,
    by_letter,
    by_text,
    is_absent,
)
from annotation.items.choices import LabelledChoices
from annotation.items.numbers_as_text import whole_number

Places = list[int]  # of the gold choices, (rows)
WORDS: Mapping[str, str] = {
    "text": "texts of choices",
    "letter": "letters or labels",
    "index0": "numbers counted from 0",
    "index1": "numbers counted from 1",
}


class AnswerColumn:
    """The rows that have an answer."""

    def __init__(
        self, rows: list[int], values: list[object], options: list[LabelledChoices]
    ) -> None:
        self.rows, self.values, self.options = rows, values, options
        self.all_labelled = False  # whether every answer is a label that the table gives

    @classmethod
    def of(cls, answers: Sequence[object], options: Sequence[LabelledChoices]) -> "AnswerColumn":
        rows = [row for row, answer in enumerate(answers) if not is_absent(answer)]
        if len(rows) == len(answers):
            return cls(rows, list(answers), list(options))
        return cls(rows, [answers[row] for row in rows], [options[row] for row in rows])

    def without_unknown(self) -> "AnswerColumn":
        """The rows whose answer is not -1, or where -1 is a choice."""
        kept = [
            place
            for place, (value, option) in enumerate(zip(self.values, self.options, strict=True))
            if whole_number(value) != UNKNOWN or by_text(value, option) is not None
        ]
        return AnswerColumn(
            [self.rows[k] for k in kept],
            [self.values[k] for k in kept],
            [self.options[k] for k in kept],
        )

    def try_readings(
        self, names: Sequence[AnswerReading]
    ) -> tuple[dict[AnswerReading, Places], dict[AnswerReading, int]]:
        """Readings that fit all rows, with their result; and of the others the first misfit."""
        fits: dict[AnswerReading, Places] = {}
        fails: dict[AnswerReading, int] = {}
        for name in names:
            places = self._read(name)
            if isinstance(places, int):
                fails[name] = places
            else:
                fits[name] = places
        return fits, fails

    def _read(self, name: AnswerReading) -> Places | int:
        """The places of all rows; or the first row (here) that does not fit."""
        places: Places = []
        if name == "text":
            for value, option in zip(self.values, self.options, strict=True):
                place = by_text(value, option)
                if place is None:
                    return len(places)
                places.append(place)
            return places
        if name == "letter":
            labelled = True
            letters: dict[object, tuple[int, str] | None] = {}
            for value, option in zip(self.values, self.options, strict=True):
                place = by_label(value, option) if option.labels else None
                if place is None:
                    labelled = False
                    place = by_letter(value, option, letters)
                if place is None:
                    return len(places)
                places.append(place)
            self.all_labelled = labelled
            return places
        first = int(name == "index1")
        numbers: dict[object, int | None] = {}
        for value, option in zip(self.values, self.options, strict=True):
            place = by_index(value, option, first, numbers)
            if place is None:
                return len(places)
            places.append(place)
        return places

    def try_mixed(self) -> dict[AnswerReading, Places]:
        """Letters beside numbers, for each way of counting that fits all rows."""
        fits: dict[AnswerReading, Places] = {}
        for name in ("index0", "index1"):
            places: Places = []
            numbers: dict[object, int | None] = {}
            letters: dict[object, tuple[int, str] | None] = {}
            for value, option in zip(self.values, self.options, strict=True):
                place = by_label(value, option) if option.labels else None
                if place is None:
                    place = by_letter(value, option, letters)
                if place is None:
                    place = by_index(value, option, int(name == "index1"), numbers)
                if place is None:
                    break
                places.append(place)
            else:
                fits[name] = places
        return fits

    def mixed_words(self) -> Mapping[str, str]:
        """How a column is read that `try_mixed` reads, in words, by the way of counting."""
        count = sum(whole_number(value) is not None for value in self.values)
        rows = f"{count:,} row{'s' if count > 1 else ''}"
        return {name: f"letters, and in {rows} as {WORDS[name]}" for name in ("index0", "index1")}

    def meanings(self, here: int) -> dict[AnswerReading, int]:
        """Each way to read the value of one row (here) alone, with the choice that it names."""
        alone = AnswerColumn([0], [self.values[here]], [self.options[here]])
        found = {name: alone._read(name) for name in get_args(AnswerReading)}
        return {name: own[0] for name, own in found.items() if not isinstance(own, int)}
