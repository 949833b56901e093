"""A simulated grid is what planning each cell by itself gives, over random terms."""

from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.terms.cost import LabelTerms, affordable, mix_cost
from budget.simulate.axes import QUANTITIES, read_axis
from budget.simulate.phase import EASY, HARD, MIX, Phase, plan_cells, simulate_phase
from budget.simulate.presets import with_defaults
from budget.simulate.stated import read_statements
from budget.simulate.task import SimulatedTask, assumed_task
from budget.simulate.terms import CellTerms, cell_terms, label_counts

Array = NDArray[np.float64]
MARGIN = 0.005
STATED = with_defaults(read_statements(["transfer=.5:.95"]).statements)
TASK, _ = assumed_task(STATED, 50, 0)

amounts = st.decimals(min_value="0.01", max_value="5000", places=2)
ratios = st.decimals(min_value="0.05", max_value="20", places=2)
rates = st.floats(0, 1).map(lambda rate: round(rate, 3))
cells = st.builds(
    CellTerms,
    budget=amounts,
    cost_easy=st.decimals(min_value="0.01", max_value="30", places=2),
    cost_ratio=ratios.map(Fraction),
    error_easy=rates,
    error_hard=rates,
    transfer=st.none() | st.floats(-1, 1),
)


def plan_by_itself(task: SimulatedTask, cell: CellTerms) -> dict[str, float]:
    """The slow and obvious way: each mix priced and predicted alone."""
    surface = task.surface
    if cell.transfer is not None:
        draws = surface.draws.copy()
        draws[:, surface.parameter_names.index("alignment_easy")] = cell.transfer
        surface = replace(surface, draws=draws)
    cost_hard = cell.cost_easy * Decimal(cell.cost_ratio.numerator) / cell.cost_ratio.denominator
    clean = {
        "easy": task.annotators["easy"].clean(cell.error_easy),
        "hard": task.annotators["hard"].clean(cell.error_hard),
    }
    found: dict[int, Array] = {}

    def predict(share: int) -> Array:
        mix = {
            "easy": affordable(cell.budget, cell.cost_easy, Fraction(share, 20)),
            "hard": affordable(cell.budget, cost_hard, Fraction(20 - share, 20)),
        }
        terms = {
            "easy": LabelTerms(cell.cost_easy, cell.error_easy, "redraw"),
            "hard": LabelTerms(cost_hard, cell.error_hard, "redraw"),
        }
        assert mix_cost(mix, terms) <= cell.budget
        return surface.predict([mix], clean, offset=False)[:, 0]

    for share in range(0, 21, 2):
        found[share] = predict(share)
    best = max(found, key=lambda share: (round(found[share].mean(), 9), -share))
    for share in (best - 1, best + 1):
        if 0 <= share <= 20:
            found[share] = predict(share)
    expected = {share: float(draws.mean()) for share, draws in found.items()}
    difference = found[20] - found[0]
    difference[np.abs(difference) < 1e-9] = 0
    low, high = np.quantile(difference, [0.05, 0.95])
    sides = max(expected[0], expected[20])
    one_side = EASY if expected[20] >= expected[0] - 1e-9 else HARD
    return {
        "all_easy": expected[20],
        "all_hard": expected[0],
        "equal_spend": expected[10],
        "best": max(expected.values()),
        "probability_easy": float(np.mean(np.sign(difference) / 2 + 0.5)),
        "difference_low": low,
        "difference_high": high,
        "value_of_knowing": float(np.max(list(found.values()), axis=0).mean())
        - max(expected.values()),
        "region": MIX if max(expected.values()) - sides > MARGIN else one_side,
    }


@settings(max_examples=300)
@given(cell=cells)
def test_a_cell_is_what_planning_it_by_itself_gives(cell: CellTerms) -> None:
    found = plan_cells(TASK, [cell], MARGIN)
    alone = plan_by_itself(TASK, cell)
    ahead = alone["best"] - max(alone["all_easy"], alone["all_hard"])
    for name, value in alone.items():
        if name == "region" and abs(ahead - MARGIN) < 1e-9:
            continue  # on the very edge
        assert getattr(found, name)[0] == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("budget=37:900:6", "cost-ratio=1:9:5"),
        ("error-hard=0:.9:6", "budget=20:2000:5"),
        ("transfer=-.2:1:6", "error-factor=0:4:5"),
        ("cost-ratio=.5:7:6", "transfer=0:1:5"),
        ("error-easy=0:1:6", "error-hard=0:1:5"),
    ],
)
def test_every_cell_of_a_grid_is_what_planning_it_by_itself_gives(x: str, y: str) -> None:
    across, up = read_axis(x, "--x"), read_axis(y, "--y")
    grid = simulate_phase(TASK, STATED, across, up, MARGIN)
    for row, y_value in enumerate(up.values):
        for column, x_value in enumerate(across.values):
            cell = cell_terms(STATED, {across.name: x_value, up.name: y_value})
            for name, value in plan_by_itself(TASK, cell).items():
                found = getattr(grid, name)[row, column]
                assert found == pytest.approx(value, abs=1e-9), (name, x_value, y_value)


@settings(max_examples=500)
@given(cell=cells, share=st.integers(0, 20))
def test_labels_are_what_money_affords(cell: CellTerms, share: int) -> None:
    easy, hard = label_counts([cell], np.array([[share]]), 20, TASK)[0, 0]
    assert easy == affordable(cell.budget, cell.cost_easy, Fraction(share, 20))
    of_hard = Fraction(20 - share, 20) / cell.cost_ratio
    assert hard == affordable(cell.budget, cell.cost_easy, of_hard)
    spent = (
        int(easy) * Fraction(cell.cost_easy)
        + int(hard) * Fraction(cell.cost_easy) * cell.cost_ratio
    )
    assert spent <= Fraction(cell.budget)


@given(cell=cells, factor=st.sampled_from(["0.001", "0.3", "7", "1000"]))
def test_scaling_all_money_changes_nothing(cell: CellTerms, factor: str) -> None:
    scaled = replace(
        cell, budget=cell.budget * Decimal(factor), cost_easy=cell.cost_easy * Decimal(factor)
    )
    one, other = (plan_cells(TASK, [own], MARGIN) for own in (cell, scaled))
    for own in fields(Phase):
        assert np.array_equal(getattr(one, own.name), getattr(other, own.name)), own.name


@given(cell=cells)
def test_the_best_is_at_least_as_good_as_every_simple_rule(cell: CellTerms) -> None:
    found = plan_cells(TASK, [cell], MARGIN)
    for name in ("all_easy", "all_hard", "equal_spend"):
        assert found.best[0] >= getattr(found, name)[0] - 1e-9
    assert found.value_of_knowing[0] >= 0
    assert found.difference_low[0] <= found.difference_high[0]
    assert 0 <= found.probability_easy[0] <= 1


@given(budget=amounts, rate=rates)
def test_strata_that_are_the_same_are_never_told_apart(budget: Decimal, rate: float) -> None:
    stated = with_defaults(read_statements(["transfer=1", "signal=1"]).statements)
    task, _ = assumed_task(stated, 30, 0)
    found = plan_cells(task, [CellTerms(budget, Decimal(1), Fraction(1), rate, rate, None)], MARGIN)
    assert found.all_easy[0] == pytest.approx(found.all_hard[0], abs=1e-9)
    assert found.region[0] != MIX
    assert found.probability_easy[0] == 0.5
    assert found.unresolved[0]


@given(cell=cells)
def test_dearer_hard_labels_never_help_hard(cell: CellTerms) -> None:
    """Clean labels: more of them never do harm."""
    clean = replace(cell, error_easy=0.0, error_hard=0.0, transfer=None)
    dearer = replace(clean, cost_ratio=clean.cost_ratio * 2)
    one, other = (plan_cells(TASK, [own], MARGIN) for own in (clean, dearer))
    assert other.all_hard[0] <= one.all_hard[0] + 1e-12
    assert other.all_easy[0] == one.all_easy[0]
    assert other.probability_easy[0] >= one.probability_easy[0]


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_can_be_an_axis(name: str) -> None:
    other = "budget" if name != "budget" else "cost-ratio"
    x = replace(axis := read_axis(name, "--x"), values=axis.values[::20])
    y = replace(axis := read_axis(other, "--y"), values=axis.values[::20])
    grid = simulate_phase(TASK, STATED, x, y, MARGIN)
    assert grid.best.shape == (3, 3)
    assert np.isfinite(grid.best).all()
    assert (
        not (grid.all_easy == grid.all_easy[0, 0]).all()
        or not (grid.all_hard == grid.all_hard[0, 0]).all()
    )
