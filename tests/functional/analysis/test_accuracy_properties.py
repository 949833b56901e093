"""Intervals hold what they promise: of simulated test sets, about 95 % cover the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.accuracy import Resampling, interval

REPETITIONS = 600


def simulate(
    accuracy: float,
    cluster: NDArray[np.int64],
    seeds: int,
    cluster_spread: float,
    seed_spread: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Correctness (repetitions, seeds, items) from a probit model with cluster and seed effects.

    The probit of `accuracy` is stretched so that it is the mean over clusters and seeds.
    """
    shape = (REPETITIONS, 1, int(cluster.max()) + 1)
    clusters = cluster_spread * rng.standard_normal(shape)[:, :, cluster]
    each_seed = seed_spread * rng.standard_normal((REPETITIONS, seeds, 1))
    stretch = np.sqrt(1 + cluster_spread**2 + seed_spread**2)
    chance = ndtr(ndtri(accuracy) * stretch + clusters + each_seed)
    return np.asarray(rng.random(chance.shape) < chance)


def coverage(truth: float, draws: list[NDArray[np.float64]]) -> float:
    """Share of the intervals that hold the truth."""
    inside = []
    for repetition in draws:
        estimate = interval(truth, repetition)
        assert estimate.low is not None and estimate.high is not None
        inside.append(estimate.low <= truth <= estimate.high)
    return float(np.mean(inside))


EVEN = np.arange(300) % 60  # 60 clusters of 5
ALONE = np.arange(200)  # every item its own cluster
UNEVEN = np.repeat(np.arange(60), [1, 2, 3, 4, 10, 10] * 10)  # half the items in a third of them


@pytest.mark.parametrize(
    ("cluster", "seeds", "cluster_spread", "seed_spread"),
    [
        (ALONE, 1, 0.0, 0.0),
        (ALONE, 5, 1.0, 0.0),
        (ALONE, 5, 1.0, 0.1),
        (EVEN, 1, 1.0, 0.0),
        (EVEN, 5, 0.5, 0.2),
        (EVEN, 3, 1.0, 0.1),
        (UNEVEN, 5, 1.0, 0.1),
    ],
    ids=["items", "hard items", "seeds", "clusters", "noisy seeds", "three seeds", "uneven"],
)
@pytest.mark.parametrize("accuracy", [0.5, 0.8])
def test_intervals_cover(
    cluster: NDArray[np.int64],
    seeds: int,
    cluster_spread: float,
    seed_spread: float,
    accuracy: float,
) -> None:
    rng = np.random.default_rng(1)
    correct = simulate(accuracy, cluster, seeds, cluster_spread, seed_spread, rng)
    resampling = Resampling(cluster.astype(object), draws=1000)
    covered = coverage(accuracy, [resampling.accuracy(c) for c in correct])
    assert 0.90 <= covered <= 0.99, f"the intervals cover {covered:.1%}"


def test_intervals_of_a_paired_difference_cover_and_are_narrower() -> None:
    rng = np.random.default_rng(2)
    both = simulate(0.6, EVEN, 10, 1.0, 0.1, rng)  # one test set, so items are shared
    first, second = both[:, :5], both[:, 5:]
    resampling = Resampling(EVEN.astype(object), draws=1000)
    other = Resampling(EVEN.astype(object), draws=1000, seed=1)
    paired = [
        resampling.accuracy(a) - resampling.accuracy(b) for a, b in zip(first, second, strict=True)
    ]
    unpaired = [
        resampling.accuracy(a) - other.accuracy(b) for a, b in zip(first, second, strict=True)
    ]
    covered = coverage(0.0, paired)
    assert 0.90 <= covered <= 0.99, f"the intervals cover {covered:.1%}"
    assert np.mean([d.std() for d in paired]) < 0.7 * np.mean([d.std() for d in unpaired])


def test_clusters_taken_for_single_items_would_not_cover() -> None:
    """The other side: the coverage above is earned by drawing whole clusters."""
    correct = simulate(0.5, EVEN, 1, 1.0, 0.0, np.random.default_rng(1))
    by_item = Resampling(np.arange(EVEN.size).astype(object), draws=1000)
    assert coverage(0.5, [by_item.accuracy(c) for c in correct]) < 0.9


@given(
    groups=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30),
    seeds=st.integers(1, 4),
    seed=st.integers(0, 100),
)
def test_a_condition_right_on_all_or_none_has_no_spread(
    groups: list[str], seeds: int, seed: int
) -> None:
    resampling = Resampling(np.array(groups, dtype=object), draws=50, seed=seed)
    shape = (seeds, len(groups))
    np.testing.assert_allclose(resampling.accuracy(np.ones(shape, dtype=bool)), 1.0)
    np.testing.assert_allclose(resampling.accuracy(np.zeros(shape, dtype=bool)), 0.0, atol=1e-12)


@given(
    correct=st.lists(st.lists(st.booleans(), min_size=12, max_size=12), min_size=1, max_size=4),
    seed=st.integers(0, 100),
)
def test_draws_do_not_mind_the_order_of_items(correct: list[list[bool]], seed: int) -> None:
    groups = np.array([f"g{k % 5}" for k in range(12)], dtype=object)
    table = np.array(correct)
    order = np.random.default_rng(seed).permutation(12)
    straight = Resampling(groups, draws=30).accuracy(table)
    shuffled = Resampling(groups[order], draws=30).accuracy(table[:, order])
    np.testing.assert_allclose(straight, shuffled, rtol=0, atol=1e-12)
