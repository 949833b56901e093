"""Which columns of a table are numbers, and so hardness measures; and why another is not."""

import math
import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_MEANT_AS_NUMBERS = 0.5  # of a column's values; with fewer numbers it is no measure gone wrong
# With a decimal comma, be there points or blanks between thousands or not.
_DECIMAL_COMMA = re.compile(r"\s*[+-]?([1-9][0-9]{0,2}([.\s'\u2019][0-9]{3})+|[0-9]*),[0-9]+\s*")
# With commas between thousands. "1,200" fits both and is rather this: whoever reads it as 1.2 is a
# thousand times off.
_THOUSANDS = re.compile(r"\s*[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?\s*")
_GROUPED = re.compile(r"[.\s'\u2019].*,")  # of those with a decimal comma
# Row numbers that pandas writes beside a table, under a name of its own or none.
_ROW_NUMBERS = re.compile(r"__index_level_[0-9]+__|Unnamed: [0-9]+|\s*")
_MAYBE_ROW_NUMBERS = re.compile(r"index|level_[0-9]+")  # a measure may be called so, too
_UNKNOWN = ("", "na", "n/a", "nan", "null", "none")


@dataclass(frozen=True)
class NoNumber:
    """Why a column is no measure: its first value that is no number.

    `row` counts from 1; `numbers` is the share of numbers among the values that are there, and
    `commas` of numbers such as "0,5" and "1,200". `remedy` says how these should be written.
    """

    row: int
    value: object
    numbers: float
    commas: float = 0.0
    remedy: str = ""

    @property
    def is_meant_as_measure(self) -> bool:
        """Whether most values are numbers, in one spelling or another."""
        return self.numbers + self.commas >= _MEANT_AS_NUMBERS

    def __str__(self) -> str:
        return f"row {self.row} holds {self.value!r:.60}, which is no number{self.remedy}"


def number_in(value: object) -> float | None:
    """A value as a number, NaN where it is unknown; None if it is no number."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        if value.strip().lower() in _UNKNOWN:
            return math.nan
        if "_" in value:  # Python would read 1_000
            return None
    elif not isinstance(value, numbers.Real | Decimal):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:
        return math.inf  # refused, with its row, by validation


def is_row_number(name: str, values: Sequence[object]) -> bool:
    """Whether a column numbers the rows, as pandas calls it, and measures nothing.

    Of names that may be the user's own, the values have to be 0 to rows - 1, in any order.
    """
    if _ROW_NUMBERS.fullmatch(name):
        return True
    if not _MAYBE_ROW_NUMBERS.fullmatch(name):
        return False
    return {number_in(value) for value in values} == set(range(len(values)))


def is_measure(values: Sequence[object], is_csv: bool) -> bool:
    """Whether a column that nobody mapped is a measure: numbers, at least one of them known.

    In a CSV file all values are texts, numbers too; elsewhere a text is no number.
    """
    return all(_fits(value, is_csv) for value in values) and not all(map(_is_unknown, values))


def first_no_number(values: Sequence[object], is_csv: bool) -> NoNumber | None:
    """What keeps a column from being a measure; None if nothing does, or it is empty."""
    fits = [_fits(value, is_csv) for value in values]
    if all(fits):
        return None
    row = fits.index(False)
    known = sum(not (fit and _is_unknown(value)) for fit, value in zip(fits, values, strict=True))
    commas = sum(map(_has_comma, values))
    share = fits.count(False) / known
    return NoNumber(row + 1, values[row], 1 - share, commas / known, comma_remedy(values, row))


def comma_remedy(values: Sequence[object], row: int) -> str:
    """How numbers with commas should be written, behind the complaint about `row`, from 0.

    "" where there are none.
    """
    commas = [place for place, value in enumerate(values) if _has_comma(value)]
    if not commas:
        return ""
    written = [str(values[place]) for place in commas]
    grouped = [_THOUSANDS.fullmatch(text) is not None for text in written]
    ways = []
    if not all(grouped):
        ways.append("with a decimal point")
    if any(grouped) or any(_GROUPED.search(text.strip()) for text in written):
        ways.append("without separators of thousands")
    what = "it" if row in commas else f"{written[0]!r:.60} in row {commas[0] + 1}"
    return f"; write {what} {' and '.join(ways)}"


def _has_comma(value: object) -> bool:
    """Whether a text is a number with a decimal comma, or commas between thousands."""
    return isinstance(value, str) and bool(
        _DECIMAL_COMMA.fullmatch(value) or _THOUSANDS.fullmatch(value)
    )


def _fits(value: object, is_csv: bool) -> bool:
    """Whether a value is a number, or stands for an unknown one."""
    is_text = isinstance(value, str) and not is_csv
    return not (isinstance(value, bool) or is_text) and number_in(value) is not None


def _is_unknown(value: object) -> bool:
    number = number_in(value)
    return number is not None and number != number
