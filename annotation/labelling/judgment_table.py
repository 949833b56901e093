"""All judgments of every item as one array, for whoever trains on how far people agree."""

import numpy as np
import pandas as pd

from annotation.arrays import IntArray, generator
from annotation.terms.majority import NO_JUDGMENT
from annotation.truth.coding import usable


def judgments_of_items(judgments: pd.DataFrame, items: pd.DataFrame, seed: int = 0) -> IntArray:
    """Which choice of its item each judgment names, (items, most judgments of an item).

    `NO_JUDGMENT` where an item has fewer. What each person said last of an item counts; the
    judgments of an item stand in an order that the seed draws, so that the first of equally
    frequent ones is no particular one.

    `judgments` is a valid judgment table whose labels are choices of their items
    (`annotation.judgments.item_checks`).
    """
    there = usable(judgments)
    there = there[there["label"].notna()]
    place = {item_id: number for number, item_id in enumerate(items["item_id"])}
    item = there["item_id"].map(place).to_numpy(dtype=np.int64)
    own = [
        {text.strip(): code for code, text in enumerate(choices)} for choices in items["choices"]
    ]
    texts = there["label"].str.strip()
    chosen = np.array([own[i][text] for i, text in zip(item, texts, strict=True)], dtype=np.int64)
    drawn = generator("judgments", seed, "").random(item.size)
    order = np.lexsort([drawn, item])
    counts = np.bincount(item, minlength=len(items))
    starts = np.cumsum(counts) - counts
    rank = np.arange(item.size) - np.repeat(starts, counts)
    found = np.full((len(items), int(counts.max(initial=0))), NO_JUDGMENT, dtype=np.int64)
    found[item[order], rank] = chosen[order]
    return found
