"""Test items whose labels a planning trial may borrow; it is scored on the others."""

from annotation.arrays import IntArray, Positions, generator
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
    """

    def __init__(
        self,
        test: Positions,
        answers: IntArray,
        annotators: SimulatedAnnotators,
        target: str,
        stream: str = "",
    ) -> None:
        self._test, self._answers = test, answers
        self._annotators, self._target, self._stream = annotators, target, stream

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
        """Which of the test items are lent, (count,)."""
        order = generator(f"{self._stream}lent", seed, "").permutation(self._test.size)
        return order[:count]
