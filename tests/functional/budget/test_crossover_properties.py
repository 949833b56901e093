"""A surface whose draws are like the truth tells the crossover budget as often as it says."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from analysis.crossover import CrossoverBudget
from annotation.terms.cost import LabelTerms
from budget.surface.crossover import surface_crossover
from budget.surface.response import ResponseSurface

WORLDS, DRAWS = 400, 400
TERMS = {
    name: LabelTerms(Decimal(cost), 0.0, "redraw") for name, cost in (("easy", 1), ("hard", 3))
}
NAMES = ResponseSurface(("easy", "hard"), "hard", np.empty((0, 0)), 0.0, 0.0).parameter_names


def surface(rng: np.random.Generator, cosine: float, spread: float) -> ResponseSurface:
    """Draws about a centre; easy labels level off at about `cosine` of what hard ones reach."""
    centre = np.arctanh(cosine), np.log(rng.uniform(50, 200))
    normal = rng.standard_normal((2, DRAWS)) * np.array([[1.0], [2.0]]) * spread
    values = {
        "floor": 0.3,
        "ceiling": 0.9,
        "steepness": 1e-6,
        "half_labels": np.exp(centre[1] + normal[1]),
        "exponent": 1.0,
        "shape": 1.0,
        "noise_power": 1.0,
        "test_offset": 0.0,
        "signal_easy": 1.0,
        "alignment_easy": np.tanh(centre[0] + normal[0]),
    }
    columns = np.broadcast_arrays(*(np.asarray(values[name], dtype=float) for name in NAMES))
    return ResponseSurface(("easy", "hard"), "hard", np.stack(columns, axis=-1), 0.0, 0.01)


def told_and_true(
    rng: np.random.Generator, cosine: float, spread: float
) -> tuple[CrossoverBudget, CrossoverBudget]:
    """What the draws say, and one more draw of the same kind, which is the truth."""
    own = surface(rng, cosine, spread)
    true = replace(own, draws=own.draws[-1:])
    own = replace(own, draws=own.draws[:-1])
    capacity, measured = dict.fromkeys(own.strata, 10**6), [{"easy": 10}, {"hard": 10}]
    found, truth = (
        surface_crossover(each, "easy", TERMS, measured, 5000.0, capacity) for each in (own, true)
    )
    assert found is not None and truth is not None
    return found, truth


def test_the_interval_covers_the_true_crossover_budget() -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(WORLDS):
        found, truth = told_and_true(rng, rng.uniform(0.45, 0.8), 0.1)
        if found.verdict == "changes":
            assert found.low is not None and found.high is not None
            place = truth.estimate
            inside.append(place is not None and found.low <= place <= found.high)
    assert len(inside) > 0.6 * WORLDS
    assert 0.92 <= np.mean(inside) <= 0.98, f"{np.mean(inside):.1%} of {len(inside)}"


def test_where_easy_labels_never_fall_behind_no_crossover_is_told() -> None:
    rng = np.random.default_rng(1)
    for _ in range(WORLDS // 4):
        found, truth = told_and_true(rng, 0.995, 0.05)
        assert truth.verdict == found.verdict == "never changes"
        assert found.better_throughout["easy"] > 0.95


def test_the_probability_of_a_change_is_how_often_there_is_one() -> None:
    rng = np.random.default_rng(5)
    pairs = [told_and_true(rng, rng.uniform(0.2, 0.95), 0.4) for _ in range(WORLDS)]
    said = np.array([found.probability for found, _ in pairs])
    happened = np.array([truth.verdict == "changes" for _, truth in pairs])
    assert 0.2 < happened.mean() < 0.95
    for part in np.array_split(np.argsort(said), 2):
        assert (
            abs(said[part].mean() - happened[part].mean()) < 0.1
        )  # 200 worlds each: a standard error of .035
