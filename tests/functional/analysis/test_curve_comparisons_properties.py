"""Differences and crossovers cover what is true, and equal those of a slow, obvious twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.accuracy import ItemClusters
from analysis.crossover import CrossoverBudget, crossover_budget
from analysis.curves.comparisons import (
    AccuracyCurve,
    accuracy_curve,
    equal_cost_differences,
)
from analysis.curves.crossover import equal_cost_crossover
from analysis.estimates import Estimate

Array = NDArray[np.float64]

REPETITIONS = 250
SEEDS, ITEMS = 6, 300
SEED_SPREAD = 0.15  # of the probit: about 4 points of accuracy from one purchase to the next
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object), draws=600)
EASY_COSTS, HARD_COSTS = [20.0, 40.0, 80.0], [30.0, 60.0, 120.0]


def probits_of(accuracies: list[float], rng: np.random.Generator) -> Array:
    """Probits per size and seed, (sizes, seeds, 1); a seed has the same luck at every size."""
    luck = SEED_SPREAD * rng.standard_normal((1, SEEDS, 1))
    probits = ndtri(np.array(accuracies)) * np.sqrt(2 + SEED_SPREAD**2)
    return np.asarray(probits[:, None, None] + luck)


def curves(
    rng: np.random.Generator, easy: list[float], hard: list[float]
) -> tuple[AccuracyCurve, AccuracyCurve]:
    """Two curves of these true accuracies on one test set, whose items differ in difficulty."""
    difficulty = rng.standard_normal(ITEMS)
    found = []
    for costs, accuracies in ((EASY_COSTS, easy), (HARD_COSTS, hard)):
        chance = ndtr(probits_of(accuracies, rng) + difficulty)
        found.append(accuracy_curve(list(rng.random(chance.shape) < chance), costs, CLUSTERS))
    return found[0], found[1]


def inside(found: Estimate, truth: float) -> bool:
    assert found.low is not None and found.high is not None
    return found.low <= truth <= found.high


def test_intervals_at_the_same_money_cover_the_true_difference() -> None:
    rng = np.random.default_rng(0)
    easy, hard = [0.50, 0.60, 0.66], [0.44, 0.56, 0.68]
    covered: dict[float, list[bool]] = {}
    for _ in range(REPETITIONS):
        for cost, difference in equal_cost_differences(*curves(rng, easy, hard)):
            truth = np.interp(cost, EASY_COSTS, easy) - np.interp(cost, HARD_COSTS, hard)
            covered.setdefault(cost, []).append(inside(difference, float(truth)))
    assert set(covered) == {30, 40, 60, 80}
    for cost, own in covered.items():
        assert 0.90 <= np.mean(own) <= 0.99, f"at {cost} the intervals cover {np.mean(own):.1%}"


def crossover(*curves: AccuracyCurve) -> CrossoverBudget:
    found = equal_cost_crossover(curves[0], curves[1], ("easy", "hard"))
    assert found is not None
    return found


def true_crossover(easy: list[float], hard: list[float]) -> float:
    costs = np.linspace(30, 80, 50_001)
    lead = np.interp(costs, EASY_COSTS, easy) - np.interp(costs, HARD_COSTS, hard)
    return float(costs[np.abs(lead).argmin()])


@pytest.mark.parametrize("swapped", [False, True], ids=["easy better below", "hard better below"])
def test_a_crossover_covers_the_true_one(swapped: bool) -> None:
    rng = np.random.default_rng(1)
    # Easy leads by 10 points at 30 and lags by 10 at 80.
    easy, hard = [0.55, 0.57, 0.59], [0.46, 0.60, 0.87]
    if swapped:
        easy, hard = [0.35, 0.52, 0.80], [0.55, 0.57, 0.60]
    truth = true_crossover(easy, hard)
    assert 35 < truth < 70
    covered = []
    for _ in range(REPETITIONS):
        found = crossover(*curves(rng, easy, hard))
        if found.verdict == "changes":
            assert found.better_below == ("hard" if swapped else "easy")
            covered.append(inside(found, truth))
    assert len(covered) > 0.7 * REPETITIONS
    assert 0.90 <= np.mean(covered) <= 0.99, f"the intervals cover {np.mean(covered):.1%}"


def test_the_same_curves_twice_seldom_have_a_crossover() -> None:
    rng = np.random.default_rng(2)
    costs = np.union1d(EASY_COSTS, HARD_COSTS)
    heights = dict(zip(costs.tolist(), np.linspace(0.5, 0.6, costs.size).tolist(), strict=True))
    easy, hard = ([heights[c] for c in own] for own in (EASY_COSTS, HARD_COSTS))
    verdicts = [crossover(*curves(rng, easy, hard)).verdict for _ in range(REPETITIONS)]
    told = np.mean([verdict != "not resolved" for verdict in verdicts])
    assert told <= 0.06, f"equal curves are told apart, or to cross, in {told:.1%} of runs"


def test_where_one_kind_leads_throughout_there_is_no_crossover() -> None:
    rng = np.random.default_rng(3)
    easy, hard = [0.56, 0.62, 0.66], [0.44, 0.50, 0.56]
    found = [crossover(*curves(rng, easy, hard)) for _ in range(REPETITIONS)]
    assert np.mean([own.verdict == "never changes" for own in found]) > 0.8
    assert not any(own.verdict == "changes" for own in found)
    assert np.mean([own.better_throughout["easy"] for own in found]) > 0.9


# -- the slow twin --------------------------------------------------------------------------------

HEIGHTS = st.floats(-0.5, 0.5, allow_subnormal=False).map(lambda height: round(height, 3))


def right_areas(costs: list[float], lead: list[float], places: Array) -> Array:
    """Area above zero to the left of each place and below it to the right, less all other area."""
    fine = np.linspace(costs[0], costs[-1], 4_001)
    grid = np.union1d(fine, places)
    heights = np.interp(grid, costs, lead)
    areas = np.append(0.0, np.cumsum((heights[1:] + heights[:-1]) / 2 * np.diff(grid)))
    return np.asarray(2 * np.interp(places, grid, areas) - areas[-1])


@given(lead=st.lists(HEIGHTS, min_size=2, max_size=6), factor=st.sampled_from([0.01, 1.0, 7e4]))
def test_no_other_reading_leaves_less_on_the_wrong_side(lead: list[float], factor: float) -> None:
    costs = [10.0, 15.0, 30.0, 50.0, 90.0, 100.0][: len(lead)]
    heights = np.array(lead)
    found = crossover_budget(
        factor * np.array(costs), heights, heights[None], ("easy", "hard"), 0.95
    )
    if not heights.any():
        assert found.verdict == "not resolved"
        return
    if found.verdict == "changes":
        assert found.estimate is not None and found.probability == 1
        assert found.low == found.high == found.estimate
        sign, at = 1 if found.better_below == "easy" else -1, found.estimate / factor
        assert costs[0] < at < costs[-1]
    else:
        assert found.verdict == "never changes" and found.probability == 0
        sign, at = 1 if found.better_throughout["easy"] else -1, costs[-1]
    own = sign * right_areas(costs, lead, np.array([at]))[0]
    elsewhere: Array = np.arange(costs[0], costs[-1], 0.1).astype(np.float64)
    others = np.abs(right_areas(costs, lead, elsewhere))
    assert own >= others.max() - 1e-4
