import math

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.terms.majority import NO_JUDGMENT
from training.targets.posteriors import choice_mask, posterior_from_judgments


def whole(values: list[list[int]] | list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_posterior_of_two_annotators_who_disagree() -> None:
    # Of two choices, a redraw rate of .2 is right with .9, one of .4 with .8.
    posterior = posterior_from_judgments(whole([[0, 1]]), whole([2]), [[0.2, 0.4]])
    first, second = 0.9 * 0.2, 0.1 * 0.8
    expected = [first / (first + second), second / (first + second)]
    np.testing.assert_allclose(posterior, [expected])


def test_posterior_of_three_judgments_of_four_choices() -> None:
    # Each is right with .7, and every wrong choice has .1.
    posterior = posterior_from_judgments(whole([[0, 0, 1]]), whole([4]), 0.4)
    np.testing.assert_allclose(posterior, np.array([[0.049, 0.007, 0.001, 0.001]]) / 0.058)


def test_fewer_choices_and_missing_judgments() -> None:
    missing = NO_JUDGMENT
    judgments = whole([[1, missing], [missing, missing], [missing, 0]])
    posterior = posterior_from_judgments(judgments, whole([3, 2, 1]), 0.3, most_choices=4)
    expected = [[0.1, 0.8, 0.1, 0.0], [0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(posterior, expected)


def test_a_judgment_that_never_errs_settles_it() -> None:
    posterior = posterior_from_judgments(whole([[2, 0, 0]]), whole([3]), [[0.0, 0.1, 0.1]])
    np.testing.assert_array_equal(posterior, [[0, 0, 1]])


def test_contradicting_judgments_that_never_err_are_refused() -> None:
    judgments = whole([[0, 0], [0, 1]])
    with pytest.raises(InputError, match=r"item 2 of 2: its judgments \[0, 1\] contradict"):
        posterior_from_judgments(judgments, whole([2, 2]), 0.0)


def test_many_judgments_do_not_vanish() -> None:
    judgments = np.zeros((1, 2000), dtype=np.int64)
    posterior = posterior_from_judgments(judgments, whole([4]), 0.99)
    assert posterior[0, 0] == pytest.approx(1.0) and np.isfinite(posterior).all()


def test_choice_mask() -> None:
    assert choice_mask(whole([1, 3])).tolist() == [[True, False, False], [True, True, True]]
    assert choice_mask(whole([1]), 2).tolist() == [[True, False]]
    assert choice_mask(whole([])).shape == (0, 1)
    with pytest.raises(ValueError, match="'most_choices' should be at least 3; got 2"):
        choice_mask(whole([3]), 2)
    with pytest.raises(ValueError, match="each at least 1"):
        choice_mask(whole([2, 0]))


@pytest.mark.parametrize("rate", [-0.1, 1.5, math.nan])
def test_a_rate_outside_0_1_is_refused(rate: float) -> None:
    message = f"error rate should be within 0 and 1; got {rate}"
    with pytest.raises(InputError, match=message):
        posterior_from_judgments(whole([[0, 0]]), whole([2]), [[0.1, rate]])


@pytest.mark.parametrize(
    ("judgments", "counts", "message"),
    [
        ([[0], [1]], [2], r"got \(2, 1\) and \(1,\)"),
        ([0, 1], [2, 2], r"got \(2,\) and \(2,\)"),
        ([[0], [2]], [3, 2], "one of its item's choices"),
        ([[-2]], [2], "one of its item's choices"),
    ],
)
def test_impossible_judgments(judgments: list[list[int]], counts: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        posterior_from_judgments(whole(judgments), whole(counts), 0.1)
