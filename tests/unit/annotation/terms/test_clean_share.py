import math
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.terms.clean_share import (
    LEAST,
    clean_share,
    common_redraw_rate,
    redraw_rates,
    wrong_share,
)
from annotation.terms.noise import ErrorKind

COUNTS = np.array([4, 4, 4, 4], dtype=np.int64)


def test_what_is_not_redrawn_is_clean() -> None:
    assert clean_share(0.3, "redraw", np.array([2, 4, 5])) == pytest.approx(0.7)
    assert clean_share(0.3, "redraw", 0.25) == pytest.approx(0.7)


def test_a_flip_is_a_redraw_at_a_higher_rate() -> None:
    # Of 2 choices .3 * 2 / 1 = .6, of 4 choices .3 * 4 / 3 = .4: clean are .4 and .6.
    assert clean_share(0.3, "flip", np.array([2, 4])) == pytest.approx(0.5)
    assert clean_share(0.3, "flip", 0.25) == pytest.approx(0.6)
    assert clean_share(0.3, "flip", 0.27) == pytest.approx(0.6)  # 3.7 choices are about 4


def test_the_majority_of_three_judgments() -> None:
    # Of 2 choices each judgment is right with .8, the majority with .8^3 + 3 * .8^2 * .2 = .896:
    # wrong as often as a redraw at .104 * 2.
    assert clean_share(0.4, "redraw", np.array([2]), judgments=3) == pytest.approx(0.792)
    assert clean_share(0.4, "redraw", 0.5, judgments=3) == pytest.approx(0.792)
    np.testing.assert_allclose(redraw_rates(0.4, "redraw", np.array([2, 2]), 3), 0.208)


@pytest.mark.parametrize(("rate", "kind"), [(1.0, "redraw"), (0.99, "redraw"), (0.9, "flip")])
def test_some_of_the_labels_are_clean_at_all_events(rate: float, kind: ErrorKind) -> None:
    assert clean_share(rate, kind, np.array([4])) == LEAST == 0.02


def test_more_judgments_are_cleaner() -> None:
    shares = [clean_share(0.5, "redraw", np.array([3, 4]), judgments) for judgments in (1, 3, 5)]
    assert shares == sorted(shares)
    assert shares[0] == 0.5 and shares[2] > 0.6


@pytest.mark.parametrize("chance", [0.0, -0.1, 1.5, float("nan")])
def test_a_chance_that_is_none(chance: float) -> None:
    with pytest.raises(ValueError, match=f"should be in \\(0, 1\\]; got {chance}"):
        clean_share(0.1, "redraw", chance)


def test_what_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        clean_share(0.1, "redraw", np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match="'judgments' should be at least 1; got 0"):
        clean_share(0.1, "redraw", np.array([4]), judgments=0)


def test_many_judgments_of_many_choices_are_counted_out() -> None:
    # Nine of ten choices, 10 % redrawn: a majority of nine is hardly ever wrong.
    assert clean_share(0.1, "redraw", np.array([10]), judgments=9) > 0.9999


def test_wrong_share_by_hand() -> None:
    counts = np.array([2, 4], dtype=np.int64)
    assert wrong_share(0.2, "redraw", counts) == pytest.approx(0.2 * (0.5 + 0.75) / 2)
    assert wrong_share(0.2, "flip", counts) == 0.2
    # The two rates that the specification of the paper's code gives for four choices.
    assert wrong_share(0.3, "redraw", COUNTS) == pytest.approx(0.225)
    assert wrong_share(0.6, "redraw", COUNTS) == pytest.approx(0.45)


def test_wrong_share_of_no_items() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        wrong_share(0.1, "redraw", np.empty(0, dtype=np.int64))


def test_redraw_rates_by_hand() -> None:
    counts = np.array([2, 3, 5], dtype=np.int64)
    np.testing.assert_array_equal(redraw_rates(0.4, "redraw", counts), [0.4, 0.4, 0.4])
    np.testing.assert_allclose(redraw_rates(0.4, "flip", counts), [0.8, 0.6, 0.5])
    # Wrong more often than a guess: no more than a guess.
    np.testing.assert_allclose(redraw_rates(0.7, "flip", counts), [1, 1, 0.875])


def test_redraw_rates_of_impossible_input() -> None:
    with pytest.raises(InputError, match="error rate should be within 0 and 1; got 2"):
        redraw_rates(2, "flip", COUNTS)
    with pytest.raises(ValueError, match="at least 2 choices"):
        redraw_rates(0.1, "flip", COUNTS * 0 + 1)


@pytest.mark.parametrize("rate", [-0.1, 1.01, math.nan])
def test_an_error_rate_outside_0_1(rate: float) -> None:
    message = f"error rate should be within 0 and 1; got {rate}"
    for of in (wrong_share, redraw_rates, clean_share):
        with pytest.raises(InputError, match=message):
            of(rate, "flip", COUNTS)


def test_an_unknown_kind() -> None:
    kind: Any = "slip"
    for of in (wrong_share, redraw_rates, clean_share):
        with pytest.raises(InputError, match="error kind 'slip' is unknown"):
            of(0.2, kind, COUNTS)


def test_how_often_the_majority_is_wrong() -> None:
    # Of 2 choices .104, see above; of one choice never.
    counts = np.array([2, 1], dtype=np.int64)
    assert wrong_share(0.4, "redraw", counts, judgments=3) == pytest.approx(0.052)


def test_a_share_of_wrong_labels_as_a_redraw_rate() -> None:
    # Redraws of 2 choices are wrong with 1 / 2, of 4 with 3 / 4, of both with 5 / 8.
    counts = np.array([2, 4], dtype=np.int64)
    rate = common_redraw_rate(0.25, counts)
    assert rate == pytest.approx(0.4)
    assert wrong_share(rate, "redraw", counts) == pytest.approx(0.25)
    assert common_redraw_rate(0.7, counts) == 1


def test_worse_than_guessing_says_nothing() -> None:
    assert redraw_rates(0.9, "flip", np.array([4]), judgments=5).tolist() == [1]
