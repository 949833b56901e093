"""Names of items that look alike: those of judgments are held against those of the items."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

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


class ItemNames:
    """The items by what their names look like."""

    def __init__(self, item_ids: Iterable[str]) -> None:
        self._of_look: dict[str, list[str]] = {}
        for item_id in item_ids:
            self._of_look.setdefault(look(item_id), []).append(item_id)

    def find(self, name: str) -> str | None:
        """The one item whose name looks like this; None if there is none, or several are."""
        found = self._of_look.get(look(name), [])
        return found[0] if len(found) == 1 else None

    def problem(self, name: str) -> str:
        """Why a name is that of no item."""
        found = self._of_look.get(look(name), [])
        if not found:
            return "is none of the items."
        listed = ", ".join(map(shown, found[:_MOST_NAMED]))
        return (
            f"is {shown(name)}, none of the items, and looks like {len(found)} of them: {listed}."
        )
