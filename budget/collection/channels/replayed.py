"""A supplier who answers what was answered once: real judgments of the past, played again."""

from collections import Counter

import numpy as np
import pandas as pd

from annotation.arrays import generator
from budget.collection.channels.base import Fetched


class ReplayedAnnotators:
    """Gives judgments that were collected before, each once, as they are ordered.

    Which of an item's judgments come first is the seed's. An item with fewer judgments than were
    ordered gives those that it has.

    Parameters
    ----------
    judgments : a judgment table; `source_id` has to tell its rows apart
    seed : of the order
    """

    def __init__(self, judgments: pd.DataFrame, seed: int) -> None:
        there = judgments.sort_values(["item_id", "source_id"], kind="stable")
        order = generator("replayed judgments", seed, "").permutation(len(there))
        mixed = there.iloc[np.asarray(order)]
        self._judgments = mixed.sort_values("item_id", kind="stable").reset_index(drop=True)
        self._rank = self._judgments.groupby("item_id", sort=False).cumcount()
        self._ordered: Counter[str] = Counter()

    def send(self, lines: pd.DataFrame) -> str:
        """Note how many judgments of each item were ordered in all."""
        wanted = lines.groupby("item_id")["judgments"].sum()
        self._ordered = Counter({str(item): int(count) for item, count in wanted.items()})
        return f"{len(lines):,} items are asked about again"

    def fetch(self) -> Fetched:
        """What people answered then, as far as it was ordered."""
        ordered = self._judgments["item_id"].map(self._ordered).fillna(0)
        given = self._judgments[(self._rank < ordered).to_numpy()]
        return Fetched(given.sort_values("source_id").reset_index(drop=True), whole=True)
