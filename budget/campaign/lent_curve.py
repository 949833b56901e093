"""Borrowed labels: what the test set's own answers tell about the target's labels.

A test set has known answers, or nothing could be measured. Before any target label is paid for, a
planning trial may borrow some of them: it trains on a part of the test items, with errors drawn as
often as the target's terms state, and is scored on the others. Many such parts give the whole
learning curve of target labels for no money; what is spent on learning then goes to what only a
purchase can tell, how far other strata teach the target. No model that is reported or delivered
borrows: its test set stays unseen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budget.campaign.campaign import Campaign
from budget.campaign.play import Borrowing, Playing
from budget.surface.observation import Observation

_SMALLEST = 8
_MOST = 0.8  # of the test items; the rest scores
_FEWEST_SCORED = 0.1  # of the test items: a group that is lent in part is scored in no part
CURVE_SEEDS = 16


def curve_sizes(test_items: int) -> list[int]:
    """How many labels are borrowed: doublings, and the most that leaves items to score."""
    most = int(_MOST * test_items)
    sizes = []
    size = _SMALLEST
    while size < most:
        sizes.append(size)
        size *= 2
    return [*sizes, most] if most >= _SMALLEST else []


def lent_curve(campaign: Campaign) -> Playing[list[Observation]]:
    """One observation per size; none from a test set that lends nothing. Use by `yield from`.

    Sizes that leave too few items of other groups to score are left out.
    """
    test, seeds = campaign.test, range(CURVE_SEEDS)
    fewest = _FEWEST_SCORED * test.groups.size
    sizes = [
        size
        for size in curve_sizes(test.groups.size)
        if min(int(test.scored(size, seed).sum()) for seed in seeds) >= fewest
    ]
    if not sizes or not test.lends:
        return []
    correct = yield [Borrowing(size, seed) for size in sizes for seed in seeds]
    by_size = np.asarray(correct).reshape(len(sizes), len(seeds), -1)
    return [
        Observation(
            labels={},
            correct=own,
            pilot_share=0.0,
            borrowed=size,
            scored=np.stack([test.scored(size, seed) for seed in seeds]),
        )
        for size, own in zip(sizes, by_size, strict=True)
    ]


def as_points(
    curve: Sequence[Observation], campaign: Campaign
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The curve's mixes (sizes, strata), of the target's labels alone, and accuracies (sizes,)."""
    place = campaign.strata.index(campaign.target)
    counts = np.zeros((len(curve), len(campaign.strata)), dtype=np.int64)
    counts[:, place] = [own.borrowed for own in curve]
    return counts, np.array([own.accuracy for own in curve])
