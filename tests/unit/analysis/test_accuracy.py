import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters, difference_table, interval
from analysis.two_way import two_way_spread


def names(*groups: str) -> NDArray[np.object_]:
    return np.array(groups, dtype=object)


def alone(items: int, draws: int = 500) -> ItemClusters:
    return ItemClusters(np.arange(items).astype(object), draws=draws)


def some(seeds: int, items: int, share: float, seed: int = 0) -> NDArray[np.bool_]:
    return np.asarray(np.random.default_rng(seed).random((seeds, items)) < share)


# -- means, accuracies and differences ------------------------------------------------------------


def test_the_interval_of_a_mean_is_symmetric_and_that_of_its_spread() -> None:
    table = np.random.default_rng(0).standard_normal((3, 40))
    found = alone(40).mean(table)
    half = float(two_way_spread(table, np.arange(40)).half_width(0.95))
    assert found.estimate == pytest.approx(table.mean())
    assert (found.low, found.high) == pytest.approx((table.mean() - half, table.mean() + half))


def test_an_accuracy_of_one_seed_has_the_interval_of_wilson() -> None:
    correct = np.arange(400)[None] < 300
    found = alone(400).accuracy(correct)
    # Wilson of 300 in 400 is .7053 to .7900; n - 1 in the variance and t make next to nothing.
    assert found.estimate == 0.75
    assert (found.low, found.high) == pytest.approx((0.7053, 0.7900), abs=4e-4)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_right_or_all_wrong_is_not_certain(share: float) -> None:
    found = alone(100).accuracy(np.full((3, 100), share == 1.0))
    far = 1.984**2 / (100 + 1.984**2)  # Wilson of none in 100
    expected = (0.0, far) if share == 0 else (1 - far, 1.0)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4)


def test_an_accuracy_stays_within_0_and_1_where_seeds_differ_much() -> None:
    correct = np.array([[True] * 50, [True] * 50, [False] * 50])
    found = alone(50).accuracy(correct)
    assert found.low is not None and found.high is not None
    assert 0 <= found.low < 0.2 and 0.9 < found.high <= 1


def test_items_of_one_cluster_count_as_one() -> None:
    correct = np.repeat(some(1, 50, 0.6), 4, axis=1)  # every item four times
    clustered = ItemClusters(np.repeat(np.arange(50), 4).astype(object)).accuracy(correct)
    single = alone(50).accuracy(correct[:, ::4])
    assert (clustered.low, clustered.high) == pytest.approx((single.low, single.high))


def test_a_single_cluster_has_no_interval() -> None:
    clusters = ItemClusters(names("a", "a", "a"))
    correct = np.array([[True, False, True]])
    assert clusters.accuracy(correct).estimate == pytest.approx(2 / 3)
    assert clusters.accuracy(correct).low is None
    assert clusters.difference(correct, correct).high is None
    assert clusters.ratio(correct.astype(np.float64), correct.astype(np.float64)).estimate is None


def test_identical_conditions_differ_by_exactly_nothing() -> None:
    correct = some(4, 90, 0.7)
    found = alone(90).difference(correct, correct.copy())
    assert (found.estimate, found.low, found.high) == (0, 0, 0)


def test_what_has_one_seed_stands_against_every_seed_of_another() -> None:
    many, one = some(3, 60, 0.7), some(1, 60, 0.4, seed=1)
    found, repeated = (alone(60).difference(many, own) for own in (one, np.repeat(one, 3, 0)))
    assert (found.low, found.high) == pytest.approx((repeated.low, repeated.high))


def test_seeds_that_are_not_matched_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="seeds should be matched; got 3 and 2"):
        difference_table(some(3, 10, 0.5), some(2, 10, 0.5))


# -- ratios ---------------------------------------------------------------------------------------


def test_a_ratio_lies_within_its_interval_exactly_where_the_difference_may_be_zero() -> None:
    rng = np.random.default_rng(3)
    clusters = alone(120)
    under = 0.4 + 0.5 * rng.standard_normal((4, 120)) + 0.1 * rng.standard_normal((4, 1))
    over = 0.6 * under + 0.1 + 0.3 * rng.standard_normal((4, 120))
    found = clusters.ratio(over, under)
    assert found.low is not None and found.high is not None
    assert found.estimate == pytest.approx(over.mean() / under.mean())
    for ratio in np.linspace(found.low - 0.5, found.high + 0.5, 101):
        zero = clusters.mean(over - ratio * under)
        assert zero.low is not None and zero.high is not None
        assert (zero.low <= 0 <= zero.high) == (found.low <= ratio <= found.high)


def test_a_ratio_over_what_may_be_nothing_has_no_numbers() -> None:
    under = np.random.default_rng(4).standard_normal((2, 50))
    found = alone(50).ratio(under + 1, under - under.mean() + 0.01)
    assert (found.estimate, found.low, found.high) == (None, None, None)


# -- draws ----------------------------------------------------------------------------------------


def test_draws_of_one_seed_are_those_of_a_plain_loop() -> None:
    groups = names("b", "a", "c", "a", "b", "a", "d")  # clusters of 3, 2, 1, 1 items, unordered
    correct = some(1, len(groups), 0.6, seed=3).astype(np.float64)
    clusters = ItemClusters(groups, draws=40, seed=5)
    order = sorted(set(groups))
    expected = []
    for counts in clusters._counts:
        times = [counts[order.index(group)] for group in groups]
        expected.append(sum(t * own for t, own in zip(times, correct[0], strict=True)) / sum(times))
    assert clusters.draws(correct).tolist() == pytest.approx(expected, abs=1e-12)


def test_every_draw_takes_as_many_clusters_as_there_are() -> None:
    clusters = ItemClusters(names("a", "a", "b", "c"), draws=50)
    assert clusters._counts.shape == (50, 3)
    assert (clusters._counts.sum(1) == 3).all()
    assert len(np.unique(clusters._counts, axis=0)) > 1


@pytest.mark.parametrize("seed_spread", [0.0, 0.05, 1.0])
def test_draws_are_as_wide_as_the_interval_of_the_mean(seed_spread: float) -> None:
    rng = np.random.default_rng(6)
    table = rng.standard_normal((8, 200)) + rng.standard_normal((1, 200))
    table += seed_spread * rng.standard_normal((8, 1))
    clusters = alone(200, draws=20_000)
    mean, drawn = clusters.mean(table), interval(table.mean(), clusters.draws(table))
    assert mean.low is not None and mean.high is not None
    assert drawn.low is not None and drawn.high is not None
    assert drawn.high - drawn.low == pytest.approx(mean.high - mean.low, rel=0.04)


def test_draws_of_seeds_move_a_mean_as_t_does() -> None:
    weights = alone(5, draws=50_000)._seed_draws(3)
    np.testing.assert_allclose(weights.sum(1), 0, atol=1e-12)
    values = np.array([1.0, 4.0, 2.0])
    error = values.std(ddof=1) / np.sqrt(3)
    low, high = np.quantile(weights @ values, [0.025, 0.975])
    assert (low, high) == pytest.approx((-4.30 * error, 4.30 * error), rel=0.05)


def test_draws_repeat_for_a_seed_and_differ_for_another() -> None:
    groups, correct = np.arange(50).astype(object), some(3, 50, 0.5, seed=1).astype(np.float64)
    first = ItemClusters(groups, draws=100, seed=7).draws(correct)
    assert (first == ItemClusters(groups, draws=100, seed=7).draws(correct)).all()
    assert (first != ItemClusters(groups, draws=100, seed=8).draws(correct)).any()


def test_interval_is_made_of_percentiles() -> None:
    draws = np.arange(1001) / 1000
    estimate = interval(0.4, draws)
    assert estimate.estimate == 0.4
    assert (estimate.low, estimate.high) == pytest.approx((0.025, 0.975))
    half = interval(0.4, draws, confidence=0.5)
    assert (half.low, half.high) == pytest.approx((0.25, 0.75))
