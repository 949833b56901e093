"""Test items whose labels a planning trial may borrow; it is scored on the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.noise import draw_labels
from budget.backtest.offers import TrainingSet, generator
from budget.worlds.world import World


@dataclass(frozen=True)
class Borrowing:
    """Train on so many borrowed labels; `seed` says which."""

    count: int
    seed: int


class Lender:
    """Lends labels of a world's test items, with errors as often as the target's terms state."""

    def __init__(self, world: World) -> None:
        self._world = world

    def lend(self, count: int, seed: int) -> TrainingSet:
        """The same for the same seed; fewer labels are the beginning of more."""
        world, items = self._world, self._world.items
        positions = items.test[lent_places(world.name, items.test.size, count, seed)]
        terms = world.terms[items.target]
        labels = draw_labels(
            items.answers[positions],
            items.choice_counts[positions],
            terms.error_rate,
            terms.error_kind,
            generator(world.name, "lent errors", seed, ""),
        )
        return TrainingSet(positions, labels)


def lent_places(world: str, test_items: int, count: int, seed: int) -> NDArray[np.int64]:
    """Which of the test items are lent, (count,)."""
    return generator(world, "lent", seed, "").permutation(test_items)[:count]
