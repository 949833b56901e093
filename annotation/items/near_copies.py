"""Which items belong together: those of one given group, and near copies of each other.

Two items are near copies if they ask the same, but for case, punctuation, blanks and the form of
characters, and have a choice in common, or none at all. A question that comes back with other wrong
choices gives its answer away, so not all choices need to agree. But one has to: "Which of these is
right?" asks nothing by itself, and items that share no more than such words are no copies.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from annotation.arrays import IntArray


@dataclass(frozen=True)
class ItemGroups:
    """The groups of an item table, after near copies were put together.

    Attributes
    ----------
    names : (items,), the group that each item stands in; of groups that copies join, the first's
    given : (items,), whether an item shares the group that the table gives it with another
    copies : (items,), whether an item is a near copy of another
    """

    names: NDArray[np.object_]
    given: NDArray[np.bool_]
    copies: NDArray[np.bool_]

    @cached_property
    def codes(self) -> IntArray:
        """A number for every item's group, (items,)."""
        return np.asarray(pd.factorize(self.names)[0], dtype=np.int64)

    @cached_property
    def sizes(self) -> IntArray:
        """Items of every group, (groups,), by its number."""
        return np.bincount(self.codes)

    @property
    def any(self) -> bool:
        """Whether a group holds more than one item."""
        return bool(self.sizes.size < self.names.size)


def group_items(items: pd.DataFrame) -> ItemGroups:
    """The groups of a valid item table: those of its column `group`, joined by near copies."""
    names = items["group"].to_numpy(dtype=object)
    group = pd.factorize(names)[0]
    copied, of = _near_copies(items)
    ends = _first_of(group)[group]
    rows = np.concatenate([np.arange(len(items)), copied])
    columns = np.concatenate([ends, of])
    edges = coo_array((np.ones(rows.size, dtype=bool), (rows, columns)), shape=(len(items),) * 2)
    joined = connected_components(edges, directed=False)[1]
    is_copy = np.zeros(len(items), dtype=bool)
    is_copy[copied] = is_copy[of] = True
    return ItemGroups(
        names=names[_first_of(joined)[joined]] if copied.size else names,
        given=np.asarray(np.bincount(group)[group] > 1),
        copies=is_copy,
    )


def plain_text(text: str) -> str:
    """A text without what two copies of it may differ in.

    Case-folded and in Unicode's compatibility form (NFKC), punctuation, control characters and
    blanks as one blank. Signs such as + and < stay: they can be what is asked. A text of
    punctuation alone stays as it is.
    """
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    folded = folded.casefold()
    return " ".join(folded.translate(_BLANKS).split()) or folded


class _Blanks(dict[int, str | int | None]):
    """Character -> what stands for it; filled as characters are met."""

    def __missing__(self, code: int) -> str | int | None:
        kind = unicodedata.category(chr(code))
        if kind == "Cf":  # zero-width marks and the like are not seen
            found: str | int | None = None
        else:
            found = " " if kind[0] in "PZC" else code
        self[code] = found
        return found


_BLANKS = _Blanks()


def _near_copies(items: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Items that are copies of an earlier one, and that one; a pair for every choice they share."""
    asked = [plain_text(question) for question in items["question"]]
    times = Counter(asked)
    first: dict[tuple[str, str], int] = {}
    copied: list[int] = []
    of: list[int] = []
    for place, (question, choices) in enumerate(zip(asked, items["choices"], strict=True)):
        if times[question] < 2:
            continue
        for choice in _plain_choices(choices):
            earlier = first.setdefault((question, choice), place)
            if earlier != place:
                copied.append(place)
                of.append(earlier)
    return np.array(copied, dtype=np.int64), np.array(of, dtype=np.int64)


def _plain_choices(choices: Sequence[str]) -> list[str]:
    return [plain_text(choice) for choice in choices] or [""]


def _first_of(codes: NDArray[np.integer]) -> IntArray:
    """The first item of every code, (codes,)."""
    return np.asarray(np.unique(codes, return_index=True)[1], dtype=np.int64)
