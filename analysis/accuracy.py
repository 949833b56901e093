"""Accuracy with intervals: items and seeds resampled, the same way for every condition.

One `Resampling` serves all conditions of a test set, so that every difference and ratio is
paired. Items are resampled by cluster (`group`), seeds with replacement. A bootstrap over S seeds
understates their variance by (S - 1) / S; the seed part is widened by the square root of its
inverse.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.estimates import Estimate
from annotation.arrays import Array

CONFIDENCE = 0.95
DRAWS = 4000


class Resampling:
    """Bootstrap draws over the clusters of a test set, shared by all conditions.

    Parameters
    ----------
    groups : (items,) cluster of each test item
    draws : number of bootstrap draws
    seed : of the draws; the same seed gives the same intervals
    """

    def __init__(self, groups: NDArray[np.object_], draws: int = DRAWS, seed: int = 0) -> None:
        names, self._cluster = np.unique(groups.astype(str), return_inverse=True)
        self._clusters = names.size
        self.draws = draws
        self._seed = seed

    @cached_property
    def _counts(self) -> Array:
        """How often each cluster was drawn: (draws, clusters)."""
        rng = np.random.default_rng([self._seed, 1])
        even = np.full(self._clusters, 1 / self._clusters)
        return rng.multinomial(self._clusters, even, size=self.draws).astype(np.float64)

    @cached_property
    def _drawn_items(self) -> Array:
        return self._counts @ np.bincount(self._cluster, minlength=self._clusters)

    def _seed_weights(self, seeds: int) -> Array:
        """Weight of each seed in each draw: (draws, seeds), rows sum to one."""
        if seeds == 1:
            return np.ones((self.draws, 1))
        rng = np.random.default_rng([self._seed, 2, seeds])
        drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=self.draws) / seeds
        widened: Array = 1 / seeds + np.sqrt(seeds / (seeds - 1)) * (drawn - 1 / seeds)
        return widened

    def accuracy(self, correct: NDArray[np.bool_]) -> Array:
        """Bootstrap draws of the mean accuracy; `correct` (seeds, items) -> (draws,)."""
        by_cluster = np.stack(
            [np.bincount(self._cluster, row, minlength=self._clusters) for row in correct], axis=1
        )  # (clusters, seeds)
        per_seed = self._counts @ by_cluster / self._drawn_items[:, None]  # (draws, seeds)
        # Widened weights may be negative; an accuracy is not.
        accuracy: Array = (per_seed * self._seed_weights(correct.shape[0])).sum(1)
        return accuracy.clip(0.0, 1.0)


def interval(estimate: float, draws: Array, confidence: float = CONFIDENCE) -> Estimate:
    """An estimate with the percentile interval of its bootstrap draws."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(estimate=float(estimate), low=float(low), high=float(high))
