"""The minimisation by columns: padding, hard starts, and the line search's promises."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize as scipy_minimize

from training.probes import solver as probe_solver
from training.probes.line_search import CURVATURE, DECREASE, search
from training.probes.loss import ProbeTargets
from training.probes.solver import GRADIENT_TOLERANCE, Problem, minimise

Array = NDArray[np.float64]


def draw_problem(sets: int, fits: int, own_choices: bool, redrawn: float = 0.0) -> Problem:
    """Random rows of 6 items and 3 classes in 4 coordinates; soft targets."""
    generator = torch.Generator().manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64}
    rows = torch.randn(sets, 12 if own_choices else 6, 4, **options)  # type: ignore[call-overload]
    targets = torch.rand(sets, 6, 3, fits, **options) ** 3  # type: ignore[call-overload]
    choices = rows.new_full((sets, 6, 1, 1), 3.0)
    rates = rows.new_full((sets, 6, 1, fits), redrawn)
    return Problem(
        rows,
        rows.square().sum(1) / 6,
        torch.ones(sets, 4, dtype=torch.float64),
        rows.new_full((sets, 6, fits), 1 / 6),
        ProbeTargets(
            targets / targets.sum(2, keepdim=True),
            choices,
            None,
            (1 - rates).log() if redrawn else None,
            (rates / 3).log() if redrawn else None,
        ),
        own_choices,
    )


def value(problem: Problem, penalty: float, unknowns: torch.Tensor) -> torch.Tensor:
    """The objective of every column, with all class vectors written out; (sets, fits)."""
    losses, _, _ = problem.labels.losses(problem.labels.scores(problem.others(unknowns)))
    vectors = unknowns
    if not problem.own_choices:
        theta = torch.cat([torch.zeros_like(unknowns[:, :, :1]), unknowns], 2)
        vectors = theta - theta.mean(2, keepdim=True)
    ridge = problem.penalised[:, :, None, None] * vectors.square()
    return (problem.item_weights * losses).sum(1) + penalty / 2 * ridge.sum((1, 2))


@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
def test_every_column_of_every_set_is_at_its_minimum(own_choices: bool) -> None:
    problem = draw_problem(3, 4, own_choices)
    start = torch.zeros(3, 4, problem.heads, 4, dtype=torch.float64)
    found = minimise(problem, 0.1, start)
    values = value(problem, 0.1, found)
    for one in range(3):
        for fit in range(4):

            def objective(flat: Array, one: int = one, fit: int = fit) -> tuple[float, Array]:
                point = found.clone()
                point[one, :, :, fit] = torch.from_numpy(flat).view(4, -1)
                point.requires_grad_()
                loss = value(problem, 0.1, point)[one, fit]
                (slope,) = torch.autograd.grad(loss, point)
                return loss.item(), slope[one, :, :, fit].numpy().ravel()

            best = scipy_minimize(
                objective, np.zeros(4 * problem.heads), jac=True, options={"gtol": 1e-9}
            )
            assert values[one, fit].item() == pytest.approx(best.fun, abs=1e-11)
            np.testing.assert_allclose(found[one, :, :, fit].numpy().ravel(), best.x, atol=1e-4)


@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
@pytest.mark.parametrize("redrawn", [0.0, 0.6], ids=["convex", "forward correction"])
def test_far_starts_end_at_a_point_without_slope(own_choices: bool, redrawn: float) -> None:
    problem = draw_problem(2, 5, own_choices, redrawn)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(2, 4, problem.heads, 5, generator=generator, dtype=torch.float64) * 100
    before = value(problem, 0.01, start)
    found = minimise(problem, 0.01, start).requires_grad_()
    after = value(problem, 0.01, found)
    assert (after < before).all()
    (slopes,) = torch.autograd.grad(after.sum(), found)
    lengths = (slopes * problem.uncentred(slopes)).sum((1, 2)).sqrt()
    assert float(lengths.max()) <= GRADIENT_TOLERANCE * 1.001


def test_a_minimum_is_left_as_it_is() -> None:
    problem = draw_problem(1, 2, True)
    found = minimise(problem, 0.1, torch.zeros(1, 4, 1, 2, dtype=torch.float64))
    torch.testing.assert_close(minimise(problem, 0.1, found), found, rtol=0, atol=0)


def test_columns_that_weigh_nothing_stay_at_zero() -> None:
    problem = draw_problem(1, 3, True)
    problem.item_weights[:, :, 1] = 0.0
    found = minimise(problem, 0.1, torch.zeros(1, 4, 1, 3, dtype=torch.float64))
    assert (found[..., 1] == 0).all()
    assert (found[..., [0, 2]] != 0).all()


def test_stopping_early_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_solver, "MOST_ITERATIONS", 1)
    problem = draw_problem(1, 3, True)
    with pytest.warns(RuntimeWarning, match="3 probe fits at penalty 0.001 stopped at a gradient"):
        minimise(problem, 0.001, torch.zeros(1, 4, 1, 3, dtype=torch.float64))


@pytest.mark.parametrize("length", [1e-4, 1.0, 1e4])
def test_steps_satisfy_the_wolfe_conditions(length: float) -> None:
    """Along directions that are far too short, about right, and far too long."""
    problem, penalty = draw_problem(2, 6, True), 0.05
    zero = torch.zeros(2, 4, 1, 6, dtype=torch.float64, requires_grad=True)
    start = value(problem, penalty, zero)
    (slope,) = torch.autograd.grad(start.sum(), zero)
    direction = -slope * length
    descent = (slope * direction).sum((1, 2))
    labels = problem.labels
    step, data, _, _, _ = search(
        labels,
        problem.item_weights,
        labels.scores(problem.others(zero.detach())),
        torch.nn.functional.pad(problem.others(direction), (0, 0, 1, 0)),
        start.detach(),
        (
            torch.zeros_like(descent),
            torch.zeros_like(descent),
            penalty * direction.square().sum((1, 2)),
        ),
        descent,
        torch.ones(2, 6, dtype=torch.bool),
    )
    point = (step[:, None, None] * direction).requires_grad_()
    there = value(problem, penalty, point)
    (slope_there,) = torch.autograd.grad(there.sum(), point)
    assert (there <= start + DECREASE * step * descent + 1e-15).all()
    assert ((slope_there * direction).sum((1, 2)) >= CURVATURE * descent).all()
    ridge = penalty / 2 * point.detach().square().sum((1, 2))
    torch.testing.assert_close(data + ridge, there.detach())
