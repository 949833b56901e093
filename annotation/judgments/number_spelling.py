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
    """The texts, equal numbers spelled as the shortest of them: "1,200.0" as "1200".

    Of equally short ones the first in the alphabet: the order of the texts decides nothing.
    """
    told = list(texts)
    numbers = {text: number_of(text) for text in dict.fromkeys(told) if text is not None}
    shortest: dict[Decimal, str] = {}
    for text, number in numbers.items():
        if number is not None:
            best = shortest.get(number, text)
            shortest[number] = min(text, best, key=lambda spelled: (len(spelled), spelled))
    spelled = {
        text: text if number is None else shortest[number] for text, number in numbers.items()
    }
    return np.array([None if text is None else spelled[text] for text in told], dtype=object)
