"""Test items whose labels a planning trial may borrow; it is scored on the others."""

import numpy as np
from numpy.typing import NDArray

from annotation.terms.noise import draw_labels
from budget.backtest.offers import TrainingSet, generator
from budget.worlds.world import World


class Lender:
    """Lends labels of a world's test items, with errors as often as the target's terms state."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lend(self, count: int, seed: int) -> TrainingSet:
        """The same for the same seed; fewer labels are the beginning of more."""
        world, items = self._world, self._world.items
        positions = self._positions(count, seed)
        terms = world.terms[items.target]
        labels = draw_labels(
            items.answers[positions],
            items.choice_counts[positions],
            terms.error_rate,
            terms.error_kind,
            generator(world.name, "lent errors", seed, ""),
        )
        return TrainingSet(positions, labels)

    def lend_right(self, count: int, seed: int) -> TrainingSet:
        """The same items with their right answers."""
        positions = self._positions(count, seed)
        return TrainingSet(positions, self._world.items.answers[positions])

    def _positions(self, count: int, seed: int) -> NDArray[np.int64]:
        world, test = self._world, self._world.items.test
        return np.asarray(test[lent_places(world.name, test.size, count, seed)])


def lent_places(world: str, test_items: int, count: int, seed: int) -> NDArray[np.int64]:
    """Which of the test items are lent, (count,)."""
    return generator(world, "lent", seed, "").permutation(test_items)[:count]
