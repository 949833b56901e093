"""Gains in calibration have intervals that hold, and claims the verdicts that are true."""

import numpy as np
import pytest

from analysis.accuracy import ItemClusters
from analysis.reproduce.uncertainty.measures import calibration_error
from annotation.arrays import Array, IntArray

SEEDS, ITEMS, REPETITIONS = 6, 400, 200
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object), draws=10)


def world(rng: np.random.Generator, sharper: float) -> tuple[Array, Array, IntArray]:
    """A model of two choices that is right about how sure it is, one that is too sure, answers.

    Log odds are the item's, with something of a seed's own; the other's are so much larger.
    """
    item = 1.5 * rng.standard_normal(ITEMS)
    odds = item + 0.5 * rng.standard_normal((SEEDS, ITEMS))
    # The probability that is right given the odds of one seed.
    probability = 1 / (1 + np.exp(-item))
    answers = (rng.random(ITEMS) < probability).astype(np.int64)

    def said(of: Array) -> Array:
        yes = 1 / (1 + np.exp(-of))
        return np.stack([1 - yes, yes], axis=-1)

    return said(odds), said(sharper * odds), answers


def test_intervals_of_gains_in_calibration_hold() -> None:
    many = np.random.default_rng(0)
    truth = np.mean(
        [
            calibration_error(too_sure, answers).mean() - calibration_error(one, answers).mean()
            for one, too_sure, answers in (world(many, 2.5) for _ in range(400))
        ]
    )
    assert truth > 0.05
    rng, inside = np.random.default_rng(1), []
    for _ in range(REPETITIONS):
        one, too_sure, answers = world(rng, 2.5)
        gain = calibration_error(too_sure, answers) - calibration_error(one, answers)
        found = CLUSTERS.mean(gain)
        assert found.low is not None and found.high is not None
        inside.append(found.low <= truth <= found.high)
    assert 0.90 <= np.mean(inside) <= 0.99, f"{np.mean(inside):.1%}"


@pytest.mark.parametrize("seed", range(3))
def test_a_model_gains_nothing_over_itself(seed: int) -> None:
    one, _, answers = world(np.random.default_rng(seed), 1.0)
    gain = calibration_error(one, answers) - calibration_error(one, answers)
    found = CLUSTERS.mean(gain)
    assert (found.estimate, found.low, found.high) == (0, 0, 0)
