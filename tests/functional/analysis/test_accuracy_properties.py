"""Intervals hold what they promise, whether items, seeds or their interaction dominate."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from analysis.two_way import two_way_spread

WORLDS = 1200
Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the probit: between items or their clusters, seeds, single cells."""

    items: float
    seeds: float
    cells: float


REGIMES = {
    "items dominate": Spread(1.2, 0.02, 0.2),
    "interaction dominates": Spread(0.2, 0.02, 1.2),
    "seeds matter": Spread(0.7, 0.09, 0.4),
    "seeds dominate": Spread(0.5, 0.25, 0.3),
}


def answers(
    accuracy: float,
    cluster: NDArray[np.int64],
    seeds: int,
    spread: Spread,
    rng: np.random.Generator,
    arms: int = 1,
) -> Answers:
    """Correctness (arms, worlds, seeds, items) from a probit model; arms share their items.

    The probit of `accuracy` is stretched so that it is the mean over items, seeds and cells.
    """

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape, dtype=np.float32)

    clusters, items = int(cluster.max()) + 1, cluster.size
    easiness = spread.items * normal(WORLDS, 1, clusters)[:, :, cluster]
    stretch = np.sqrt(1 + spread.items**2 + spread.seeds**2 + spread.cells**2)
    found = []
    for _ in range(arms):
        luck = spread.seeds * normal(WORLDS, seeds, 1)
        cells = spread.cells * normal(WORLDS, seeds, items)
        chance = ndtr(np.float32(ndtri(accuracy) * stretch) + easiness + luck + cells)
        found.append(rng.random(chance.shape, dtype=np.float32) < chance)
    return np.stack(found)


def holds(found: Estimate, truth: float) -> bool:
    assert found.low is not None and found.high is not None
    return found.low <= truth <= found.high


EVEN = np.arange(300) % 60  # 60 clusters of 5
ALONE = np.arange(200)  # every item its own cluster
UNEVEN = np.repeat(np.arange(60), [1, 2, 3, 4, 10, 10] * 10)  # half the items in a third of them


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("regime", REGIMES)
def test_intervals_of_an_accuracy_hold(regime: str, seeds: int) -> None:
    rng = np.random.default_rng([1, seeds])
    (correct,) = answers(0.7, ALONE, seeds, REGIMES[regime], rng)
    clusters = ItemClusters(ALONE.astype(object))
    held = np.mean([holds(clusters.accuracy(own), 0.7) for own in correct])
    assert 0.925 <= held <= 0.98, f"the intervals hold in {held:.1%}"


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("regime", REGIMES)
def test_intervals_of_a_paired_difference_hold(regime: str, seeds: int) -> None:
    rng = np.random.default_rng([2, seeds])
    one, other = answers(0.7, ALONE, seeds, REGIMES[regime], rng, arms=2)
    tables = one.astype(np.float32) - other
    half = two_way_spread(tables.astype(np.float64), ALONE).half_width(0.95)
    held = (np.abs(tables.mean((1, 2))) <= half).mean()
    assert 0.925 <= held <= 0.98, f"the intervals hold in {held:.1%}"


@pytest.mark.parametrize(
    ("cluster", "seeds", "spread"),
    [
        (ALONE, 1, Spread(1.0, 0.0, 0.0)),
        (EVEN, 1, Spread(1.0, 0.0, 0.0)),
        (EVEN, 5, Spread(0.5, 0.2, 0.0)),
        (EVEN, 3, Spread(1.0, 0.1, 0.0)),
        (UNEVEN, 5, Spread(1.0, 0.1, 0.0)),
    ],
    ids=["one seed", "clusters", "noisy seeds", "three seeds", "uneven"],
)
@pytest.mark.parametrize("accuracy", [0.5, 0.85])
def test_intervals_over_clusters_hold(
    cluster: NDArray[np.int64], seeds: int, spread: Spread, accuracy: float
) -> None:
    (correct,) = answers(accuracy, cluster, seeds, spread, np.random.default_rng(3))
    clusters = ItemClusters(cluster.astype(object))
    held = np.mean([holds(clusters.accuracy(own), accuracy) for own in correct])
    assert 0.925 <= held <= 0.98, f"the intervals hold in {held:.1%}"


def test_clusters_taken_for_single_items_would_not_hold() -> None:
    """The other side: the coverage above is earned by whole clusters."""
    (correct,) = answers(0.5, EVEN, 1, Spread(1.0, 0.0, 0.0), np.random.default_rng(1))
    by_item = ItemClusters(np.arange(EVEN.size).astype(object))
    assert np.mean([holds(by_item.accuracy(own), 0.5) for own in correct]) < 0.9


def test_a_bootstrap_over_items_and_seeds_would_not_hold() -> None:
    """The other side: too wide where the interaction dominates, too narrow where seeds do."""
    rng = np.random.default_rng(4)
    items, seeds, draws = ALONE.size, 3, 400
    counts = rng.multinomial(items, np.full(items, 1 / items), draws) / items
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), draws) / seeds
    held = {}
    for regime in ("interaction dominates", "seeds dominate"):
        (correct,) = answers(0.7, ALONE, seeds, REGIMES[regime], rng)
        means = np.einsum("di,wsi,ds->wd", counts, correct[:400].astype(float), weights)
        low, high = np.quantile(means, [0.025, 0.975], axis=1)
        held[regime] = ((low <= 0.7) & (high >= 0.7)).mean()
    assert held["interaction dominates"] > 0.985
    assert held["seeds dominate"] < 0.925


def test_pairing_makes_a_difference_narrower() -> None:
    rng = np.random.default_rng(5)
    spread = Spread(1.0, 0.05, 0.0)
    one, other = answers(0.6, ALONE, 5, spread, rng, arms=2)
    (elsewhere,) = answers(0.6, ALONE, 5, spread, rng)

    def width(against: Answers) -> float:
        tables = one[:200].astype(float) - against[:200]
        return float(two_way_spread(tables, ALONE).half_width(0.95).mean())

    assert width(other) < 0.75 * width(elsewhere)


@given(
    correct=st.lists(st.lists(st.booleans(), min_size=12, max_size=12), min_size=1, max_size=4),
    seed=st.integers(0, 100),
)
def test_neither_draws_nor_intervals_mind_the_order_of_items(
    correct: list[list[bool]], seed: int
) -> None:
    groups = np.array([f"g{k % 5}" for k in range(12)], dtype=object)
    table = np.array(correct)
    values = table.astype(np.float64)
    order = np.random.default_rng(seed).permutation(12)
    straight, shuffled = ItemClusters(groups, draws=30), ItemClusters(groups[order], draws=30)
    np.testing.assert_allclose(
        straight.draws(values), shuffled.draws(values[:, order]), rtol=0, atol=1e-12
    )
    one, other = straight.accuracy(table), shuffled.accuracy(table[:, order])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


@given(
    correct=st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=1, max_size=4),
)
def test_an_interval_holds_its_estimate_and_nothing_impossible(correct: list[list[bool]]) -> None:
    table = np.array(correct)
    found = ItemClusters(np.arange(9).astype(object)).accuracy(table)
    assert found.low is not None and found.high is not None and found.estimate is not None
    assert 0 <= found.low <= found.estimate <= found.high <= 1
