"""Errors that a person can mend: exceptions for them, and how texts look in messages."""

import re

LONGEST_LINE = 1_000  # characters of a message, whatever file it tells of
LONGEST_VALUE = 120
_CUT = " [...] "
# What a terminal obeys instead of showing it: controls but tab and line end, marks that turn the
# direction of text around, separators of lines, halves of surrogate pairs.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class InputError(ValueError):
    """Input that labelmix cannot use.

    The message is one line for a person: what is wrong, where (file, row, column, the bad
    value) and what to do. The command line prints it and exits with `exit_code`. A message that
    would be longer than `LONGEST_LINE` is cut in its middle: its ends are where and what to do.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(cut_in_the_middle(" ".join(message.split()), LONGEST_LINE))


class MachineError(InputError):
    """What stops labelmix is the machine, not the input: a full disk, a damaged file that it kept.

    Whoever catches InputError because the work cannot go on catches this as well.
    """

    exit_code = 3


def short(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value for a message: as Python prints it, cut where it is longer than `longest`."""
    if isinstance(value, str | bytes):
        value = value[:longest]  # a text of 10 MB need not be quoted whole to be cut
    try:
        text = repr(value)
    except Exception:  # a value whose own code fails cannot be shown, and should stop nothing
        text = f"<{type(value).__name__}>"
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def cut_in_the_middle(text: str, longest: int) -> str:
    """A text of at most so many characters: its beginning and its end, where it is longer."""
    if len(text) <= longest:
        return text
    kept = longest - len(_CUT)
    end = kept // 3
    return f"{text[: kept - end]}{_CUT}{text[len(text) - end :]}"


def visible(text: str) -> str:
    r"""A text as a terminal may be given it: what it would obey is written out, as \u001b.

    That is how JSON writes it, too, so that a printed document stays the same document.
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
