"""What the table of prices says of the budget at which the better buy changes."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.accuracy import ItemClusters
from analysis.curves.comparisons import AccuracyCurve, accuracy_curve
from analysis.estimates import Estimate
from analysis.reproduce.experiments.learning_curves import _crossover_cells

ITEMS = 100
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object), draws=200)
MEASURED: Any = SimpleNamespace(lab=SimpleNamespace(easiest="easy", target="hard"))


def curve(costs: list[float], means: list[float]) -> AccuracyCurve:
    rows = [np.tile(np.arange(ITEMS) < round(mean * ITEMS), (3, 1)) for mean in means]
    return accuracy_curve(rows, costs, CLUSTERS)


COSTS = [10.0, 20.0, 40.0, 80.0]
FLAT = curve(COSTS, [0.5] * 4)


def test_a_crossover_with_its_interval() -> None:
    below, place, above = _crossover_cells(MEASURED, curve(COSTS, [0.8, 0.7, 0.4, 0.2]), FLAT)
    assert (below, above) == ("easy", "hard")
    assert isinstance(place, Estimate) and place.low is not None and place.high is not None
    assert place.estimate == pytest.approx(20 + 20 * 0.2 / 0.3)
    assert 10 < place.low < 33.4 < place.high < 80


def test_one_kind_may_be_better_for_any_money() -> None:
    found = _crossover_cells(MEASURED, curve(COSTS, [0.2, 0.2, 0.3, 0.3]), FLAT)
    assert found == ("hard", "no crossover", "hard")


def test_it_may_be_open_or_not_to_be_told() -> None:
    found = _crossover_cells(MEASURED, curve(COSTS, [0.51, 0.50, 0.49, 0.51]), FLAT)
    assert found == ("not resolved", None, "not resolved")
    assert _crossover_cells(MEASURED, curve([100.0, 200.0], [0.5, 0.6]), FLAT) == ("", "", "")
