"""Who answered which item right: what item response theory is fitted to."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.table import gold_texts
from annotation.judgments.look_alikes import look
from annotation.judgments.number_spelling import number_of


@dataclass(frozen=True)
class Responses:
    """Right (1) and wrong (0) answers, (respondents, items); NaN where there is none.

    `respondents` (respondents,) are their names, the columns are the items of the item table.
    """

    right: NDArray[np.float64]
    respondents: tuple[str, ...]


def responses_of_judgments(items: pd.DataFrame, judgments: pd.DataFrame) -> Responses:
    """Compare every judgment with the item's gold answer.

    Texts are compared without case and surrounding spaces, numbers by value ("1,200" is 1200). Of
    several judgments of one annotator on an item the last in the table counts; judgments on other
    items, cancelled ones and those on items without a gold answer are left out.

    Raises InputError if nothing is left.
    """
    places = {item_id: place for place, item_id in enumerate(items["item_id"])}
    golds = [None if gold is None else _plain(gold) for gold in gold_texts(items)]
    rows: dict[str, int] = {}
    found: dict[tuple[int, int], float] = {}
    columns = (judgments[name].tolist() for name in ("item_id", "annotator", "label", "cancelled"))
    for item_id, annotator, label, cancelled in zip(*columns, strict=True):
        place = places.get(item_id)
        gold = None if place is None else golds[place]
        if place is None or gold is None or cancelled or not isinstance(label, str):
            continue
        row = rows.setdefault(annotator, len(rows))
        found[row, place] = float(_plain(label) == gold)
    if not found:
        raise InputError(
            "no judgment is on an item with a known answer; check that the item_ids of the "
            "judgments are those of the items, and that these have answers."
        )
    right = np.full((len(rows), len(items)), np.nan)
    index = np.array(list(found), dtype=np.int64)
    right[index[:, 0], index[:, 1]] = list(found.values())
    return Responses(right, tuple(rows))


def _plain(text: str) -> str | Decimal:
    bare = look(text).casefold()
    number = number_of(bare)
    return bare if number is None else number
