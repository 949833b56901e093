"""Accuracies, their differences and ratios, each with its interval over items and seeds.

One `ItemClusters` serves all conditions of a test set, so that differences and ratios are paired:
they are taken cell by cell before anything is averaged. Items are clustered by their `group`.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from analysis.estimates import Estimate
from analysis.two_way import two_way_spread
from annotation.arrays import Array, Correct
from annotation.intervals import wilson

CONFIDENCE = 0.95
DRAWS = 4000
_FARTHEST = 1e9  # where the search for the end of a ratio's interval is given up


class ItemClusters:
    """Clusters of the items of a test set, for the intervals of everything measured on it.

    A table is (seeds, items): the correctness of one condition, or a difference of several, whose
    seeds are matched. With fewer than two clusters there is no interval.

    Parameters
    ----------
    groups : (items,) cluster of each test item
    draws, seed : how many draws `draws` makes, and which; the same seed gives the same
    """

    def __init__(self, groups: NDArray[np.object_], draws: int = DRAWS, seed: int = 0) -> None:
        names, self._cluster = np.unique(groups.astype(str), return_inverse=True)
        self._clusters = names.size
        self.drawn = draws
        self._seed = seed

    def accuracy(self, correct: Correct, confidence: float = CONFIDENCE) -> Estimate:
        """The mean of `correct` (seeds, items), with Wilson's interval for as many items as tell.

        These are p (1 - p) / variance (Korn and Graubard 1998, Survey Methodology 24), at most the
        answers there are. Where all or none are right, they are the clusters.
        """
        share = float(correct.mean())
        if self._clusters < 2:
            return _alone(share)
        spread = two_way_spread(correct.astype(np.float64), self._cluster)
        half, quantile = float(spread.half_width(confidence)), spread.quantiles(confidence)[0]
        effective = float(self._clusters if share in (0.0, 1.0) else correct.size)
        if half > 0:
            effective = min(effective, share * (1 - share) * (quantile / half) ** 2)
        found = wilson(share, effective, quantile)
        return Estimate(estimate=share, low=found.low, high=found.high)

    def mean(self, table: Array, confidence: float = CONFIDENCE) -> Estimate:
        """The mean of any table (seeds, items)."""
        mean = float(table.mean())
        if self._clusters < 2:
            return _alone(mean)
        half = float(two_way_spread(table, self._cluster).half_width(confidence))
        return Estimate(estimate=mean, low=mean - half, high=mean + half)

    def difference(self, one: Correct, other: Correct, confidence: float = CONFIDENCE) -> Estimate:
        """Accuracy of one condition minus that of another, paired over items and seeds."""
        return self.mean(difference_table(one, other), confidence)

    def ratio(self, over: Array, under: Array, confidence: float = CONFIDENCE) -> Estimate:
        """Mean of one table over that of another, with Fieller's interval (1954, JRSS B 16).

        A ratio lies within it if the interval of `over` - ratio `under` holds zero. No numbers
        where the interval of `under` does not lie above zero: any ratio may then be true.
        """
        below = self.mean(under, confidence)
        if below.low is None or below.low <= 0 or below.estimate is None:
            return _alone(None)
        mean_over, mean_under = float(over.mean()), below.estimate

        def beyond(ratio: float) -> float:
            """Below zero where a ratio is within the interval."""
            spread = two_way_spread(over - ratio * under, self._cluster)
            return abs(mean_over - ratio * mean_under) - float(spread.half_width(confidence))

        ratio = mean_over / mean_under
        low, high = _end(beyond, ratio, -1.0), _end(beyond, ratio, 1.0)
        return Estimate(estimate=ratio, low=low, high=high)

    def draws(self, table: Array) -> Array:
        """Draws of the mean of a table (seeds, items), (draws,), for what no formula has.

        All tables of a test set share the same draws of items, and those of as many seeds the
        same draws of seeds. Items are resampled by cluster; seeds move the mean by draws of t.
        """
        counts = self._counts
        by_cluster = np.bincount(self._cluster, table.mean(0), minlength=self._clusters)
        mean = float(table.mean())
        of_items = counts @ by_cluster / self._drawn_items - mean
        if self._clusters < 2 or len(table) < 2:
            return np.asarray(mean + of_items)
        spread = two_way_spread(table, self._cluster)
        if not spread.seeds_count:
            return np.asarray(mean + of_items)
        alone = np.sqrt(max(0.0, 1 - float(spread.interaction) / max(float(spread.items), 1e-300)))
        return np.asarray(mean + alone * of_items + self._seed_draws(len(table)) @ table.mean(1))

    @cached_property
    def _counts(self) -> Array:
        """How often each cluster was drawn: (draws, clusters)."""
        rng = np.random.default_rng([self._seed, 1])
        even = np.full(self._clusters, 1 / self._clusters)
        return rng.multinomial(self._clusters, even, size=self.drawn).astype(np.float64)

    @cached_property
    def _drawn_items(self) -> Array:
        return self._counts @ np.bincount(self._cluster, minlength=self._clusters)

    def _seed_draws(self, seeds: int) -> Array:
        """Weights (draws, seeds), each row summing to zero, that move a mean of seeds as t does.

        A row times the seeds' values has the distribution of their standard error times Student's
        t of as many degrees of freedom as there are seeds but one.
        """
        rng = np.random.default_rng([self._seed, 2, seeds])
        normal = rng.standard_normal((self.drawn, seeds))
        normal -= normal.mean(1, keepdims=True)
        square = rng.chisquare(seeds - 1, (self.drawn, 1))
        return np.asarray(normal / np.sqrt(seeds * square))


def difference_table(one: Correct, other: Correct) -> Array:
    """One minus the other, cell by cell, (seeds, items); one seed stands against all of another.

    Raises ValueError for numbers of seeds that are not matched.
    """
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        raise ValueError(f"seeds should be matched; got {len(one)} and {len(other)}.")
    return np.asarray(one.astype(np.float64) - other.astype(np.float64))


def _alone(value: float | None) -> Estimate:
    return Estimate(estimate=value, low=None, high=None)


def _end(beyond: Callable[[float], float], inside: float, direction: float) -> float:
    """Where, on one side of a value that is within the interval, it ends."""
    if beyond(inside + direction * 1e-12 * max(1.0, abs(inside))) > 0:
        return inside  # nothing varies
    step = 1e-3 * max(1.0, abs(inside))
    near = inside
    while beyond(far := inside + direction * step) <= 0:
        near, step = far, step * 1.5
        if step > _FARTHEST:
            return far
    return float(brentq(beyond, near, far, xtol=1e-12))


def interval(estimate: float, draws: Array, confidence: float = CONFIDENCE) -> Estimate:
    """An estimate with the percentile interval of its draws."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Estimate(estimate=float(estimate), low=float(low), high=float(high))
