import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import Resampling, interval


def names(*groups: str) -> NDArray[np.object_]:
    return np.array(groups, dtype=object)


def plain_accuracy(
    resampling: Resampling, groups: NDArray[np.object_], correct: NDArray[np.bool_]
) -> list[float]:
    """The slow twin: every draw item by item, from the same counts and seed weights."""
    clusters = sorted(set(groups))
    weights = resampling._seed_weights(len(correct))
    draws = []
    for draw in range(resampling.draws):
        total = 0.0
        for seed, row in enumerate(correct):
            right = drawn = 0.0
            for item, group in enumerate(groups):
                times = resampling._counts[draw, clusters.index(group)]
                right += times * row[item]
                drawn += times
            total += weights[draw, seed] * right / drawn
        draws.append(min(1.0, max(0.0, total)))
    return draws


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_draws_are_those_of_a_plain_loop(seeds: int) -> None:
    groups = names("b", "a", "c", "a", "b", "a", "d")  # clusters of 3, 2, 1, 1 items, unordered
    correct = np.random.default_rng(3).random((seeds, len(groups))) < 0.6
    resampling = Resampling(groups, draws=40, seed=5)
    np.testing.assert_allclose(
        resampling.accuracy(correct),
        plain_accuracy(resampling, groups, correct),
        rtol=0,
        atol=1e-12,
    )


def test_every_draw_takes_as_many_clusters_as_there_are() -> None:
    resampling = Resampling(names("a", "a", "b", "c"), draws=50)
    assert resampling._counts.shape == (50, 3)
    assert (resampling._counts.sum(1) == 3).all()
    assert len(np.unique(resampling._counts, axis=0)) > 1


def test_items_of_one_cluster_are_drawn_together() -> None:
    # Clusters of two items, one all right and one all wrong: a draw of two clusters has 0, 1 or 2
    # of the right one. Item by item there would be quarters as well.
    resampling = Resampling(names("a", "a", "b", "b"), draws=400)
    draws = resampling.accuracy(np.array([[True, True, False, False]]))
    assert set(draws.tolist()) == {0.0, 0.5, 1.0}


def test_seed_weights_sum_to_one_and_are_widened_by_hand() -> None:
    resampling = Resampling(names("a", "b"), draws=4000)
    weights = resampling._seed_weights(2)
    assert np.allclose(weights.sum(1), 1)
    # Two seeds drawn (2, 0), (1, 1) or (0, 2) times: weights 1/2 -+ sqrt(2) / 2.
    far = np.sqrt(2) / 2
    assert np.allclose(np.unique(weights.round(9)), [0.5 - far, 0.5, 0.5 + far])
    # The variance over seeds of a mean of two: s^2 / 2, s^2 with one in the denominator.
    means = weights @ np.array([0.0, 1.0])
    assert means.var() == pytest.approx(0.5 / 2, rel=0.1)


def test_one_seed_has_no_seed_noise() -> None:
    resampling = Resampling(names("a", "b", "c"), draws=20)
    assert (resampling._seed_weights(1) == 1).all()


def test_identical_conditions_differ_by_exactly_nothing() -> None:
    rng = np.random.default_rng(0)
    resampling = Resampling(np.array([f"g{k % 30}" for k in range(90)], dtype=object), draws=500)
    correct = rng.random((4, 90)) < 0.7
    difference = resampling.accuracy(correct) - resampling.accuracy(correct.copy())
    assert (difference == 0).all()
    assert resampling.accuracy(correct).std() > 0


def test_draws_repeat_for_a_seed_and_differ_for_another() -> None:
    groups = np.array([f"g{k}" for k in range(50)], dtype=object)
    correct = np.random.default_rng(1).random((3, 50)) < 0.5
    first = Resampling(groups, draws=100, seed=7).accuracy(correct)
    assert (first == Resampling(groups, draws=100, seed=7).accuracy(correct)).all()
    assert (first != Resampling(groups, draws=100, seed=8).accuracy(correct)).any()


def test_interval_is_made_of_percentiles() -> None:
    draws = np.arange(1001) / 1000
    estimate = interval(0.4, draws)
    assert estimate.estimate == 0.4
    assert (estimate.low, estimate.high) == pytest.approx((0.025, 0.975))
    half = interval(0.4, draws, confidence=0.5)
    assert (half.low, half.high) == pytest.approx((0.25, 0.75))
