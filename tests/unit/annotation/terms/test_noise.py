import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.errors import InputError
from annotation.terms.noise import (
    draw_judgments,
    draw_labels,
)

ANSWERS = np.array([0, 1, 2, 3], dtype=np.int64)
COUNTS = np.array([4, 4, 4, 4], dtype=np.int64)


class Scripted:
    """A generator that returns given numbers, (items, 2): the threshold and the replacement."""

    def __init__(self, numbers: list[tuple[float, float]]) -> None:
        self.numbers = np.array(numbers)

    def random(self, size: tuple[int, int]) -> NDArray[np.float64]:
        assert size == self.numbers.shape
        return self.numbers


def labels(numbers: list[tuple[float, float]], kind: Any, rate: float = 0.5) -> list[int]:
    rng: Any = Scripted(numbers)
    return [int(label) for label in draw_labels(ANSWERS, COUNTS, rate, kind, rng)]


def test_redraw_by_hand() -> None:
    # Items 1 and 3 are hit; the redraws are floor(4 * u): 0, and 3, which is right by luck.
    numbers = [(0.5, 0.9), (0.49, 0.24), (0.9, 0.9), (0.0, 0.75)]
    assert labels(numbers, "redraw") == [0, 0, 2, 3]


def test_flip_by_hand() -> None:
    # All are hit; the wrong choice is number floor(3 * u), counted without the right one.
    numbers = [(0.1, 0.0), (0.1, 0.34), (0.1, 0.5), (0.1, 0.999)]
    assert labels(numbers, "flip") == [1, 2, 1, 2]


def test_rates_zero_and_one() -> None:
    rng = np.random.default_rng(0)
    assert draw_labels(ANSWERS, COUNTS, 0.0, "flip", rng).tolist() == ANSWERS.tolist()
    assert (draw_labels(ANSWERS, COUNTS, 1.0, "flip", rng) != ANSWERS).all()


def test_no_items() -> None:
    none = np.empty(0, dtype=np.int64)
    drawn = draw_labels(none, none, 0.5, "redraw", np.random.default_rng(0))
    assert drawn.shape == (0,) and drawn.dtype == np.int64


@pytest.mark.parametrize("rate", [-0.1, 1.01, math.nan])
def test_error_rate_outside_0_1_is_refused(rate: float) -> None:
    message = f"error rate should be within 0 and 1; got {rate}"
    with pytest.raises(InputError, match=message):
        draw_labels(ANSWERS, COUNTS, rate, "redraw", np.random.default_rng(0))


def test_unknown_kind_is_refused() -> None:
    kind: Any = "swap"
    with pytest.raises(
        InputError, match="error kind 'swap' is unknown; choose one of redraw, flip"
    ):
        draw_labels(ANSWERS, COUNTS, 0.1, kind, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("answers", "counts", "kind", "message"),
    [
        (ANSWERS, COUNTS[:2], "redraw", "one shape"),
        (ANSWERS + 1, COUNTS, "redraw", "every answer"),
        (ANSWERS - 1, COUNTS, "redraw", "every answer"),
        (ANSWERS * 0, COUNTS * 0 + 1, "flip", "at least 2 choices for error kind 'flip'; got 1"),
        (ANSWERS * 0, COUNTS * 0, "redraw", "at least 1 choices"),
    ],
)
def test_impossible_arrays(answers: IntArray, counts: IntArray, kind: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_labels(answers, counts, 0.1, kind, np.random.default_rng(0))


def test_no_judgments_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="judgments per item should be at least 1; got 0"):
        draw_judgments(ANSWERS, COUNTS, 0.1, "redraw", 0, np.random.default_rng(0))


def test_judgments_of_no_items() -> None:
    none = np.empty(0, dtype=np.int64)
    drawn = draw_judgments(none, none, 0.5, "redraw", 3, np.random.default_rng(0))
    assert drawn.shape == (0, 3) and drawn.dtype == np.int64


def test_judgments_at_rates_zero_and_one() -> None:
    rng = np.random.default_rng(0)
    right = draw_judgments(ANSWERS, COUNTS, 0.0, "flip", 3, rng)
    assert (right == ANSWERS[:, None]).all()
    wrong = draw_judgments(ANSWERS, COUNTS, 1.0, "flip", 3, rng)
    assert (wrong != ANSWERS[:, None]).all()
