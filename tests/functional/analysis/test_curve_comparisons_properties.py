"""Differences and crossings cover what is true, and equal those of a slow, obvious twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.accuracy import ItemClusters
from analysis.curves.comparisons import (
    AccuracyCurve,
    accuracy_curve,
    crossings,
    equal_cost_crossings,
    equal_cost_differences,
)
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


def test_a_resolved_crossing_covers_the_true_one() -> None:
    rng = np.random.default_rng(1)
    # Easy leads by 10 points at 30 and lags by 10 at 80.
    easy, hard = [0.55, 0.57, 0.59], [0.46, 0.60, 0.87]
    costs = np.linspace(30, 80, 50_001)
    lead = np.interp(costs, EASY_COSTS, easy) - np.interp(costs, HARD_COSTS, hard)
    truth = float(costs[np.abs(lead).argmin()])
    assert 40 < truth < 70
    covered = []
    for _ in range(REPETITIONS):
        found = dict(equal_cost_crossings(*curves(rng, easy, hard)))
        if found["easy"].estimate is not None:
            covered.append(inside(found["easy"], truth))
    assert len(covered) > 0.7 * REPETITIONS
    assert 0.90 <= np.mean(covered) <= 0.99, f"the intervals cover {np.mean(covered):.1%}"


def test_equal_curves_seldom_have_a_resolved_crossing() -> None:
    rng = np.random.default_rng(2)
    costs = np.union1d(EASY_COSTS, HARD_COSTS)
    heights = dict(zip(costs.tolist(), np.linspace(0.5, 0.6, costs.size).tolist(), strict=True))
    easy, hard = ([heights[c] for c in own] for own in (EASY_COSTS, HARD_COSTS))
    resolved = [
        any(place.estimate is not None for _, place in equal_cost_crossings(*pair))
        for pair in (curves(rng, easy, hard) for _ in range(REPETITIONS))
    ]
    assert np.mean(resolved) <= 0.05, f"a crossing is resolved in {np.mean(resolved):.1%} of runs"


# -- the slow twin --------------------------------------------------------------------------------

HEIGHTS = st.floats(-0.5, 0.5, allow_subnormal=False).map(lambda height: round(height, 3))


def slow_crossing(costs: list[float], lead: list[float], sign: int) -> float | None:
    """Where the lead's integral from the left is largest, step by step; None at an end."""
    grid = np.linspace(costs[0], costs[-1], 20_001)
    heights = sign * np.interp(grid, costs, lead)
    integral, best, place = 0.0, 0.0, 0
    for step in range(1, grid.size):
        integral += (heights[step - 1] + heights[step]) / 2 * (grid[step] - grid[step - 1])
        if integral > best + 1e-12:
            best, place = integral, step
    return None if place in (0, grid.size - 1) else float(grid[place])


def gain(costs: list[float], lead: list[float], sign: int, place: float) -> float:
    """The integral of the lead up to a place."""
    grid = np.linspace(costs[0], place, 20_001)
    return float(np.trapezoid(sign * np.interp(grid, costs, lead), grid))


@pytest.mark.parametrize("sign", [1, -1], ids=["easy better below", "hard better below"])
@given(lead=st.lists(HEIGHTS, min_size=2, max_size=6))
def test_crossings_are_those_of_the_slow_twin(sign: int, lead: list[float]) -> None:
    costs = [10.0, 15.0, 30.0, 50.0, 90.0, 100.0][: len(lead)]
    found = dict(crossings(np.array(costs), np.array(lead), np.array([lead, lead])))
    fast = found.get("easy" if sign == 1 else "hard")
    slow = slow_crossing(costs, lead, sign)
    if slow is None:
        # Beside an end the grid may miss a crossing that gains next to nothing.
        assert fast is None or gain(costs, lead, sign, fast.estimate or 0.0) < 1e-4
    else:
        assert fast is not None and fast.estimate is not None
        # Two places may gain the same: then either is right.
        gained = gain(costs, lead, sign, fast.estimate)
        assert gained == pytest.approx(gain(costs, lead, sign, slow), abs=1e-3)
        assert fast.low == fast.high == fast.estimate
