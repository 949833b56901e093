from decimal import Decimal

import numpy as np
import pytest

from annotation.arrays import IntArray
from annotation.errors import InputError
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.terms.cost import LabelTerms

POOLS = {"easy": np.arange(0, 60), "hard": np.arange(60, 100)}
ANSWERS = np.arange(100) % 3
COUNTS = np.full(100, 3)


def annotators(
    rate: float = 0.5, judgments: int = 1, stream: str = "", counts: IntArray = COUNTS
) -> SimulatedAnnotators:
    terms = {name: LabelTerms(Decimal(1), rate, "flip") for name in POOLS}
    return SimulatedAnnotators(ANSWERS, counts, POOLS, terms, judgments, stream)


def test_fewer_labels_are_the_beginning_of_more() -> None:
    few, many = annotators().labels("easy", 5, 3), annotators().labels("easy", 20, 3)
    np.testing.assert_array_equal(few.positions, many.positions[:5])
    np.testing.assert_array_equal(few.judgments, many.judgments[:5])
    assert set(many.positions.tolist()) <= set(POOLS["easy"].tolist())


def test_a_lower_rate_errs_on_a_subset() -> None:
    low, high = annotators(0.2).labels("easy", 60, 1), annotators(0.6).labels("easy", 60, 1)
    np.testing.assert_array_equal(low.positions, high.positions)
    wrong = low.labels != ANSWERS[low.positions]
    np.testing.assert_array_equal(low.labels[wrong], high.labels[wrong])
    assert wrong.sum() < (high.labels != ANSWERS[high.positions]).sum()


def test_streams_share_no_luck() -> None:
    one, other = (
        annotators().labels("easy", 60, 1),
        annotators(stream="pilot ").labels("easy", 60, 1),
    )
    assert one.positions.tolist() != other.positions.tolist()


def test_rates_are_told_with_the_labels() -> None:
    found = annotators(0.3, judgments=3).labels("hard", 7, 0)
    assert found.judgments.shape == (7, 3)
    np.testing.assert_allclose(found.redraw_rates, 0.45)  # 0.3 flips of three choices


def test_no_more_labels_than_items() -> None:
    assert annotators().available("hard") == 40
    with pytest.raises(InputError, match="41 labels wanted, 40 items there to label"):
        annotators().labels("hard", 41, 0)


def test_free_form_answers_cannot_err() -> None:
    none = np.zeros(100, dtype=np.int64)
    with pytest.raises(InputError, match=r"set annotators\.easy\.error_rate to 0"):
        annotators(0.1, counts=none).labels("easy", 2, 0)
    right = annotators(0.0, judgments=2, counts=none).labels("easy", 2, 0)
    assert (right.judgments == ANSWERS[right.positions][:, None]).all()
