import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.optimize import approx_fprime, minimize
from scipy.stats import norm

from annotation.errors import InputError
from annotation.hardness import irt_errors
from annotation.hardness.irt import DIFFICULTY_SD, LOG_DISCRIMINATION_SD, Model, fit_item_response

Array = NDArray[np.float64]


def answers(respondents: int, items: int, missing: float = 0.0, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    ability, difficulty = rng.normal(size=respondents), rng.normal(0, 1.2, items)
    slope = np.exp(rng.normal(0, 0.3, items))
    chance = 1 / (1 + np.exp(-slope * (ability[:, None] - difficulty)))
    right = (rng.random(chance.shape) < chance).astype(np.float64)
    right[rng.random(chance.shape) < missing] = np.nan
    return right


def slow_loss(unknowns: Array, right: Array) -> float:
    """The penalised likelihood, respondent by respondent, on a very fine grid of abilities."""
    count = right.shape[1]
    log_slope, difficulty = unknowns[:-count], unknowns[-count:]
    slope = np.broadcast_to(np.exp(log_slope), count)

    ability = np.linspace(-9, 9, 2001)
    total = 0.0
    for row in right:
        joint = norm.pdf(ability)
        for item in np.flatnonzero(~np.isnan(row)):
            chance = 1 / (1 + np.exp(-slope[item] * (ability - difficulty[item])))
            joint = joint * (chance if row[item] == 1 else 1 - chance)
        total -= math.log(trapezoid(joint, ability))
    total += float((log_slope**2).sum()) / (2 * LOG_DISCRIMINATION_SD**2)
    return total + float((difficulty**2).sum()) / (2 * DIFFICULTY_SD**2)


@pytest.mark.parametrize("model", ["1PL", "2PL"])
def test_the_fit_is_the_maximum_and_errors_its_curvature(model: Model) -> None:
    right = answers(25, 3, missing=0.2)
    found = fit_item_response(right, model)
    slopes = 1 if model == "1PL" else 3
    best = np.concatenate([np.log(found.discrimination[:slopes]), found.difficulty])

    def loss(unknowns: Array) -> float:
        return slow_loss(unknowns, right)

    assert np.abs(approx_fprime(best, loss, 1e-5)).max() < 1e-3
    slow = minimize(loss, np.zeros(best.size), method="BFGS", options={"gtol": 1e-4})
    assert best == pytest.approx(slow.x, abs=1e-3)

    step = 1e-3 * np.eye(best.size)
    curvature = np.array(
        [
            [
                loss(best + a + b) - loss(best + a - b) - loss(best - a + b) + loss(best - a - b)
                for b in step
            ]
            for a in step
        ]
    ) / (4e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert found.difficulty_error == pytest.approx(errors[slopes:], rel=2e-3)
    relative = (found.discrimination_error / found.discrimination)[:slopes]
    assert relative == pytest.approx(errors[:slopes], rel=2e-3)
    assert found.converged


def test_hard_items_are_hard_and_able_respondents_able() -> None:
    right = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 1, 0]], dtype=np.float64)
    found = fit_item_response(right, "1PL")
    assert found.difficulty[0] < found.difficulty[1] < found.difficulty[2]
    assert found.ability.argmax() == 2 and found.ability.argmin() == 3
    assert len(set(found.discrimination.tolist())) == 1
    assert (found.ability_error > 0).all()


def test_the_same_answers_give_the_same_numbers() -> None:
    right = answers(30, 8)
    one, other = fit_item_response(right), fit_item_response(right.copy())
    assert one.difficulty.tolist() == other.difficulty.tolist()
    order = np.random.default_rng(0).permutation(30)
    moved = fit_item_response(right[order])
    assert moved.difficulty == pytest.approx(one.difficulty, abs=1e-4)


def test_items_that_nobody_answered_are_unknown() -> None:
    right = answers(30, 5)
    with_gap = np.insert(right, 2, np.nan, axis=1)
    found, without = fit_item_response(with_gap), fit_item_response(right)
    assert np.isnan(found.difficulty[2]) and np.isnan(found.difficulty_error[2])
    assert np.delete(found.difficulty, 2) == pytest.approx(without.difficulty)


def test_items_that_all_or_none_answer_right_stay_finite() -> None:
    right = np.column_stack([np.ones(40), np.zeros(40), answers(40, 2)])
    found = fit_item_response(right)
    assert np.isfinite(found.difficulty).all()
    assert found.difficulty[0] == found.difficulty.min() < -1.5
    assert found.difficulty[1] == found.difficulty.max() > 1.5
    assert found.difficulty_error[:2].min() > found.difficulty_error[2:].max()


@pytest.mark.parametrize("model", ["1PL", "2PL"])
def test_errors_of_very_many_items_come_near(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    right = answers(300, 12)
    joint = fit_item_response(right, model)
    monkeypatch.setattr(irt_errors, "LARGEST_JOINT", 5)
    monkeypatch.setattr(irt_errors, "_BLOCK_VALUES", 2000)  # several blocks of respondents
    apart = fit_item_response(right, model)
    ratio = apart.difficulty_error / joint.difficulty_error
    assert (ratio <= 1 + 1e-9).all() and ratio.min() > 0.75


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="should hold 0, 1 and NaN alone"):
        fit_item_response(np.array([[0.5, 1], [0, 1]]))
    with pytest.raises(ValueError, match=r"\(respondents, items\); got \(2,\)"):
        fit_item_response(np.array([0.0, 1]))
    with pytest.raises(InputError, match="at least 2 respondents; 1 answered"):
        fit_item_response(np.array([[1.0, 0], [np.nan, np.nan]]))
