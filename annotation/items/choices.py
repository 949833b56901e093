"""Read choices and gold answers in the many ways in which tables write them."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LabelledChoices:
    """The choices of one item as read, and the labels that the table gives them, if any."""

    texts: tuple[Any, ...]  # texts, stripped; whatever else stood there is left for validation
    labels: tuple[str, ...] = ()


def choices_in(value: object) -> LabelledChoices:
    """Read the choices of one item from one value.

    A list; a dict {"text": [...], "label": [...]}; or a text: JSON of either, or choices
    separated by "|". Nothing, or an empty text, is no choices.

    Raises ValueError that says what is wrong.
    """
    if isinstance(value, str):
        value = _parse(value)
    if value is None:
        return LabelledChoices(())
    if isinstance(value, dict):
        texts, labels = value.get("text"), value.get("label", [])
        if not isinstance(texts, list) or not isinstance(labels, list):
            raise ValueError('a dict of choices should be {"text": [...], "label": [...]}')
        if labels and len(labels) != len(texts):
            raise ValueError(f"has {len(texts)} texts and {len(labels)} labels")
        return LabelledChoices(
            tuple(map(choice_text, texts)), tuple(str(k).strip() for k in labels)
        )
    if isinstance(value, list | tuple):
        return LabelledChoices(tuple(map(choice_text, value)))
    raise ValueError(f"should be a list of texts; got {value!r:.60}")


def _parse(text: str) -> object:
    if not text.strip():
        return None
    if text.strip()[0] in "[{":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):  # too deep a nest is no list of choices either
            if "|" not in text:
                raise ValueError(
                    f"is neither a JSON list nor separated by '|': {text!r:.60}"
                ) from None
    return text.split("|")


def choice_text(value: object) -> object:
    """A choice as text: numbers become texts, texts lose surrounding spaces."""
    if isinstance(value, int | float):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def resolve_answers(
    answers: Sequence[object], options: Sequence[LabelledChoices]
) -> tuple[list[int | None], tuple[int, str] | None]:
    """Find the gold choice of every item.

    Four readings are tried in this order: the text of a choice, a label of a choice, a letter A-Z
    (A is the first choice), an index from 0. The first that fits the WHOLE column is taken, so
    that the index "2" of one item is not taken for the choice "2" of another. If none fits the
    whole column, every value is read by itself, and has to have one meaning. A number (not a text)
    is a label or an index only.

    Parameters
    ----------
    answers
        One value per item, (items); None or an empty text: no answer.
    options
        The choices of every item, (items).

    Returns
    -------
    The index of the gold choice per item, (items), None where there is no answer; and the first
    problem, as (row from 0, what is wrong), or None.
    """
    rows = [row for row, answer in enumerate(answers) if not _is_absent(answer)]
    indices: list[int | None] = [None] * len(answers)
    for reading in _READINGS:
        found = {row: reading(answers[row], options[row]) for row in rows}
        if None not in found.values():
            for row, index in found.items():
                indices[row] = index
            return indices, None
    for row in rows:
        meanings = {reading(answers[row], options[row]) for reading in _READINGS} - {None}
        texts = list(options[row].texts)
        if not meanings:
            where = f"of {texts!r:.200}" if texts else "(the item has no choices)"
            return indices, (row, f"{answers[row]!r} is no text, label, letter or index {where}")
        if len(meanings) > 1:
            choices = " or ".join(
                repr(texts[k]) for k in sorted(m for m in meanings if m is not None)
            )
            return indices, (
                row,
                f"{answers[row]!r} can mean {choices}; write all answers of the column in one way",
            )
        indices[row] = meanings.pop()
    return indices, None


def _is_absent(answer: object) -> bool:
    if isinstance(answer, float) and answer != answer:  # NaN
        return True
    return answer is None or (isinstance(answer, str) and not answer.strip())


def _position(value: str, among: Sequence[object]) -> int | None:
    return among.index(value) if value in among else None


def _by_text(answer: object, options: LabelledChoices) -> int | None:
    if isinstance(answer, bool):  # true among the choices "true" and "false", in either spelling
        spelled = (str(answer), str(answer).lower())
        return next((k for k, text in enumerate(options.texts) if text in spelled), None)
    return _position(answer.strip(), options.texts) if isinstance(answer, str) else None


def _by_label(answer: object, options: LabelledChoices) -> int | None:
    if isinstance(answer, str):
        return _position(answer.strip(), options.labels)
    number = _whole(answer)
    return None if number is None else _position(str(number), options.labels)


def _by_letter(answer: object, options: LabelledChoices) -> int | None:
    if not isinstance(answer, str) or not re.fullmatch("[A-Za-z]", answer.strip()):
        return None
    return _within(ord(answer.strip().upper()) - ord("A"), options)


def _by_index(answer: object, options: LabelledChoices) -> int | None:
    if isinstance(answer, str):
        written = re.fullmatch(r"([0-9]{1,9})(\.0+)?", answer.strip())
        return _within(int(written[1]), options) if written else None
    number = _whole(answer)
    return None if number is None else _within(number, options)


def _whole(answer: object) -> int | None:
    if isinstance(answer, bool):
        return None
    # A column of integers with gaps arrives as floats.
    if isinstance(answer, float) and answer.is_integer():
        return int(answer)
    return answer if isinstance(answer, int) else None


def _within(index: int, options: LabelledChoices) -> int | None:
    return index if 0 <= index < len(options.texts) else None


_READINGS: tuple[Callable[[object, LabelledChoices], int | None], ...] = (
    _by_text,
    _by_label,
    _by_letter,
    _by_index,
)
