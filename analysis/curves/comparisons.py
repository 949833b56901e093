"""Compare two learning curves in pairs: at the same number of labels, at the same money.

Both curves hold the answers themselves, so that a difference is taken seed by seed and item by
item before anything is averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from annotation.arrays import Array, Correct


@dataclass(frozen=True)
class AccuracyCurve:
    """Accuracy at growing purchases of one kind of label, with straight lines between them.

    `costs` (sizes,) rise strictly; `correct` (sizes, seeds, items) are the answers on the test
    items, whose clusters are `clusters`.
    """

    costs: Array
    correct: Correct
    clusters: ItemClusters

    @property
    def means(self) -> Array:
        """Accuracy over seeds and items, (sizes,)."""
        return np.asarray(self.correct.mean((1, 2)))

    def point(self, index: int) -> Estimate:
        """Accuracy at the size of this index, with its interval."""
        return self.clusters.accuracy(self.correct[index])

    def between(self, costs: Array) -> Array:
        """What lies on the lines at other costs, (costs, seeds, items).

        Raises ValueError for a cost outside those that were measured.
        """
        if costs.size and (costs.min() < self.costs[0] or costs.max() > self.costs[-1]):
            raise ValueError(f"costs should be within {self.costs[0]} and {self.costs[-1]}.")
        last = self.costs.size - 1
        right = np.searchsorted(self.costs, costs).clip(min(1, last), last)
        left = (right - 1).clip(0, None)
        span = np.where(right > left, self.costs[right] - self.costs[left], 1.0)
        weight = ((costs - self.costs[left]) / span)[:, None, None]
        table = self.correct[left] * (1 - weight) + self.correct[right] * weight
        return np.asarray(table)


def accuracy_curve(
    correct: Sequence[Correct], costs: Sequence[float], clusters: ItemClusters
) -> AccuracyCurve:
    """The curve of purchases of rising cost.

    Parameters
    ----------
    correct : per size, correctness on the test items, (seeds, items); seeds are matched
    costs : per size, what the purchase costs
    clusters : of the test items

    Raises ValueError if the costs do not rise or are not one per size.
    """
    prices = np.asarray(costs, dtype=np.float64)
    if len(correct) != prices.size or prices.size == 0 or np.any(np.diff(prices) <= 0):
        raise ValueError("'costs' should rise and be one per size.")
    return AccuracyCurve(prices, np.stack(correct), clusters)


def equal_count_difference(easy: AccuracyCurve, hard: AccuracyCurve, index: int) -> Estimate:
    """Easy minus hard at the size of this index."""
    return easy.clusters.difference(easy.correct[index], hard.correct[index])


def equal_cost_differences(
    easy: AccuracyCurve, hard: AccuracyCurve
) -> list[tuple[float, Estimate]]:
    """Easy minus hard at every cost that was measured for one and lies on the line of the other.

    Empty where no money was spent on both.
    """
    costs, tables = equal_cost_tables(easy, hard)
    return [
        (float(cost), easy.clusters.mean(table)) for cost, table in zip(costs, tables, strict=True)
    ]


def equal_cost_tables(easy: AccuracyCurve, hard: AccuracyCurve) -> tuple[Array, Array]:
    """Costs at which both lines are known and one bends, (costs,); easy minus hard there.

    The differences are (costs, seeds, items).
    """
    costs = np.union1d(easy.costs, hard.costs)
    low, high = max(easy.costs[0], hard.costs[0]), min(easy.costs[-1], hard.costs[-1])
    costs = costs[(costs >= low) & (costs <= high)]
    return costs, easy.between(costs) - hard.between(costs)
