"""The target's learning curve from labels that the test set lends, before anything is bought."""

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from budget.campaign.lent_curve import CURVE_SEEDS, curve_sizes
from budget.campaign.play import Borrowing, Correct, Lesson
from budget.market.market import Market
from budget.surface.observation import Observation


def borrowed_curve(market: Market) -> Generator[Sequence[Lesson], Correct, list[Observation]]:
    """One observation per size; none from a test set that lends nothing. Use by `yield from`."""
    sizes, seeds = curve_sizes(market.groups.size), range(CURVE_SEEDS)
    if not sizes or not market.lends:
        return []
    correct = yield [Borrowing(size, seed) for size in sizes for seed in seeds]
    by_size = np.asarray(correct).reshape(len(sizes), len(seeds), -1)
    return [
        Observation(
            labels={},
            correct=own,
            pilot_share=0.0,
            borrowed=size,
            scored=np.stack([market.scored(size, seed) for seed in seeds]),
        )
        for size, own in zip(sizes, by_size, strict=True)
    ]


def as_points(
    curve: Sequence[Observation], market: Market
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The curve's mixes (sizes, strata), of the target's labels alone, and accuracies (sizes,)."""
    place = market.strata.index(market.target)
    counts = np.zeros((len(curve), len(market.strata)), dtype=np.int64)
    counts[:, place] = [own.borrowed for own in curve]
    return counts, np.array([own.accuracy for own in curve])
