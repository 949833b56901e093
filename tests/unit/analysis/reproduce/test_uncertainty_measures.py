import numpy as np
import pytest

from analysis.reproduce.uncertainty.measures import calibration_error, log_loss, measured, right
from annotation.arrays import Array, IntArray

# One seed, four items of two choices; the largest probabilities are .95, .92, .62 and .68.
PROBABILITIES = np.array([[[0.05, 0.95], [0.92, 0.08], [0.38, 0.62], [0.68, 0.32]]])
ANSWERS = np.array([1, 1, 1, 0])


def slow_calibration(probabilities: Array, answers: IntArray, bins: int) -> float:
    """As it is defined, bin by bin."""
    largest, correct = probabilities.max(1), probabilities.argmax(1) == answers
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (largest >= low) & ((largest < high) | (number == bins - 1))
        if inside.any():
            total += inside.mean() * abs(largest[inside].mean() - correct[inside].mean())
    return total


def test_accuracy_and_log_loss_by_hand() -> None:
    assert right(PROBABILITIES, ANSWERS).tolist() == [[1, 0, 1, 1]]
    expected = -np.log([0.95, 0.08, 0.62, 0.68])
    np.testing.assert_allclose(log_loss(PROBABILITIES, ANSWERS), [expected])


def test_a_probability_of_nothing_is_a_large_loss_and_not_an_endless_one() -> None:
    assert log_loss(np.array([[[1.0, 0.0]]]), np.array([1]))[0, 0] == pytest.approx(27.6, abs=0.1)


def test_calibration_error_by_hand() -> None:
    # Bin .9 to 1: mean .935, right .5; bin .6 to .7: mean .65, right 1.
    found = calibration_error(PROBABILITIES, ANSWERS)
    assert found.mean() == pytest.approx(0.5 * 0.435 + 0.5 * 0.35)


@pytest.mark.parametrize("bins", [1, 3, 10])
def test_the_mean_of_the_parts_is_the_calibration_error(bins: int) -> None:
    rng = np.random.default_rng(bins)
    probabilities = rng.dirichlet([1.0, 1.0, 0.5], (4, 300))
    answers = rng.integers(0, 3, 300)
    found = calibration_error(probabilities, answers, bins)
    assert found.shape == (4, 300)
    for seed in range(4):
        slow = slow_calibration(probabilities[seed], answers, bins)
        assert found[seed].mean() == pytest.approx(slow)


def test_measures_by_name() -> None:
    for name, slow in (
        ("accuracy", right),
        ("log loss", log_loss),
        ("calibration error", calibration_error),
    ):
        own = measured(name, PROBABILITIES, ANSWERS)  # type: ignore[arg-type]
        np.testing.assert_array_equal(own, slow(PROBABILITIES, ANSWERS))
