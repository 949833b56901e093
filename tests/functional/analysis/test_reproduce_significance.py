"""Tests and their correction err as seldom as they say, on made-up answers of known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.accuracy import ItemClusters
from analysis.reproduce.significance import above, beyond, equivalence, holm, two_sided
from annotation.arrays import Array

ITEMS, SEEDS, WORLDS = 120, 5, 400
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object))


def differences(mean: float, world: int) -> Array:
    """Differences of two conditions (seeds, items) about a true mean, with items and seeds."""
    rng = np.random.default_rng([world, round(1000 * mean) + 10_000])
    of_items = rng.normal(0, 0.3, ITEMS)
    of_seeds = rng.normal(0, 0.02, (SEEDS, 1))
    return np.asarray(mean + of_items + of_seeds + rng.normal(0, 0.3, (SEEDS, ITEMS)))


def shares(p_values: list[float], level: float = 0.05) -> float:
    return float(np.mean(np.array(p_values) <= level))


def test_a_true_null_is_seldom_rejected() -> None:
    found = [two_sided(CLUSTERS, differences(0.0, world)) for world in range(WORLDS)]
    assert shares(found) <= 0.075  # .05 and three standard errors of 400 worlds
    assert shares(found) >= 0.005  # nor never: the tests are worth something


def test_a_large_difference_is_found() -> None:
    found = [two_sided(CLUSTERS, differences(0.15, world)) for world in range(50)]
    assert shares(found) >= 0.95


def test_a_p_value_agrees_with_its_interval() -> None:
    for world in range(40):
        table = differences(0.05, world)
        for confidence in (0.8, 0.95, 0.99):
            interval = CLUSTERS.mean(table, confidence)
            assert interval.low is not None and interval.high is not None
            outside = interval.low > 0 or interval.high < 0
            assert outside == (two_sided(CLUSTERS, table) < 1 - confidence)


def test_equivalence_is_seldom_claimed_at_the_margin() -> None:
    """The hardest null: a true difference of exactly the margin."""
    margin = 0.08
    found = [equivalence(CLUSTERS, differences(margin, world), margin) for world in range(WORLDS)]
    assert shares(found) <= 0.085
    within = [equivalence(CLUSTERS, differences(0.0, world), 0.15) for world in range(50)]
    assert shares(within) >= 0.9


def test_a_difference_within_the_margin_is_seldom_called_larger() -> None:
    found = [beyond(CLUSTERS, differences(0.08, world), 0.08) for world in range(WORLDS)]
    assert shares(found) <= 0.075
    assert shares([beyond(CLUSTERS, differences(0.25, w), 0.08) for w in range(50)]) >= 0.95


def test_no_interval_no_finding() -> None:
    alone = ItemClusters(np.array(["one"] * ITEMS, dtype=object))
    assert two_sided(alone, differences(0.5, 0)) == 1.0
    assert above(alone, differences(0.5, 0)) == 0.5


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(new >= old and new <= 1 for new, old in zip(corrected, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)
    if p_values:
        assert min(corrected) == pytest.approx(min(1.0, len(p_values) * min(p_values)))


def test_holm_keeps_the_chance_of_any_false_finding() -> None:
    """Ten true nulls in each of 2,000 families, correlated as cases on one test set are."""
    rng = np.random.default_rng(0)
    from scipy import stats

    wrong = 0
    for _ in range(2000):
        scores = np.sqrt(0.5) * rng.normal() + np.sqrt(0.5) * rng.normal(size=10)
        wrong += min(holm(list(2 * stats.norm.sf(np.abs(scores))))) <= 0.05
    assert wrong / 2000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
