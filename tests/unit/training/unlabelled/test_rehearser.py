from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.terms.cost import LabelTerms
from tests.unit.training.unlabelled.conftest import NONE, Clusters
from training.unlabelled.rehearsal import Guessed, Guesser, Known, Rehearser

ANSWERS = np.arange(400) % 2
POOLS = {"easy": np.arange(200, 300), "hard": np.arange(300, 400)}
TERMS = {name: LabelTerms(Decimal(1), 0.0, "redraw") for name in POOLS}
NOBODY = dict.fromkeys(POOLS, NONE)


class CountingGuesser(Guesser):
    guesses = 0

    def guess(self, unlabelled: NDArray[np.int64], known: Known) -> Guessed:
        self.guesses += 1
        return super().guess(unlabelled, known)


@pytest.fixture
def guesser(clusters: Clusters) -> CountingGuesser:
    return CountingGuesser(**clusters.guesser(POOLS["hard"]))


@pytest.fixture
def rehearser(guesser: Guesser) -> Rehearser:
    others = np.arange(100, 200)
    return Rehearser(
        guesser,
        POOLS.__getitem__,
        choices=np.full(400, 2),
        target="hard",
        others=others,
        answers=1 - ANSWERS[others],  # all wrong, so that overconfidence shows
    )


def easy(labels: NDArray[np.int64], rate: float = 0.0) -> dict[str, Known]:
    rows = POOLS["easy"][: len(labels)]
    return {**NOBODY, "easy": Known(rows, labels, np.full(len(labels), rate))}


def test_what_is_imagined_are_items_of_each_stratum_with_their_guesses(
    rehearser: Rehearser,
) -> None:
    rows, labels = rehearser.imagine(
        {"easy": 30, "hard": 10}, NOBODY, TERMS, lambda name: np.random.default_rng(len(name))
    )
    assert np.isin(rows[:30], POOLS["easy"]).all() and np.isin(rows[30:], POOLS["hard"]).all()
    assert (labels == ANSWERS[rows]).mean() > 0.97


def test_only_a_mix_with_the_target_can_be_overconfident(rehearser: Rehearser) -> None:
    assert rehearser.doubts({"easy": 10}, NOBODY) == (0.0, 0.0)
    surprise, over = rehearser.doubts({"easy": 5, "hard": 5}, NOBODY)
    assert surprise == 0.0
    assert over == pytest.approx(1.0, abs=0.02)


def test_a_guess_is_made_once_and_anew_when_anything_known_differs(
    rehearser: Rehearser, guesser: CountingGuesser
) -> None:
    right = ANSWERS[POOLS["easy"][:40]]
    wrong = np.where(np.arange(40) % 3 == 0, 1 - right, right)
    surprises = []
    for times, known in enumerate(
        (easy(right), easy(wrong), easy(wrong, 2 / 3), easy(right[:20])), start=1
    ):
        for _ in range(2):
            surprises.append(rehearser.doubts({"easy": 10}, known)[0])
            assert guesser.guesses == times
    assert surprises[0] < 1 and surprises[2] > 5 and surprises[4] < 1
    assert surprises[::2] == surprises[1::2]
