"""Cells of CSV files that a spreadsheet would run as formulas, and how they are kept from it.

A spreadsheet runs a cell that begins with one of `=`, `+`, `-`, `@`, a tab or a carriage return
(OWASP, CSV Injection); an apostrophe before it makes it a text. Texts that begin with apostrophes
and such a sign get one more, so that one can always be taken off again.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_RUN = r"^'*[=+\-@\t\r]"
_NUMBER = r"^[+\-][0-9.,]+([eE][+\-]?[0-9]+)?$"  # nothing to run; with a decimal comma, too
_GUARDED = r"^'('*[=+\-@\t\r])"
_GUARD = re.compile(rb"'[=+\-@\t\r]")
_RUN_CELL, _NUMBER_CELL, _GUARDED_CELL = (
    re.compile(pattern.replace("$", r"\Z")) for pattern in (_RUN, _NUMBER, _GUARDED)
)


def guarded_cell(value: object) -> object:
    """A value for a CSV file: a text that a spreadsheet would run gets an apostrophe before it.

    Numbers, also those that are written as texts, and all else stay as they are.
    """
    if not isinstance(value, str) or not _RUN_CELL.match(value) or _NUMBER_CELL.match(value):
        return value
    return f"'{value}"


def guarded_row(values: Iterable[object]) -> list[object]:
    """A row for a CSV file, see `guarded_cell`."""
    return [guarded_cell(value) for value in values]


def plain_cell(text: str) -> str:
    """A text as it was before `guarded_cell`."""
    return text[1:] if _GUARDED_CELL.match(text) else text


def plain_row(texts: Iterable[str]) -> list[str]:
    """A row as it was before `guarded_row`."""
    return [plain_cell(text) for text in texts]


class GuardWatch:
    """Whether any cell of what was seen may be guarded; most files have none, and are read faster.

    Attributes
    ----------
    may_be_guarded : whether an apostrophe stood before a sign that a spreadsheet would run
    """

    def __init__(self) -> None:
        self.may_be_guarded = False
        self._last = b""

    def see(self, block: bytes) -> None:
        """Look at the next bytes of a file in UTF-8."""
        if not self.may_be_guarded:
            # A guard may be cut in two by the end of a block.
            self.may_be_guarded = bool(
                _GUARD.search(self._last + block[:1]) or _GUARD.search(block)
            )
            self._last = block[-1:]


def guarded_column(texts: "pa.Array") -> "pa.Array":
    """`guarded_cell` of all texts of an Arrow array."""
    import pyarrow.compute as pc

    is_run = pc.match_substring_regex(texts, _RUN)
    if not pc.any(is_run).as_py():
        return texts
    is_guarded = pc.and_not(is_run, pc.match_substring_regex(texts, _NUMBER))
    return pc.if_else(is_guarded, pc.binary_join_element_wise("'", texts, ""), texts)


def plain_column(texts: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """`plain_cell` of all texts of an Arrow array."""
    import pyarrow.compute as pc

    if not pc.any(pc.starts_with(texts, "'")).as_py():
        return texts
    return pc.replace_substring_regex(
        texts, pattern=_GUARDED, replacement=r"\1", max_replacements=1
    )
