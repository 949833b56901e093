"""Read choices in the many ways in which tables write them."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LabelledChoices:
    """The choices of one item as read, and the labels that the table gives them, if any."""

    texts: tuple[Any, ...]  # texts, stripped; whatever else stood there is left for validation
    labels: tuple[str, ...] = ()


def choices_in(value: object) -> LabelledChoices:
    """Read the choices of one item from one value.

    A list of texts, or of objects {"label": ..., "text": ...}; a dict {"text": [...], "label":
    [...]}, or {"A": ..., "B": ...}; or a text: JSON of one of these, or choices separated by "|".
    Nothing, or an empty text, is no choices.

    Raises ValueError that says what is wrong.
    """
    if isinstance(value, str):
        value = _parse(value)
    if value is None:
        return LabelledChoices(())
    if isinstance(value, dict):
        by_label = {label: text for label, text in value.items() if text is not None}
        if "text" not in value and len(by_label) > 1 and all(map(_is_text, by_label.values())):
            return _labelled(list(by_label.values()), list(by_label))
        texts, labels = value.get("text"), value.get("label", [])
        if not isinstance(texts, list) or not isinstance(labels, list):
            raise ValueError('a dict of choices should be {"text": [...], "label": [...]}')
        return _labelled(texts, labels)
    if isinstance(value, list | tuple):
        with suppress(TypeError):  # most are lists of texts, a million of them
            return LabelledChoices(tuple(map(str.strip, value)))
        if value and all(isinstance(choice, dict) and "text" in choice for choice in value):
            labels = [choice["label"] for choice in value if choice.get("label") is not None]
            return _labelled([choice["text"] for choice in value], labels)
        return LabelledChoices(tuple(map(choice_text, value)))
    raise ValueError(f"should be a list of texts; got {value!r:.60}")


def _labelled(texts: Sequence[object], labels: Sequence[object]) -> LabelledChoices:
    if labels and len(labels) != len(texts):
        raise ValueError(f"has {len(texts)} texts and {len(labels)} labels")
    return LabelledChoices(
        tuple(map(choice_text, texts)), tuple(str(label).strip() for label in labels)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


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
