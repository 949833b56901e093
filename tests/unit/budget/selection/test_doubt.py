import numpy as np
import pytest

from annotation.arrays import Array
from budget.selection.doubt import expected_fall, with_predictions


def fall_by_hand(posterior: Array, count: int, error_rate: float) -> float:
    """Bayes' rule, judgment by judgment."""
    total = -float((posterior**2).sum())
    for said in range(count):
        likelihood = np.array(
            [
                1 - error_rate if answer == said else error_rate / (count - 1)
                for answer in range(count)
            ]
        )
        joint = posterior[:count] * likelihood
        if joint.sum():
            total += joint.sum() * float(((joint / joint.sum()) ** 2).sum())
    return total


@pytest.mark.parametrize("error_rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_fall_is_that_of_bayes_rule(error_rate: float) -> None:
    rng = np.random.default_rng(0)
    counts = np.array([2, 3, 5, 2, 4])
    posteriors = np.zeros((5, 5))
    for row, count in enumerate(counts):
        posteriors[row, :count] = rng.dirichlet(np.ones(count))
    posteriors[3] = [1, 0, 0, 0, 0]
    expected = [
        fall_by_hand(p, int(m), error_rate) for p, m in zip(posteriors, counts, strict=True)
    ]
    assert expected_fall(posteriors, counts, error_rate) == pytest.approx(expected, abs=1e-12)


def test_an_item_of_one_choice_leaves_no_doubt() -> None:
    assert expected_fall(np.array([[1.0, 0.0]]), np.array([1]), 0.2).tolist() == [0.0]


def test_model_and_judgments_are_multiplied() -> None:
    both = with_predictions(np.array([[0.75, 0.25]]), np.array([[0.2, 0.8]]))
    assert both == pytest.approx(np.array([[3 / 7, 4 / 7]]))


def test_judgments_count_where_model_and_judgments_rule_each_other_out() -> None:
    assert with_predictions(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).tolist() == [[1.0, 0.0]]
