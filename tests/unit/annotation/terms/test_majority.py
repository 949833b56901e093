import math

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from annotation.errors import InputError
from annotation.terms.majority import (
    NO_JUDGMENT,
    majority_label,
    majority_redraw_rate,
    majority_redraw_rates,
)


def whole(values: list[list[int]] | list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_one_judgment_errs_as_it_is() -> None:
    assert majority_redraw_rate(0.3, 1, 4) == pytest.approx(0.3)


def test_three_judgments_of_two_choices() -> None:
    # Each is right with .8: the majority with .8^3 + 3 .8^2 .2 = .896; wrong .104 is redraw .208.
    assert majority_redraw_rate(0.4, 3, 2) == pytest.approx(0.208)


def test_three_judgments_of_three_choices() -> None:
    # Right .6, each wrong choice .2. Right: .216 + 3 .36 .4 = .648; one right and two different
    # wrong ones: 3! .6 .2 .2 = .144, of which a third. .648 + .048 = .696, wrong .304 is .456.
    assert majority_redraw_rate(0.6, 3, 3) == pytest.approx(0.456)


def test_a_second_judgment_alone_settles_nothing() -> None:
    for choices in (2, 3, 5):
        assert majority_redraw_rate(0.5, 2, choices) == pytest.approx(0.5)


@pytest.mark.parametrize("choices", [2, 3, 4])
@pytest.mark.parametrize("judgments", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("rate", [0.0, 0.35, 0.9, 1.0])
def test_counting_kinds_of_outcomes_is_counting_outcomes(
    choices: int, judgments: int, rate: float
) -> None:
    table = np.zeros((1, judgments), dtype=np.int64)
    slow = majority_redraw_rates(table, np.array([choices]), rate)[0]
    assert majority_redraw_rate(rate, judgments, choices) == pytest.approx(slow, abs=1e-12)


def test_majority_by_hand() -> None:
    missing = NO_JUDGMENT
    judgments = [
        [0, 1, 1, missing, missing],
        [2, 0, 1, missing, missing],  # all tied: the first
        [0, 2, 1, 1, 2],  # 1 and 2 tied, 2 was given before 1
        [missing, missing, missing, missing, 3],
        [missing, missing, 1, 0, 0],  # missing ones are no majority
    ]
    assert majority_label(whole(judgments)).tolist() == [1, 2, 2, 3, 0]


def test_majority_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="item 2 of 2 has no judgment"):
        majority_label(whole([[0], [NO_JUDGMENT]]))
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        majority_label(whole([0, 1]))


@pytest.mark.parametrize(
    ("judgments", "choices", "rates", "expected"),
    [
        # Right with .9 each: two or three of three are right with .972, two choices.
        ([[0, 0, 1]], 2, 0.2, 2 * 0.028),
        # The second of two judgments never changes the label.
        ([[0, 1]], 4, [[0.3, 0.9]], 0.3),
        ([[0]], 4, 0.3, 0.3),
        # Right with .8, the two wrong ones .1 each: .512 + .384 with a majority of right ones,
        # and .8 * .02 where all differ and the first is right.
        ([[0, 1, 2]], 3, 0.3, 1.5 * (1 - 0.912)),
        # Two of three never err, so they outvote the third.
        ([[0, 1, 0]], 3, [[0.0, 1.0, 0.0]], 0.0),
        ([[1, NO_JUDGMENT, NO_JUDGMENT]], 2, [[0.2, 0.9, 0.9]], 0.2),
        ([[0, 0, 0]], 1, 0.5, 0.0),
        ([[0, 0, 0]], 5, 1.0, 1.0),
    ],
)
def test_redraw_rate_of_the_majority(
    judgments: list[list[int]], choices: int, rates: ArrayLike, expected: float
) -> None:
    found = majority_redraw_rates(whole(judgments), whole([choices]), rates)
    np.testing.assert_allclose(found, [expected], atol=1e-12)


def test_redraw_rates_of_unlike_items() -> None:
    judgments = whole([[0, 0, 1], [1, NO_JUDGMENT, NO_JUDGMENT], [1, 1, 1]])
    found = majority_redraw_rates(judgments, whole([2, 4, 2]), 0.2)
    np.testing.assert_allclose(found, [0.056, 0.2, 0.056])


def test_too_many_outcomes_are_refused() -> None:
    rates = np.linspace(0.1, 0.3, 20)  # of different judges
    with pytest.raises(InputError, match="20 judgments of 2 choices have too many outcomes"):
        majority_redraw_rates(np.zeros((1, 20), dtype=np.int64), whole([2]), rates)


def test_judges_who_err_alike_are_counted_out_as_those_who_nearly_do() -> None:
    nobody = np.zeros((1, 5), dtype=np.int64)
    alike = majority_redraw_rates(nobody, whole([3]), 0.3)
    nearly = majority_redraw_rates(nobody, whole([3]), [0.3, 0.3, 0.3, 0.3, 0.3 + 1e-9])
    np.testing.assert_allclose(alike, nearly, atol=1e-8)


@pytest.mark.parametrize("rate", [-0.1, 1.5, math.nan])
def test_a_rate_outside_0_1_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=f"error rate should be within 0 and 1; got {rate}"):
        majority_redraw_rates(whole([[0, 0]]), whole([2]), [[0.1, rate]])


@pytest.mark.parametrize(("judgments", "choices"), [(0, 2), (3, 0)])
def test_a_majority_of_nothing_has_no_rate(judgments: int, choices: int) -> None:
    with pytest.raises(ValueError, match=f"got {judgments} and {choices}"):
        majority_redraw_rate(0.2, judgments, choices)


def test_one_choice_is_always_right() -> None:
    assert majority_redraw_rate(0.9, 3, 1) == 0
