"""Compare two learning curves in pairs: at the same number of labels, at the same money.

Both curves hold the answers themselves, so that a difference is taken seed by seed and item by
item before anything is averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.accuracy import CONFIDENCE, ItemClusters
from analysis.estimates import Estimate
from annotation.arrays import Array, Correct

Arm = Literal["easy", "hard"]


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
    costs, tables = _difference(easy, hard)
    return [
        (float(cost), easy.clusters.mean(table)) for cost, table in zip(costs, tables, strict=True)
    ]


def equal_cost_crossings(easy: AccuracyCurve, hard: AccuracyCurve) -> list[tuple[Arm, Estimate]]:
    """Where the lines of two curves cross, each with the arm that is better for less money.

    The better arm may change from easy to hard and from hard to easy; each is found at most once.
    Lines that change sides several times, as noisy ones do, cross where the least area between
    them is left on the wrong side. A draw whose lines do not cross where both were measured counts
    as one that crosses beyond; the crossing is resolved where the interval of the draws ends
    within, and has no numbers otherwise.
    """
    costs, tables = _difference(easy, hard)
    if costs.size < 2:
        return []
    draws = np.stack([easy.clusters.draws(table) for table in tables], axis=1)
    return crossings(costs, tables.mean((1, 2)), draws)


def crossings(costs: Array, means: Array, draws: Array) -> list[tuple[Arm, Estimate]]:
    """Where a lead of easy labels, (costs,) with draws (draws, costs), turns; as told above."""
    found: list[tuple[Arm, Estimate]] = []
    arms: tuple[tuple[Arm, int], ...] = (("easy", 1), ("hard", -1))
    for better_below, sign in arms:
        place = float(_loss_of_lead(costs, sign * means[None])[0])
        if not np.isfinite(place):
            continue
        places = _loss_of_lead(costs, sign * draws)
        tail = (1 - CONFIDENCE) / 2
        # Order statistics: between a place and one beyond there is no mean.
        low = float(np.quantile(places, tail, method="lower"))
        high = float(np.quantile(places, 1 - tail, method="higher"))
        if np.isfinite(low) and np.isfinite(high):
            found.append((better_below, Estimate(estimate=place, low=low, high=high)))
        else:
            found.append((better_below, Estimate(estimate=None, low=None, high=None)))
    return found


def _difference(easy: AccuracyCurve, hard: AccuracyCurve) -> tuple[Array, Array]:
    """Costs at which both lines are known and one bends, (costs,); easy minus hard there.

    The differences are (costs, seeds, items).
    """
    costs = np.union1d(easy.costs, hard.costs)
    low, high = max(easy.costs[0], hard.costs[0]), min(easy.costs[-1], hard.costs[-1])
    costs = costs[(costs >= low) & (costs <= high)]
    return costs, easy.between(costs) - hard.between(costs)


def _loss_of_lead(costs: Array, leads: Array) -> Array:
    """Where each broken line turns from above zero to below, (lines,).

    That is where its integral from the left is largest. -inf where this is the left end (there
    was no lead to lose), inf where it is the right end (the lead was kept).

    `leads` (lines, costs) are the heights of the lines at `costs`, which rise.
    """
    left, right = leads[:, :-1], leads[:, 1:]
    widths = np.diff(costs)
    areas = np.cumsum((left + right) / 2 * widths, axis=1)
    before = np.concatenate([np.zeros((len(leads), 1)), areas[:, :-1]], axis=1)
    falls = (left > 0) & (right < 0)
    share = np.where(falls, left / np.where(falls, left - right, 1.0), 0.0)
    # A falling piece reaches zero inside; its integral is largest there, by a triangle.
    inside = np.where(falls, before + left * share * widths / 2, -np.inf)
    peaks = np.concatenate([np.zeros((len(leads), 1)), areas, inside], axis=1)
    zeros = costs[:-1] + share * widths
    ends = np.broadcast_to(np.concatenate([[-np.inf], costs[1:-1], [np.inf]]), leads.shape)
    places = np.concatenate([ends, zeros], axis=1)
    largest: Array = np.take_along_axis(places, peaks.argmax(axis=1)[:, None], axis=1)[:, 0]
    return largest
