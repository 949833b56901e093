"""Targets of every arm by hand, and what a placebo must leave as it is."""

import numpy as np
import pytest

from analysis.reproduce.uncertainty.arms import HARD, SOFT, Arm, arms, targets_of_arms
from annotation.arrays import Array
from training.targets.make import UncertaintyMap

# Four judgments each: of one mind, three to one, two to two (the one given first counts), of one.
JUDGMENTS = np.array([[1, 1, 1, 1], [0, 0, 1, 0], [1, 0, 0, 1], [0, -1, -1, -1]])
COUNTS = np.array([2, 2, 2, 3])
UNCERTAINTY = np.array([0.0, 0.4, 1.0, 0.2])


def targets(seed: int = 0) -> dict[Arm, Array]:
    return targets_of_arms(
        JUDGMENTS,
        COUNTS,
        3,
        {"judgments": UNCERTAINTY, "model": UNCERTAINTY[::-1]},
        UncertaintyMap(0.0, 0.5),
        np.random.default_rng(seed),
    )


def smoothing(of: Array) -> Array:
    """From targets back to label smoothing: what is missing on the label, over all choices."""
    return np.asarray((1 - of.max(1)) * COUNTS / (COUNTS - 1))


def test_all_arms_in_order() -> None:
    found = targets()
    assert tuple(found) == arms(("judgments", "model"))
    assert [arm.words for arm in found] == [
        "hard labels",
        "constant (judgments)",
        "own uncertainty (judgments)",
        "shuffled (judgments)",
        "constant (model)",
        "own uncertainty (model)",
        "shuffled (model)",
        "soft labels",
    ]
    for own in found.values():
        assert own.shape == (4, 3)
        np.testing.assert_allclose(own.sum(1), 1)
        assert (own[:3, 2] == 0).all()  # no such choice


def test_hard_smoothed_and_soft_labels_by_hand() -> None:
    found = targets()
    np.testing.assert_allclose(found[HARD], [[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]])
    soft = np.array([[0, 1, 0], [0.75, 0.25, 0], [0.5, 0.5, 0], [1.0, 0, 0]])
    np.testing.assert_allclose(found[SOFT], soft)
    own = found[Arm("own uncertainty", "judgments")]
    third = [1 - 0.1 * 2 / 3, 0.1 / 3, 0.1 / 3]
    np.testing.assert_allclose(own, np.array([[0, 1, 0], [0.9, 0.1, 0], [0.25, 0.75, 0], third]))


@pytest.mark.parametrize("source", ["judgments", "model"])
def test_constant_and_shuffled_smooth_as_much_on_average(source: str) -> None:
    found = targets()
    own = smoothing(found[Arm("own uncertainty", source)])
    np.testing.assert_allclose(smoothing(found[Arm("constant", source)]), own.mean())
    shuffled = smoothing(found[Arm("shuffled", source)])
    np.testing.assert_allclose(np.sort(shuffled), np.sort(own))


def test_a_placebo_is_drawn_anew() -> None:
    arm = Arm("shuffled", "judgments")
    drawn = {tuple(smoothing(targets(seed)[arm]).round(6)) for seed in range(40)}
    assert len(drawn) > 10
    np.testing.assert_array_equal(targets(3)[arm], targets(3)[arm])
