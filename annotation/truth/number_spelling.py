"""Answers that are numbers, however they are spelled."""

import re
from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?", re.ASCII)
_LONGEST = 40  # characters


def number_of(text: str) -> Decimal | None:
    """The number that a text is, such as "-1,200.50"; None if it is none.

    Commas stand between thousands alone: "1,2" is no number.
    """
    if len(text) > _LONGEST or not text[-1:].isdecimal() or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text.replace(",", ""))


def one_spelling(texts: Iterable[str | None]) -> NDArray[np.object_]:
    """The texts, equal numbers spelled as the first of them: "1,200" as "1200.0" before it."""
    spelled: dict[str, str] = {}
    first: dict[Decimal, str] = {}
    found: list[str | None] = []
    for text in texts:
        if text is not None and text not in spelled:
            number = number_of(text)
            spelled[text] = text if number is None else first.setdefault(number, text)
        found.append(None if text is None else spelled[text])
    return np.array(found, dtype=object)
