"""Test items whose labels a planning trial may borrow; it is scored on the others."""

import numpy as np

from annotation.arrays import IntArray, Mask, Positions, generator
from annotation.groups import together, touches
from annotation.labelling.labels import Labels
from annotation.labelling.simulated import SimulatedAnnotators


class Lender:
    """Lends labels of the target's test items, with errors as often as the target's terms state.

    Parameters
    ----------
    test : (test items,), positions of the target's test items
    annotators : who err, and know the right answers
    target : at whose terms they err
    stream : begins the names of the streams of random numbers
    groups : (test items,), a number for each one's group; None: each is its own
    """

    def __init__(
        self,
        test: Positions,
        answers: IntArray,
        annotators: SimulatedAnnotators,
        target: str,
        stream: str = "",
        groups: IntArray | None = None,
    ) -> None:
        self._test, self._answers = test, answers
        self._annotators, self._target, self._stream = annotators, target, stream
        self._groups = np.arange(test.size) if groups is None else groups

    def lend(self, count: int, seed: int) -> Labels:
        """The same for the same seed; fewer labels are the beginning of more."""
        positions = self.positions(count, seed)
        return self._annotators.judged(positions, self._target, "lent errors", seed, "")

    def lend_right(self, count: int, seed: int) -> tuple[Positions, IntArray]:
        """The same items with their right answers."""
        positions = self.positions(count, seed)
        return positions, self._answers[positions]

    def positions(self, count: int, seed: int) -> Positions:
        """The items that are lent, (count,)."""
        return self._test[self.places(count, seed)]

    def places(self, count: int, seed: int) -> IntArray:
        """Which of the test items are lent, group by group, (count,)."""
        order = generator(f"{self._stream}lent", seed, "").permutation(self._test.size)
        return together(order, self._groups)[:count]

    def scored(self, count: int, seed: int) -> Mask:
        """Which test items count after so many were lent: none of a group that was lent.

        (test items,).
        """
        return ~touches(np.arange(self._test.size), self._groups, self.places(count, seed))
