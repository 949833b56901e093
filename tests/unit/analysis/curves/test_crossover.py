import numpy as np
import pytest

from analysis.accuracy import ItemClusters
from analysis.crossover import CrossoverBudget
from analysis.curves.comparisons import AccuracyCurve, accuracy_curve
from analysis.curves.crossover import equal_cost_crossover

ITEMS = 100
COSTS = [10.0, 20.0, 30.0, 40.0, 50.0]
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object), draws=200)


def curve(means: list[float], factor: float = 1.0) -> AccuracyCurve:
    """These accuracies, in whole per cent, alike for both seeds; factor times the money."""
    rows = [np.arange(ITEMS) < round(mean * ITEMS) for mean in means]
    costs = [factor * cost for cost in COSTS[: len(means)]]
    return accuracy_curve([np.tile(row, (2, 1)) for row in rows], costs, CLUSTERS)


def crossover(lead: list[float], factor: float = 1.0) -> CrossoverBudget:
    easy, hard = curve([0.5 + d for d in lead], factor), curve([0.5] * len(lead), factor)
    found = equal_cost_crossover(easy, hard, ("easy", "hard"))
    assert found is not None
    return found


def test_where_two_lines_cross() -> None:
    found = crossover([0.3, 0.2, 0.1, -0.1, -0.3])
    assert (found.verdict, found.better_below) == ("changes", "easy")
    assert found.estimate == pytest.approx(35)
    assert found.low is not None and found.high is not None
    assert 30 < found.low < 35 < found.high < 50
    assert (found.least, found.most) == (10, 50)


def test_the_currency_does_not_matter() -> None:
    lead = [0.3, 0.2, 0.1, -0.1, -0.3]
    one, other = crossover(lead), crossover(lead, factor=1000.0)
    assert one.estimate is not None and one.low is not None and one.high is not None
    scaled = (other.estimate, other.low, other.high, other.most)
    assert scaled == pytest.approx(
        (1000 * one.estimate, 1000 * one.low, 1000 * one.high, 1000 * one.most)
    )
    assert one.probability == other.probability


def test_a_curve_does_not_cross_itself() -> None:
    found = crossover([0.0, 0.0, 0.0])
    assert (found.verdict, found.better_below, found.probability) == ("not resolved", None, 0)
    assert found.better_throughout == {"easy": 0, "hard": 0}


def test_a_lead_that_is_lost_and_won_back_is_not_told_as_one_crossover() -> None:
    found = crossover([0.2, -0.2, 0.2])
    assert found.verdict == "not resolved"
    assert found.probability > 0.5
