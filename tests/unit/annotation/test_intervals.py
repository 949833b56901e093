import numpy as np
import pytest
from scipy.stats import t

from annotation.intervals import (
    BETWEEN_PEOPLE,
    clustered_mean,
    mean_interval,
    median_interval,
    ratio_interval,
    share_interval,
    wilson,
)

VALUES = np.array([1.0, 0.0, 0.0, 0.0])
ITEM = np.array([0, 0, 1, 1])
ANNOTATOR = np.array([0, 1, 0, 1])


def test_wilson_of_one_in_ten() -> None:
    found = wilson(0.1, 10, 1.959964)
    assert found.low == pytest.approx(0.0179, abs=1e-4)
    assert found.high == pytest.approx(0.4042, abs=1e-4)


def test_the_variance_is_over_items_for_these_annotators() -> None:
    # Deviations over 4 sum to +1/8 and -1/8 in the two items: 2 / 64, times 2 / (2 - 1).
    found = clustered_mean(VALUES, ITEM, ANNOTATOR, "these")
    assert found.mean == 0.25
    assert found.variance == pytest.approx(max(1 / 16, 4 / 3 * (9 + 3) / 256))
    assert found.freedom == 1


def test_annotators_count_as_clusters_for_others_like_these() -> None:
    values = np.array([1.0, 0, 1, 0, 1, 0])  # one annotator always errs, one never
    item, annotator = np.repeat([0, 1, 2], 2), np.tile([0, 1], 3)
    these = clustered_mean(values, item, annotator, "these")
    others = clustered_mean(values, item, annotator, "like_these")
    # Deviations of annotators: +-3 / 12, squared, times 2.
    assert others.variance == pytest.approx(2 * 2 / 16)
    assert others.variance > 4 * these.variance


def test_nobody_erring_leaves_room_for_as_many_as_there_are_items_and_people() -> None:
    item, annotator = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    these = share_interval(np.zeros(40, dtype=bool), item, annotator, "these")
    others = share_interval(np.zeros(40, dtype=bool), item, annotator, "like_these")
    assert these.low == others.low == 0
    assert these.high == wilson(0.0, 20, float(t.ppf(0.95, 19))).high
    trials = 1 / (1 / 20 + BETWEEN_PEOPLE / 2)
    assert others.high == pytest.approx(wilson(0.0, trials, float(t.ppf(0.95, 19))).high)
    twelve = np.arange(240) % 12
    by_many = share_interval(np.zeros(240, dtype=bool), np.arange(240) // 12, twelve, "like_these")
    assert these.bounds[1] < by_many.bounds[1] < others.bounds[1]


def test_a_mean_keeps_its_interval_positive() -> None:
    found = mean_interval(np.array([1.0, 100.0]), np.arange(2), np.arange(2), "these")
    assert found.estimate == 50.5
    low, high = found.bounds
    assert low > 0
    assert low * high == pytest.approx(50.5**2)


def test_a_ratio_counts_what_it_is_divided_by() -> None:
    amounts, counts = np.array([2.0, 4.0, 6.0]), np.array([1.0, 0.0, 1.0])
    found = ratio_interval(amounts, counts, np.arange(3), np.arange(3), "these")
    assert found.estimate == 6.0
    nothing = ratio_interval(amounts, np.zeros(3), np.arange(3), np.arange(3), "these")
    assert nothing.estimate is None


def test_one_value_has_no_interval() -> None:
    one = np.array([3.0]), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    assert mean_interval(*one, "these").low is None
    assert median_interval(*one, "these").high is None


def test_the_median_lies_within_its_interval() -> None:
    values = np.arange(101, dtype=np.float64)
    found = median_interval(values, np.arange(101), np.arange(101), "these")
    assert found.estimate == 50
    # 100 * (.5 -+ 1.66 * sqrt(.25 / 101))
    assert found.low == pytest.approx(42, abs=1)
    assert found.high == pytest.approx(58, abs=1)
