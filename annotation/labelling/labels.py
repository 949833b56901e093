"""Labels with a source: what items were called, by whom it was said, and how surely."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from annotation.arrays import Array, IntArray, Positions, mixed
from annotation.terms.majority import majority_label
from annotation.ties import OF_POSTERIORS, pick, tie_draws


@dataclass(frozen=True)
class Labels:
    """Labelled items, whatever their labels come from.

    A judgment is the index of a choice, `NO_JUDGMENT` (-1) where an item has fewer than others; of
    a free-form item it is 0, its only known answer.

    Attributes
    ----------
    positions : (labels,), which items
    judgments : (labels, most judgments per label), what annotators said
    redraw_rates : (labels,), how often a judgment is a redraw over the item's choices; with
        `posteriors`, how often the label is
    posteriors : (labels, most choices of all items), probability of every choice, rows sum to 1;
        None where the judgments and their redraw rates say all there is
    """

    positions: Positions
    judgments: IntArray
    redraw_rates: Array
    posteriors: Array | None = None

    @cached_property
    def labels(self) -> IntArray:
        """The label of each item, (labels,): the likeliest choice, or the judgments' majority.

        Of choices that are as likely one is drawn, by the item and what was said of it.
        """
        if self.posteriors is not None:
            content = self.positions.astype(np.uint64)
            for judged in self.judgments.T:
                content = mixed(content, judged.astype(np.uint64))
            draws = tie_draws(content, self.posteriors.shape[1])
            return pick(self.posteriors, draws, OF_POSTERIORS)
        if self.judgments.shape[1] == 1:
            return self.judgments[:, 0]
        return majority_label(self.judgments)

    @cached_property
    def key(self) -> str:
        """A hash of all of it: what is trained on is the same where the key is."""
        digest = hashlib.sha256()
        # What is drawn of a tie is trained on, too, and no other array tells it.
        drawn = None if self.posteriors is None else self.labels
        for array in (self.positions, self.judgments, self.redraw_rates, self.posteriors, drawn):
            if array is not None:
                digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return int(self.positions.size)

    def chosen(self, places: IntArray) -> "Labels":
        """Some of the labels, by their places here."""
        posteriors = None if self.posteriors is None else self.posteriors[places]
        return Labels(
            self.positions[places], self.judgments[places], self.redraw_rates[places], posteriors
        )


class Labeller(Protocol):
    """Who labels items: simulated annotators, people whose judgments were collected, a machine.

    For one seed, fewer labels are the beginning of more, so that purchases compare in pairs.
    """

    def available(self, stratum: str) -> int:
        """How many items of a stratum it can label."""

    def labels(self, stratum: str, count: int, seed: int) -> Labels:
        """So many labels of a stratum, in the order of a seed.

        Raises InputError if there are not so many.
        """


def joined(parts: Sequence[Labels], judgments: int = 1) -> Labels:
    """Labels of several strata as one, in order; of no part, none of so many `judgments` each."""
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Labels(nothing, nothing.reshape(0, judgments), np.empty(0))
    posteriors = [part.posteriors for part in parts if part.posteriors is not None]
    if posteriors and len(posteriors) < len(parts):
        raise ValueError("labels with posteriors and labels without them cannot be joined.")
    return Labels(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.judgments for part in parts]),
        np.concatenate([part.redraw_rates for part in parts]),
        np.concatenate(posteriors) if posteriors else None,
    )
