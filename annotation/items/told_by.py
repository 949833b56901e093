"""From which judgments a hardness measure comes: what measures errors has to leave them out.

A judgment stands there as a mark, a digest of its item and its annotator, so that it is known again
in whatever file it comes; nobody's name does.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

SUFFIX = "_judgments"  # behind a measure's name: the column of its judgments' marks
_KEY = "told_by"  # of an item table's `attrs`
_DIGITS = 10
_MARKS = re.compile(rf"j[0-9a-f]{{{_DIGITS}}}( j[0-9a-f]{{{_DIGITS}}})*")


@dataclass(frozen=True, eq=False)
class ToldBy:
    """item_id -> marks of the judgments that told its measure, with blanks between them."""

    marks: Mapping[str, str]

    def __deepcopy__(self, _memo: object) -> "ToldBy":
        return self  # never changed; pandas copies `attrs` with every table that it makes

    def tells(self, item_ids: Sequence[str], annotators: Sequence[str]) -> list[bool]:
        """Which judgments, (judgments,), are among these."""
        return [
            mark(item_id, annotator) in self.marks.get(item_id, "")
            for item_id, annotator in zip(item_ids, annotators, strict=True)
        ]


def mark(item_id: str, annotator: str) -> str:
    """What stands for a judgment: no number in any spelling, and the same wherever it comes from.

    What was answered is no part of it: a second answer of one person is not another's.
    """
    text = json.dumps([item_id, annotator.strip().casefold()])
    return "j" + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def told_by(judgments: pd.DataFrame) -> ToldBy:
    """All judgments of a judgment table."""
    marks: dict[str, list[str]] = {}
    columns = (judgments[name].tolist() for name in ("item_id", "annotator"))
    for item_id, annotator in zip(*columns, strict=True):
        marks.setdefault(item_id, []).append(mark(item_id, annotator))
    return ToldBy({item_id: " ".join(dict.fromkeys(own)) for item_id, own in marks.items()})


def remember(items: pd.DataFrame, measures: Sequence[str], told: ToldBy) -> pd.DataFrame:
    """The item table with the judgments that told these measures."""
    known = items.copy(deep=False)
    known.attrs[_KEY] = items.attrs.get(_KEY, {}) | dict.fromkeys(measures, told)
    return known


def who_told(items: pd.DataFrame, measure: str) -> ToldBy | None:
    """The judgments that told a measure of an item table; None where that is not known."""
    found: ToldBy | None = items.attrs.get(_KEY, {}).get(measure)
    return found


def mark_columns(items: pd.DataFrame) -> dict[str, list[str | None]]:
    """The columns that a file of these items has beside them, (items,) each; None for nobody."""
    told: Mapping[str, ToldBy] = items.attrs.get(_KEY, {})
    return {
        measure + SUFFIX: [own.marks.get(item_id) for item_id in items["item_id"]]
        for measure, own in told.items()
        if measure in items
    }


def read_marks(item_ids: Sequence[str], values: Sequence[object]) -> ToldBy | None:
    """What a column of a file, (items,), says; None where it holds something else than marks."""
    there = {item_id: value for item_id, value in zip(item_ids, values, strict=True) if value}
    if not there or not all(
        isinstance(value, str) and _MARKS.fullmatch(value.strip()) for value in there.values()
    ):
        return None
    return ToldBy({item_id: str(value).strip() for item_id, value in there.items()})
