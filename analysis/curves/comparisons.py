"""Compare two learning curves in pairs: at the same number of labels, at the same money.

Both curves hold draws of one `Resampling`, so that a draw resamples the same test items and seeds
for both, and the interval of a difference is that of its paired draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE, Resampling, interval
from analysis.estimates import Estimate
from annotation.arrays import Array

Arm = Literal["easy", "hard"]


@dataclass(frozen=True)
class AccuracyCurve:
    """Accuracy at growing purchases of one kind of label, with straight lines between them.

    `costs` (sizes,) rise strictly; `means` (sizes,) are over seeds and items; `draws`
    (draws, sizes) are their bootstrap draws.
    """

    costs: Array
    means: Array
    draws: Array

    def point(self, index: int) -> Estimate:
        """Accuracy at the size of this index, with its interval."""
        return interval(self.means[index], self.draws[:, index])

    def between(self, costs: Array) -> tuple[Array, Array]:
        """Accuracy at other costs, (costs,), and its draws, (draws, costs).

        Raises ValueError for a cost outside those that were measured.
        """
        if costs.size and (costs.min() < self.costs[0] or costs.max() > self.costs[-1]):
            raise ValueError(f"costs should be within {self.costs[0]} and {self.costs[-1]}.")
        last = self.costs.size - 1
        right = np.searchsorted(self.costs, costs).clip(min(1, last), last)
        left = (right - 1).clip(0, None)
        span = np.where(right > left, self.costs[right] - self.costs[left], 1.0)
        weight = (costs - self.costs[left]) / span
        means = self.means[left] * (1 - weight) + self.means[right] * weight
        draws = self.draws[:, left] * (1 - weight) + self.draws[:, right] * weight
        return means, draws


def accuracy_curve(
    correct: Sequence[NDArray[np.bool_]], costs: Sequence[float], resampling: Resampling
) -> AccuracyCurve:
    """The curve of purchases of rising cost.

    Parameters
    ----------
    correct : per size, correctness on the test items, (seeds, items); seeds are matched
    costs : per size, what the purchase costs

    Raises ValueError if the costs do not rise or are not one per size.
    """
    prices = np.asarray(costs, dtype=np.float64)
    if len(correct) != prices.size or prices.size == 0 or np.any(np.diff(prices) <= 0):
        raise ValueError("'costs' should rise and be one per size.")
    return AccuracyCurve(
        prices,
        np.array([own.mean() for own in correct]),
        np.stack([resampling.accuracy(own) for own in correct], axis=1),
    )


def equal_count_difference(easy: AccuracyCurve, hard: AccuracyCurve, index: int) -> Estimate:
    """Easy minus hard at the size of this index."""
    return interval(
        easy.means[index] - hard.means[index], easy.draws[:, index] - hard.draws[:, index]
    )


def equal_cost_differences(
    easy: AccuracyCurve, hard: AccuracyCurve
) -> list[tuple[float, Estimate]]:
    """Easy minus hard at every cost that was measured for one and lies on the line of the other.

    Empty where no money was spent on both.
    """
    costs, means, draws = _difference(easy, hard)
    return [
        (float(cost), interval(means[index], draws[:, index])) for index, cost in enumerate(costs)
    ]


def equal_cost_crossings(easy: AccuracyCurve, hard: AccuracyCurve) -> list[tuple[Arm, Estimate]]:
    """Where the lines of two curves cross, each with the arm that is better for less money.

    The better arm may change from easy to hard and from hard to easy; each is found at most once.
    Lines that change sides several times, as noisy ones do, cross where the least area between
    them is left on the wrong side. A draw whose lines do not cross where both were measured counts
    as one that crosses beyond; the crossing is resolved where the interval of the draws ends
    within, and has no numbers otherwise.
    """
    costs, means, draws = _difference(easy, hard)
    found: list[tuple[Arm, Estimate]] = []
    if costs.size < 2:
        return found
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


def _difference(easy: AccuracyCurve, hard: AccuracyCurve) -> tuple[Array, Array, Array]:
    """Costs at which both lines are known and one bends, (costs,); easy minus hard; its draws."""
    costs = np.union1d(easy.costs, hard.costs)
    low, high = max(easy.costs[0], hard.costs[0]), min(easy.costs[-1], hard.costs[-1])
    costs = costs[(costs >= low) & (costs <= high)]
    easy_means, easy_draws = easy.between(costs)
    hard_means, hard_draws = hard.between(costs)
    return costs, easy_means - hard_means, easy_draws - hard_draws


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
