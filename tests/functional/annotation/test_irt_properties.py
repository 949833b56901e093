"""Item response theory finds the truth it was made from, and its standard errors cover it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.hardness.irt import Model, fit_item_response

Array = NDArray[np.float64]
NOMINAL = 0.9
QUANTILE = 1.6449
RUNS = 200


def made(
    seed: int, model: Model, respondents: int, items: int, answered: float
) -> tuple[Array, Array, Array]:
    """Answers, difficulties and abilities, drawn from the model itself."""
    rng = np.random.default_rng([seed, respondents])
    ability, difficulty = rng.normal(size=respondents), rng.normal(0, 1.2, items)
    slope = np.full(items, 1.2) if model == "1PL" else np.exp(rng.normal(0, 0.35, items))
    chance = 1 / (1 + np.exp(-slope * (ability[:, None] - difficulty)))
    right = (rng.random(chance.shape) < chance).astype(np.float64)
    right[rng.random(chance.shape) > answered] = np.nan
    return right, difficulty, ability


@pytest.mark.parametrize(
    ("model", "respondents", "items", "answered", "least"),
    [
        ("1PL", 60, 20, 0.5, 0.85),
        ("2PL", 150, 12, 1.0, 0.85),
        ("1PL", 25, 40, 1.0, 0.82),  # so few respondents that errors come out a little short
    ],
)
def test_intervals_of_difficulty_cover(
    model: Model, respondents: int, items: int, answered: float, least: float
) -> None:
    inside = []
    for seed in range(RUNS):
        right, difficulty, _ = made(seed, model, respondents, items, answered)
        found = fit_item_response(right, model)
        assert found.converged
        inside.append(np.abs(found.difficulty - difficulty) < QUANTILE * found.difficulty_error)
    assert least < np.mean(inside) < 0.95


def test_abilities_are_covered_too() -> None:
    inside = []
    for seed in range(50):
        right, _, ability = made(seed, "2PL", 100, 25, 0.8)
        found = fit_item_response(right)
        inside.append(np.abs(found.ability - ability) < QUANTILE * found.ability_error)
    assert 0.85 < np.mean(inside) < 0.95


def test_more_answers_bring_difficulties_nearer_to_the_truth() -> None:
    errors = {}
    for respondents in (50, 200, 800):
        right, difficulty, _ = made(1, "2PL", respondents, 30, 1.0)
        found = fit_item_response(right)
        errors[respondents] = float(np.sqrt(np.mean((found.difficulty - difficulty) ** 2)))
        assert np.corrcoef(found.difficulty, difficulty)[0, 1] > 0.93
    assert errors[50] > 1.3 * errors[200] > 1.69 * errors[800]
