"""Rehearsals by what one part of the test items taught; every guess is made once."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.terms.cost import LabelTerms
from training.unlabelled.rehearsing import (
    Guessed,
    Guesser,
    Known,
    Rows,
    imagined_purchase,
)


class Rehearser:
    """Imagines purchases, and says how doubtful they are.

    Parameters
    ----------
    guesser : taught a part of the test items
    unlabelled : gives the rows of a stratum's items that are looked at
    choices : (items,) of all rows
    target : the stratum that counts
    others, answers : rows of the target's test items that were not taught, and their answers
    """

    def __init__(
        self,
        guesser: Guesser,
        unlabelled: Callable[[str], Rows],
        choices: NDArray[np.int64],
        target: str,
        others: Rows,
        answers: NDArray[np.int64],
    ) -> None:
        self._guesser, self._unlabelled, self._choices = guesser, unlabelled, choices
        self._target, self._others, self._answers = target, others, answers
        self._guesses: dict[tuple[str, bytes], tuple[Guessed, float]] = {}

    def imagine(
        self,
        mix: Mapping[str, int],
        known: Mapping[str, Known],
        terms: Mapping[str, LabelTerms],
        generator: Callable[[str], np.random.Generator],
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Rows and noisy labels of a purchase.

        `known` has every stratum of `mix`, where nobody labelled any of it with no labels; they
        help to guess the others of the stratum.
        """
        guessed = {name: self._guessed(name, known)[0] for name in mix}
        return imagined_purchase(guessed, mix, terms, self._choices, generator)

    def doubts(self, mix: Mapping[str, int], known: Mapping[str, Known]) -> tuple[float, float]:
        """Surprise and overconfidence of what an imagined mix rests on, see `Rehearsed`."""
        surprise = max(self._guessed(name, known)[0].surprise for name in mix)
        over = self._guessed(self._target, known)[1] if self._target in mix else 0.0
        return surprise, over

    def _guessed(self, name: str, known: Mapping[str, Known]) -> tuple[Guessed, float]:
        """Guesses, and their overconfidence where they are of the target."""
        key = name, known[name].as_bytes()
        if key not in self._guesses:
            found, over = self._guesser.guess(self._unlabelled(name), known[name]), 0.0
            if name == self._target:
                over = self._guesser.overconfidence(found, self._others, self._answers)
            self._guesses[key] = found, over
        return self._guesses[key]
