"""The SGR's interval covers the true ratio, and no gap is found where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.accuracy import ItemClusters
from analysis.efficiency import per_cost, sgr_per_cost
from analysis.estimates import SupervisionGap
from analysis.sgr import supervision_gap_recovered

REPETITIONS = 400
SEEDS, ITEMS = 4, 300
SEED_SPREAD = 0.2  # of the probit: about 5 points of accuracy from one purchase to the next
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object))


def conditions(
    rng: np.random.Generator, accuracies: dict[str, float]
) -> dict[str, NDArray[np.bool_]]:
    """Correctness of conditions on one test set: all meet the same difficult items."""
    difficulty = rng.standard_normal(ITEMS)
    table = {}
    for name, accuracy in accuracies.items():
        seeds = 1 if name == "unsupervised" else SEEDS
        spread = 0.0 if name == "unsupervised" else SEED_SPREAD
        luck = spread * rng.standard_normal((seeds, 1))
        chance = ndtr(ndtri(accuracy) * np.sqrt(2 + spread**2) + difficulty + luck)
        table[name] = rng.random((seeds, ITEMS)) < chance
    return table


def gaps(accuracies: dict[str, float]) -> list[SupervisionGap]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(REPETITIONS):
        c = conditions(rng, accuracies)
        found.append(
            supervision_gap_recovered(c["easy"], c["hard"], c["unsupervised"], CLUSTERS, 100)
        )
    return found


def test_intervals_cover_the_true_ratio() -> None:
    truth = (0.60 - 0.35) / (0.65 - 0.35)
    found = gaps({"easy": 0.60, "hard": 0.65, "unsupervised": 0.35})
    assert all(gap.resolved for gap in found)
    inside = []
    for gap in found:
        assert gap.low is not None and gap.high is not None
        inside.append(gap.low <= truth <= gap.high)
    covered = np.mean(inside)
    assert 0.92 <= covered <= 0.98, f"the intervals cover {covered:.1%}"


@pytest.mark.parametrize("accuracy", [0.55, 0.33])  # the second does worse than no training
def test_intervals_of_sgr_per_cost_cover_the_true_one(accuracy: float) -> None:
    truth = per_cost((accuracy - 0.35) / (0.65 - 0.35), 40.0)
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(REPETITIONS):
        c = conditions(rng, {"plan": accuracy, "hard": 0.65, "unsupervised": 0.35})
        found = sgr_per_cost(
            {"plan": c["plan"]}, {"plan": 40.0}, c["hard"], c["unsupervised"], CLUSTERS
        )
        assert found is not None and found["plan"].low is not None
        assert found["plan"].high is not None
        inside.append(found["plan"].low <= truth <= found["plan"].high)
    covered = np.mean(inside)
    assert 0.92 <= covered <= 0.98, f"the intervals cover {covered:.1%}"


def test_no_gap_is_seldom_called_resolved() -> None:
    found = gaps({"easy": 0.50, "hard": 0.50, "unsupervised": 0.50})
    share = np.mean([gap.resolved for gap in found])
    assert share <= 0.05, f"a gap of nothing is resolved in {share:.1%} of runs"


def test_a_harmful_training_is_never_resolved() -> None:
    assert not any(gap.resolved for gap in gaps({"easy": 0.50, "hard": 0.40, "unsupervised": 0.55}))


CORRECT = arrays(np.bool_, (2, 40))


@given(easy=CORRECT, hard=CORRECT, unsupervised=arrays(np.bool_, (1, 40)))
def test_a_number_is_given_exactly_where_the_gap_is_resolved(
    easy: NDArray[np.bool_], hard: NDArray[np.bool_], unsupervised: NDArray[np.bool_]
) -> None:
    clusters = ItemClusters(np.arange(40).astype(object))
    gap = supervision_gap_recovered(easy, hard, unsupervised, clusters, 10)
    assert gap.gap.low is not None
    assert gap.resolved == (gap.gap.low > 0)
    numbers = [gap.estimate, gap.low, gap.high]
    if gap.resolved:
        assert gap.low is not None and gap.high is not None and gap.low <= gap.high
        assert np.isfinite([gap.low, gap.high]).all()
        assert gap.estimate is not None
    else:
        assert numbers == [None, None, None]
