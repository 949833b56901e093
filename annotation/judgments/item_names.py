"""Names of items that look alike: those of judgments are held against those of the items."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

import pandas as pd

from annotation.items.identifiers import NumberedNames, first_same_number, rounded_identifier
from annotation.judgments.look_alikes import look, shared_spellings
from annotation.judgments.repetitions import Note

_MOST_NAMED = 3  # items, in a message


def shown(text: str) -> str:
    """A name for a remark, with codes for all characters that might not be seen."""
    return ascii(text if len(text) <= 60 else f"{text[:60]}...")


def items_that_look_alike(item_ids: pd.Series) -> tuple[Note, ...]:
    """A remark on the items of a judgment table whose names cannot be told apart on a screen."""
    names = [text for text in item_ids.unique() if isinstance(text, str)]
    if all(map(str.isascii, names)) and names == list(map(str.strip, names)):
        return ()  # nearly always
    alike = shared_spellings(Counter(names))
    if not alike:
        return ()
    other, item = next(iter(alike.items()))
    row = int((item_ids == other).to_numpy().argmax())
    also = f"; so do {len(alike) - 1:,} more" if len(alike) > 1 else ""
    remark = (
        f"{shown(other)} looks like {shown(item)}, and they count as two items{also}; give them "
        "one spelling if they are one."
    )
    return ((row + 1, "item_id", shown(other), remark),)


def names_that_were_numbers(column: pd.Series) -> tuple[Note, ...]:
    """Remarks on identifiers, of a column of them, that a spreadsheet or a table of floats changed.

    The first that looks rounded; the first that is another one's number in another spelling.
    """
    names = [text for text in column.unique() if isinstance(text, str)]
    if not any(text[:1].isdigit() for text in names):
        return ()  # at once, where names are words
    told = (rounded_identifier(names), first_same_number(names))
    remarks = [remark for remark in told if remark is not None]
    rows = {name: int((column == name).to_numpy().argmax()) + 1 for name, _ in remarks}
    return tuple(
        (rows[name], str(column.name), shown(name), f"{shown(name)} {problem}")
        for name, problem in remarks
    )


class ItemNames:
    """The items by what their names look like, and by the numbers that they are."""

    def __init__(self, item_ids: Iterable[str]) -> None:
        self._of_look: dict[str, list[str]] = {}
        for item_id in item_ids:
            self._of_look.setdefault(look(item_id), []).append(item_id)

    @cached_property
    def _numbers(self) -> NumberedNames:
        return NumberedNames(item_id for own in self._of_look.values() for item_id in own)

    def find(self, name: str) -> str | None:
        """The one item whose name looks like this; None if there is none, or several are."""
        found = self._of_look.get(look(name), [])
        return found[0] if len(found) == 1 else None

    def problem(self, name: str) -> str:
        """Why a name is that of no item."""
        found = self._of_look.get(look(name), [])
        if not found:
            number = self._numbers.problem(name)
            return f"is {shown(name)}, none of the items{'; ' if number else '.'}{number}"
        listed = ", ".join(map(shown, found[:_MOST_NAMED]))
        return (
            f"is {shown(name)}, none of the items, and looks like {len(found)} of them: {listed}."
        )
