import math
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from training.targets.make import (
    TargetKind,
    UncertaintyMap,
    entropy_uncertainty,
    make_targets,
    posterior_uncertainty,
    smooth_labels,
)


def whole(values: list[Any]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


LABELS, COUNTS = whole([1, 0]), whole([4, 2])
RATES = np.array([0.2, 0.5])
ONE_HOT = [[0, 1, 0, 0], [1, 0, 0, 0]]
SMOOTHED = [[0.05, 0.85, 0.05, 0.05], [0.75, 0.25, 0, 0]]

# Three judgments of two choices at a redraw rate of .2: each is right with .9, two of three with
# .972; the second item's judges are of one mind, the first's are not.
JUDGMENTS, TWO = whole([[0, 1, 0], [1, 1, 1]]), whole([2, 2])
ALL_ALIKE = 0.9**3 / (0.9**3 + 0.1**3)


def test_hard_labels() -> None:
    targets = make_targets("hard_labels", LABELS, COUNTS)
    np.testing.assert_array_equal(targets.probabilities, ONE_HOT)
    assert targets.redraw_rates is None


@pytest.mark.parametrize("kind", ["smoothed", "posterior", "uncertainty"])
def test_one_judgment_is_smoothed_by_its_rate_over_its_own_choices(kind: TargetKind) -> None:
    targets = make_targets(kind, LABELS, COUNTS, RATES)
    np.testing.assert_allclose(targets.probabilities, SMOOTHED)
    assert targets.redraw_rates is None


def test_forward_leaves_the_labels_and_hands_on_the_rates() -> None:
    targets = make_targets("forward", LABELS, COUNTS, RATES)
    np.testing.assert_array_equal(targets.probabilities, ONE_HOT)
    assert targets.redraw_rates is not None
    np.testing.assert_allclose(targets.redraw_rates, RATES)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("hard_labels", [[1, 0], [0, 1]]),
        ("smoothed", [[0.972, 0.028], [0.028, 0.972]]),
        ("posterior", [[0.9, 0.1], [1 - ALL_ALIKE, ALL_ALIKE]]),
        # Smoothed by the posterior's uncertainty: with two choices that is the posterior again.
        ("uncertainty", [[0.9, 0.1], [1 - ALL_ALIKE, ALL_ALIKE]]),
        ("forward", [[1, 0], [0, 1]]),
        ("soft_labels", [[2 / 3, 1 / 3], [0, 1]]),
    ],
)
def test_several_judgments(kind: TargetKind, expected: list[list[float]]) -> None:
    targets = make_targets(kind, JUDGMENTS, TWO, 0.2)
    np.testing.assert_allclose(targets.probabilities, expected)
    if kind == "forward":
        assert targets.redraw_rates is not None
        np.testing.assert_allclose(targets.redraw_rates, [0.056, 0.056])


def test_rates_per_item_are_those_of_all_its_judgments() -> None:
    per_item = make_targets("posterior", JUDGMENTS, TWO, [0.2, 0.4])
    per_judgment = make_targets("posterior", JUDGMENTS, TWO, [[0.2] * 3, [0.4] * 3])
    np.testing.assert_array_equal(per_item.probabilities, per_judgment.probabilities)


def test_given_uncertainties_go_through_the_map() -> None:
    targets = make_targets(
        "uncertainty",
        LABELS,
        COUNTS,
        uncertainties=np.array([0.2, 1.0]),
        uncertainty_map=UncertaintyMap(intercept=0.1, slope=0.5, largest=0.5),
    )
    # .1 + .5 * .2 = .2, and .6 is cut to .5.
    np.testing.assert_allclose(targets.probabilities, SMOOTHED)


@pytest.mark.parametrize("kind", get_args(TargetKind))
def test_as_many_columns_as_asked_for(kind: TargetKind) -> None:
    narrow = make_targets(kind, LABELS, COUNTS, RATES).probabilities
    wide = make_targets(kind, LABELS, COUNTS, RATES, most_choices=6).probabilities
    assert wide.shape == (2, 6)
    np.testing.assert_array_equal(wide[:, :4], narrow)
    assert not wide[:, 4:].any()


@pytest.mark.parametrize("kind", get_args(TargetKind))
def test_no_items(kind: TargetKind) -> None:
    none = whole([])
    targets = make_targets(kind, none, none, np.empty(0), most_choices=3)
    assert targets.probabilities.shape == (0, 3)
    rates = targets.redraw_rates
    assert (rates is not None and rates.shape == (0,)) == (kind == "forward")


def test_uncertainty_map_by_hand() -> None:
    given = np.array([0.0, 0.25, 0.5, 1.0])
    falling = UncertaintyMap(intercept=0.3, slope=-1.0)
    np.testing.assert_allclose(UncertaintyMap().smoothing(given), given)
    np.testing.assert_allclose(falling.smoothing(given), [0.3, 0.05, 0, 0])
    np.testing.assert_allclose(UncertaintyMap(0.1, 2, 0.7).smoothing(given), [0.1, 0.6, 0.7, 0.7])


def test_posterior_uncertainty_by_hand() -> None:
    probabilities = np.array([[0.7, 0.3, 0], [0.4, 0.3, 0.3], [0.5, 0.5, 0], [1, 0, 0]])
    found = posterior_uncertainty(probabilities, whole([2, 3, 2, 1]))
    np.testing.assert_allclose(found, [0.6, 0.9, 1, 0])


def test_entropy_uncertainty_by_hand() -> None:
    half, even = [0.5, 0.5, 0, 0], [0.25] * 4
    probabilities = np.array([half, half, even, [0, 1, 0, 0], [1, 0, 0, 0]])
    found = entropy_uncertainty(probabilities, whole([4, 2, 4, 4, 1]))
    np.testing.assert_allclose(found, [0.5, 1, 1, 0, 0])


def test_unknown_kind_is_refused() -> None:
    kind: Any = "soft"
    with pytest.raises(InputError, match="target kind 'soft' is unknown; choose one of hard_lab"):
        make_targets(kind, LABELS, COUNTS)


@pytest.mark.parametrize("kind", ["smoothed", "posterior", "forward", "uncertainty"])
def test_missing_rates(kind: TargetKind) -> None:
    with pytest.raises(ValueError, match=f"'{kind}' need 'redraw_rates'"):
        make_targets(kind, LABELS, COUNTS)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_impossible_smoothing_and_uncertainty(value: float) -> None:
    with pytest.raises(InputError, match=f"label smoothing should be within 0 and 1; got {value}"):
        smooth_labels(LABELS, COUNTS, [0.5, value])
    with pytest.raises(InputError, match=f"uncertainty should be within 0 and 1; got {value}"):
        make_targets("uncertainty", LABELS, COUNTS, uncertainties=np.array([0.5, value]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"largest": 1.2}, "largest is 1.2; give a smoothing within 0 and 1"),
        ({"largest": -0.1}, "largest is -0.1"),
        ({"slope": math.nan}, "slope is nan; give a finite number"),
        ({"intercept": math.inf}, "intercept is inf"),
    ],
)
def test_impossible_map(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        UncertaintyMap(**settings)


def test_impossible_shapes() -> None:
    with pytest.raises(ValueError, match=r"like the labels \(2,\); got \(1,\)"):
        make_targets("uncertainty", LABELS, COUNTS, uncertainties=np.array([0.5]))
    with pytest.raises(ValueError, match="'labels' should be"):
        smooth_labels(whole([4, 0]), COUNTS, 0.1)
    with pytest.raises(ValueError, match="'labels' should be"):
        smooth_labels(whole([0]), COUNTS, 0.1)


def test_shares_are_of_the_judgments_that_there_are() -> None:
    judgments = whole([[0, 2, 2, -1], [1, -1, -1, -1]])
    targets = make_targets("soft_labels", judgments, whole([3, 2]), most_choices=4)
    expected = np.array([[1 / 3, 0, 2 / 3, 0], [0.0, 1, 0, 0]])
    np.testing.assert_allclose(targets.probabilities, expected)


def test_one_judgment_is_a_hard_label() -> None:
    targets = make_targets("soft_labels", LABELS, COUNTS)
    np.testing.assert_array_equal(targets.probabilities, ONE_HOT)


def test_an_item_without_judgments_has_no_shares() -> None:
    with pytest.raises(InputError, match="item 2 of 2 has no judgment; leave it out"):
        make_targets("soft_labels", whole([[0, 1], [-1, -1]]), TWO)
