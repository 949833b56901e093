"""Identifiers that are numbers: which lost digits, and which may be one number written in two ways.

Spreadsheets keep 15 digits of a number and tables of floats 53 bits; both drop zeros in front. An
identifier that went through one is another than it was. Nothing is joined by a guess here: it is
said what seems to have happened, and the user mends the file.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal

from annotation.errors import short
from annotation.items.numbers_as_text import exact_number

_AS_TEXT = "store the column as text (in a spreadsheet: import it as 'Text') and export it again"
LOST_DIGITS = (
    "is a number that lost its last digits, so that different ones became the same; in the first "
    f"file {_AS_TEXT}."
)
"""What is wrong with an identifier that a spreadsheet or a table of floats rounded."""

# As spreadsheets show whole numbers of 12 digits and more, and as floats of 16 are written.
ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+(1[1-9]|[2-9]\d|\d{3})|[1-9]\d{15,}\.0+", re.ASCII)
_LONG = re.compile(r"[1-9][0-9]{15,39}")
_KEPT = 15  # digits that a spreadsheet keeps
_SHOWN = range(_KEPT, 5, -1)  # digits of a long number that a spreadsheet shows
_MAY_BE_ROUNDED = Decimal(10) ** 11  # spreadsheets show shorter numbers whole
_CHANCE = 0.02  # that all long numbers of a column look rounded, though none was


def rounded_identifier(names: Iterable[str]) -> tuple[str, str] | None:
    """The first identifier that looks rounded, and what to say of it; None where none does.

    Long numbers look so where all of them do and that is hardly an accident.
    """
    in_order = list(names)
    for name in in_order:
        if ("+" in name or ".0" in name) and ROUNDED.fullmatch(name.strip()):
            return name, LOST_DIGITS
    long = [name for name in in_order if len(name) > _KEPT and _LONG.fullmatch(name)]
    if not long:
        return None
    zeros = sum(len(name) - _KEPT for name in long)
    if 10.0**-zeros <= _CHANCE and all(name.endswith("0" * (len(name) - _KEPT)) for name in long):
        how = f"it ends in zeros after {_KEPT} digits"
    elif _are_floats(long):
        how = "it is a number that a table of floats can hold"
    else:
        return None
    several = "as all numbers so long do here" if len(long) > 1 else "which few numbers so long do"
    return long[0], (
        f"may have lost its last digits: {how}, {several}. If it has, different ones became the "
        f"same; in the first file {_AS_TEXT}."
    )


def first_same_number(names: Sequence[str]) -> tuple[str, str] | None:
    """The first name, of different ones, whose number is another one's, and what to say of it."""
    if not any(_is_odd(name) for name in names):
        return None  # nearly always
    numbered = NumberedNames(names)
    for name in names:
        if numbered.same(name):
            return name, f"counts by itself, but {numbered.problem(name)}"
    return None


def _is_odd(name: str) -> bool:
    """Whether a name begins as a number and is not one in its shortest form."""
    return name[:1].isdigit() and (name[0] == "0" or not name.isdecimal())


def _are_floats(long: list[str]) -> bool:
    """Whether all are floats, and that is hardly an accident."""
    chance = 1.0
    for name in long:
        if int(float(name)) != int(name):
            return False
        chance /= 2 ** max(int(name).bit_length() - 53, 0)
    return chance <= _CHANCE


class NumberedNames:
    """Identifiers by the whole number that they are, where they are one."""

    def __init__(self, names: Iterable[str]) -> None:
        self._of_number: dict[Decimal, list[str]] = {}
        for name in names:
            number = _number(name)
            if number is not None:
                self._of_number.setdefault(number, []).append(name)
        self._of_shown: dict[int, dict[Decimal, Decimal]] = {}

    def same(self, name: str) -> list[str]:
        """The others of these names that are the same number."""
        number = _number(name)
        there = [] if number is None else self._of_number.get(number, [])
        return [other for other in there if other != name]

    def problem(self, name: str) -> str:
        """How another of these names may be meant, as a part of a sentence; "" if none is."""
        number = _number(name)
        if number is None:
            return ""
        same = self.same(name)
        if same:
            return (
                f"{short(same[0])} is the same number written in another way; if they are one, in "
                f"the file that changed it {_AS_TEXT}."
            )
        near = self._rounded(number)
        if near is None:
            return ""
        return (
            f"{short(self._of_number[near][0])} may be the same number with more or fewer digits; "
            f"if they are one, in the file that lost digits {_AS_TEXT}."
        )

    def _rounded(self, number: Decimal) -> Decimal | None:
        """Another number of these that this one was rounded to, or that was rounded to this one."""
        if number < _MAY_BE_ROUNDED:
            return None
        as_float = Decimal(float(number))
        for other in (as_float, *(_shown(number, digits) for digits in _SHOWN)):
            if other != number and other in self._of_number:
                return other
        digits = len(number.as_tuple().digits)
        if digits in _SHOWN:
            return self._shown_as(digits).get(number)
        return self._shown_as(0).get(number)

    def _shown_as(self, digits: int) -> dict[Decimal, Decimal]:
        """Rounded number -> one of these that it was; 0 for floats."""
        if digits not in self._of_shown:
            rounded = {
                Decimal(float(number)).normalize()
                if digits == 0
                else _shown(number, digits): number
                for number in self._of_number
                if number >= _MAY_BE_ROUNDED
            }
            self._of_shown[digits] = {near: own for near, own in rounded.items() if near != own}
        return self._of_shown[digits]


def _number(name: str) -> Decimal | None:
    """A name that is a whole number of at least 0; with an exponent or decimal zeros, too."""
    number = exact_number(name) if name[:1].isdigit() else None
    if number is None or number != number.to_integral_value():
        return None
    return _shown(number, 40)


def _shown(number: Decimal, digits: int) -> Decimal:
    return number.normalize(Context(prec=digits))
