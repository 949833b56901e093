"""The forms in which one value names the right one of an item's choices."""

import re
from collections.abc import Sequence
from typing import Literal

from annotation.items.choices import LabelledChoices
from annotation.items.numbers_as_text import exact_number, whole_number

AnswerReading = Literal["text", "letter", "index0", "index1"]
"""How a column names the right choice.

- "text": the text of the choice. Numbers that are equal are one text.
- "letter": the label that the table gives the choice, or else its letter, A being the first.
- "index0", "index1": the number of the choice, the first being 0, or 1.
"""

UNKNOWN = -1  # what many published tables write for an answer that is kept back
# Of a letter and what follows it: "B", "(B)", "B.", "B) gold", "B: gold", "Answer: B".
_LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?answer(?: is)? ?:? ?)?(?:[(\[]([A-Za-z])[)\]]:?|([A-Za-z])[.):]?)"
    r"(?:(?<=[.):\]]) *(\S.*))?",
    re.IGNORECASE | re.DOTALL,
)


def is_absent(answer: object) -> bool:
    """Whether nothing is written: None, NaN, an empty text."""
    if answer is None:
        return True
    if isinstance(answer, str):
        return not answer or answer.isspace()
    return isinstance(answer, float) and answer != answer  # NaN


def by_text(answer: object, option: LabelledChoices) -> int | None:
    """The choice with this text, or that is this number; None for none, or several."""
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


def by_label(answer: object, option: LabelledChoices) -> int | None:
    """The choice that the table gives this label; None for none."""
    labels = option.labels
    if isinstance(answer, str):
        bare = answer.strip()
        if bare in labels:
            return labels.index(bare)
    return _by_equal_number(answer, labels)


def by_letter(
    answer: object, option: LabelledChoices, known: dict[object, tuple[int, str] | None]
) -> int | None:
    """The choice of this letter, with its text behind it or alone; None for none.

    `known` keeps what was read of a value, from call to call.
    """
    if not isinstance(answer, str):
        return None
    try:
        named = known[answer]
    except KeyError:
        named = known[answer] = letter_and_text(answer)
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
    if text and by_text(text, LabelledChoices(option.texts[place : place + 1])) is None:
        return None
    return place


def letter_and_text(answer: object) -> tuple[int, str] | None:
    """Place of the letter in the alphabet from 0, and the text behind it, "" for none."""
    if not isinstance(answer, str):
        return None
    written = _LETTER.fullmatch(answer.strip())
    if written is None:
        return None
    return ord((written[1] or written[2]).upper()) - ord("A"), (written[3] or "").strip()


def by_index(
    answer: object, option: LabelledChoices, first: int, known: dict[object, int | None]
) -> int | None:
    """The choice of this number, counted from `first`; None for none.

    `known` keeps what was read of a value, from call to call.
    """
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
