"""An order of their own for the choices of every item.

Many tables hold the right answer first and the wrong ones after it. A model, or a person, that
takes the first choice when in doubt would be right on every item. So the choices of each item are
put in an order that its own texts decide: whatever the order of the file, its rows or its columns,
the same item has the same order.

Class labels that all items share keep theirs, which may mean something. So do choices that speak of
the place of others ("all of the above", "both A and C").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import mixed
from annotation.errors import short
from annotation.items.table import shared_choices

# RE2, over the text of one choice.
_SPEAKS_OF_PLACES = (
    r"(?i:\b(?:all|any|both|either|neither|none|more than one|two|three)(?: of)?(?: the)? "
    r"(?:above|below|preceding|previous)\b)"
    r"|^(?i:both |either |neither |only |choices? |options? |answers? )?\(?[A-H]\)?"
    r"(?:, ?\(?[A-H]\)?)*,?(?: and | or | nor | & )\(?[A-H]\)?(?i: only| are .*| is .*)?\.?$"
)
_NEARLY_ALL = 0.9
_FEWEST_TOLD = 10  # items; in fewer, one place is soon the place of all


@dataclass(frozen=True)
class OrderedItems:
    """Items whose choices are in an order of their own.

    Attributes
    ----------
    items : the item table
    given : (items,) of choices as they stood before; None where nothing was moved
    remark : a sentence where the right answer stood in one place in nearly all, or is one class
        that all items share; "" else
    """

    items: pd.DataFrame
    given: list[list[str]] | None = None
    remark: str = ""


def in_own_order(items: pd.DataFrame) -> OrderedItems:
    """Put the choices of every item in an order that its question and they themselves decide.

    `items` is a valid item table; it is not changed. Answers go with their choices. Where all
    items have the same choices in the same order, these stay as they are.
    """
    choices: list[list[str]] = items["choices"].tolist()
    counts = np.fromiter(map(len, choices), dtype=np.int64, count=len(choices))
    classes = shared_choices(items)
    if not counts.any() or classes is not None:
        return OrderedItems(items, None, _remark_on_classes(items, classes or ()))
    flat = list(chain.from_iterable(choices))
    row = np.repeat(np.arange(len(choices)), counts)
    keys = _keys(flat, items["question"].tolist(), row)
    starts = np.concatenate([[0], np.cumsum(counts)])
    order = _sorted_within(keys, row, counts)
    fixed = np.zeros(len(choices), dtype=bool)
    fixed[row[_speaks_of_places(flat)]] = True
    order = np.where(fixed[row], np.arange(len(row)), order)
    if (order == np.arange(len(row))).all():
        return OrderedItems(items, None, _remark(items, counts))
    moved = np.array(flat, dtype=object)[order].tolist()
    new = [moved[start:end] for start, end in pairwise(accumulate(counts.tolist(), initial=0))]
    place = np.empty_like(order)  # of every given choice among the new ones
    place[order] = np.arange(len(row)) - starts[row]
    answers = items["answer"].to_numpy(dtype=np.int64, na_value=-1, copy=True)
    known = np.flatnonzero(answers >= 0)
    answers[known] = place[starts[known] + answers[known]]
    ordered = items.assign(
        choices=pd.Series(new, dtype=object, index=items.index),
        answer=pd.arrays.IntegerArray(answers, answers < 0),
    )
    return OrderedItems(ordered, choices, _remark(items, counts))


def _keys(flat: list[str], questions: list[str], row: NDArray[np.int64]) -> NDArray[np.uint64]:
    """What the choices of an item are sorted by, (choices of all items,)."""
    own, asked = (
        pd.util.hash_array(np.array(texts, dtype=object), categorize=False)
        for texts in (flat, questions)
    )
    return mixed(own, asked[row])


def _sorted_within(
    keys: NDArray[np.uint64], row: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The order that sorts the choices of every item by key, (choices of all items,)."""
    most = int(counts.max())
    if (counts == most).all():
        starts = np.arange(len(counts))[:, None] * most
        return (np.argsort(keys.reshape(-1, most), axis=1, kind="stable") + starts).ravel()
    return np.asarray(np.lexsort((keys, row)))


def _speaks_of_places(flat: list[str]) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array(flat, pa.string()), _SPEAKS_OF_PLACES)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _remark(items: pd.DataFrame, counts: NDArray[np.int64]) -> str:
    answers = items["answer"].to_numpy(dtype=np.int64, na_value=-1)
    known = answers >= 0
    if known.sum() < _FEWEST_TOLD:
        return ""
    for name, places in (("first", answers[known]), ("last", (counts - 1 - answers)[known])):
        share = float((places == 0).mean())
        if share >= _NEARLY_ALL:
            return _sentence(name, share)
    number, most = max(enumerate(np.bincount(answers[known])), key=lambda own: own[1])
    share = float(most / known.sum())
    return _sentence(f"in place {number + 1}", share) if share >= _NEARLY_ALL else ""


def _remark_on_classes(items: pd.DataFrame, classes: Sequence[str]) -> str:
    answers = items["answer"].to_numpy(dtype=np.int64, na_value=-1)
    known = answers[answers >= 0]
    if known.size < _FEWEST_TOLD:
        return ""
    number, most = max(enumerate(np.bincount(known).tolist()), key=lambda own: own[1])
    share = most / known.size
    if share < _NEARLY_ALL:
        return ""
    if share == 1:
        return (
            f"the right answer is {short(classes[number])} in every item, so there is nothing to "
            "learn; look whether the column holds right answers."
        )
    return (
        f"the right answer is {short(classes[number])} in {100 * share:.0f} % of the items: always "
        "answering it is right as often."
    )


def _sentence(place: str, share: float) -> str:
    among = "every item" if share == 1 else f"{100 * share:.0f} % of the items"
    return (
        f"the right answer stands {place} in {among}; the choices of each item are put in an order "
        "of their own, so that no place is right more often than others."
    )
