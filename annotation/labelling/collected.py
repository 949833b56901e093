"""Labels that people really gave, drawn from the judgments that were collected of them."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from annotation.arrays import Array, IntArray, Positions, generator
from annotation.errors import InputError
from annotation.labelling.labels import Labels
from annotation.truth.aggregation import Aggregator
from annotation.truth.coding import code_judgments, usable
from annotation.truth.fitted_models import FittedModels
from annotation.truth.label_file import labels_table, training_posteriors


class CollectedJudgments:
    """Labels items as people did: each label is made of so many of its item's judgments.

    Which judgments an item is labelled with, and which items come first, is the seed's: a purchase
    is a fresh draw from what was collected. Items with fewer judgments than a label takes cannot be
    labelled. No right answer is looked at.

    Parameters
    ----------
    judgments : a valid judgment table whose labels are choices of their items
        (`annotation.judgments.item_checks`); its gold answers are not read
    items : the item table
    pools : stratum -> positions of its items for sale
    redraw_rates : (items,), how often a single judgment of each item is a redraw, as measured
    per_label : judgments that a label is made of
    aggregator : how; "majority" keeps the judgments as they are, all others give every label a
        posterior by a model of the annotators, fitted to the judgments that a seed draws of all
        items; with one judgment of an item no model can doubt it
    stream : begins the name of every stream of random numbers; two streams share no luck

    Raises InputError if no item has as many judgments as a label takes, or a model is to be made of
    one judgment an item.
    """

    def __init__(
        self,
        judgments: pd.DataFrame,
        items: pd.DataFrame,
        pools: Mapping[str, Positions],
        redraw_rates: Array,
        per_label: int = 1,
        aggregator: Aggregator = "majority",
        stream: str = "",
    ) -> None:
        self._items, self._redraw_rates = items, redraw_rates
        self._per_label, self._aggregator, self._stream = per_label, aggregator, stream
        self._judgments = _usable(judgments)
        place = {item_id: number for number, item_id in enumerate(items["item_id"])}
        self._item: IntArray = self._judgments["item_id"].map(place).to_numpy(dtype=np.int64)
        self._counts = np.bincount(self._item, minlength=len(items))
        if aggregator != "majority" and per_label < 2:
            raise InputError(
                f"annotators.aggregate '{aggregator}' compares annotators, which takes 2 judgments "
                "per label at least; raise targets.judgments, or set aggregate to majority."
            )
        if not (self._counts >= per_label).any():
            raise InputError(
                f"no item has {per_label} judgments, which a label takes; lower "
                "targets.judgments, or collect more."
            )
        self._pools = {name: own[self._counts[own] >= per_label] for name, own in pools.items()}
        self._drawn: dict[int, Labels] = {}

    def available(self, stratum: str) -> int:
        """How many items of a stratum have judgments enough."""
        return int(self._pools[stratum].size)

    def labels(self, stratum: str, count: int, seed: int) -> Labels:
        """So many labels of a stratum, in the order of a seed.

        Raises InputError if there are not so many items with judgments.
        """
        there = self._pools[stratum]
        if count > there.size:
            raise InputError(
                f"stratum '{stratum}': {count} labels wanted, {there.size} items there that were "
                f"judged {self._times}; buy fewer, or collect more judgments."
            )
        order = generator(f"{self._stream}order", seed, stratum).permutation(there)
        return self.of_items(order[:count], seed)

    def of_items(self, positions: Positions, seed: int) -> Labels:
        """The labels of these items, in order.

        Raises ValueError if one has too few judgments.
        """
        if not self.can_label(positions):
            raise ValueError(f"an item was judged less than {self._times}.")
        if seed not in self._drawn:
            self._drawn[seed] = self._draw(seed)
        drawn = self._drawn[seed]
        return drawn.chosen(np.searchsorted(drawn.positions, positions))

    def always_alike(self, stratum: str) -> float:
        """Share of a stratum's items, of those it can label, that every seed labels alike.

        They have no more judgments than a label takes.
        """
        own = self._counts[self._pools[stratum]]
        return float((own == self._per_label).mean()) if own.size else 0.0

    def can_label(self, positions: Positions) -> bool:
        """Whether all of these items have judgments enough."""
        return bool((self._counts[positions] >= self._per_label).all())

    @property
    def _times(self) -> str:
        return "once" if self._per_label == 1 else f"{self._per_label} times"

    @cached_property
    def _choice(self) -> IntArray:
        """Which of its item's choices each judgment names, (judgments,)."""
        own = [
            {text.strip(): code for code, text in enumerate(choices)}
            for choices in self._items["choices"]
        ]
        texts = self._judgments["label"].str.strip()
        return np.array([own[i][t] for i, t in zip(self._item, texts, strict=True)], dtype=np.int64)

    def _draw(self, seed: int) -> Labels:
        """The labels of all items that have judgments enough, in the order of their positions."""
        chance = generator(f"{self._stream}judgments", seed, "").random(self._item.size)
        order = np.lexsort([chance, self._item])
        item = self._item[order]
        first = np.r_[True, item[1:] != item[:-1]] if item.size else np.empty(0, dtype=bool)
        starts = np.flatnonzero(first)
        rank = np.arange(item.size) - np.repeat(starts, np.diff(np.r_[starts, item.size]))
        enough = self._counts[item] >= self._per_label
        rows = order[enough & (rank < self._per_label)]
        positions = np.unique(self._item[rows])
        judgments = self._choice[rows].reshape(positions.size, self._per_label)
        rates = self._redraw_rates[positions]
        if self._aggregator == "majority":
            return Labels(positions, judgments, rates)
        posteriors = self._posteriors(rows, positions)
        several = np.array([len(own) for own in self._items["choices"].iloc[positions]])
        doubt = (1 - posteriors.max(1)) * several / np.maximum(several - 1, 1)
        return Labels(positions, judgments, np.clip(doubt, 0.0, 1.0), posteriors)

    def _posteriors(self, rows: IntArray, positions: Positions) -> Array:
        """What the model makes of these judgments, in the order of `positions`."""
        table = self._judgments.iloc[np.sort(rows)].reset_index(drop=True)
        coded = code_judgments(table, self._items)
        found = labels_table(coded, FittedModels(coded).calibrated(self._aggregator))
        labelled, posteriors = training_posteriors(found, self._items)
        return posteriors[np.argsort(labelled)][np.searchsorted(np.sort(labelled), positions)]


def _usable(judgments: pd.DataFrame) -> pd.DataFrame:
    """What each person said last of each item; gold answers are no part of it."""
    there = usable(judgments)
    return there[there["label"].notna()].assign(gold=None).reset_index(drop=True)
