"""Numbers that are equal are one answer, however they are written: 2, "2", 2.0, "2.0"."""

import re
from decimal import Decimal

_LONGEST = 40  # characters; longer ones are texts
_WRITTEN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def exact_number(value: object) -> Decimal | None:
    """A value as an exact number; None if it is none, or not finite. True and False are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int | float):
        # As Python writes it, so that 0.1 is the number that "0.1" is.
        value = str(value) if abs(value) < 10.0**_LONGEST else ""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > _LONGEST or not _WRITTEN.fullmatch(text):
        return None
    return Decimal(text)


def whole_number(value: object) -> int | None:
    """A value as a whole number; None if it is none."""
    number = exact_number(value)
    if number is None or number != number.to_integral_value():
        return None
    return int(number)
