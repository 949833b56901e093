"""Expected accuracy by budget."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.run.result import read_result
from budget.decision.by_budget import BEST, BudgetCurve, accuracy_by_budget
from budget.decision.prepared import prepared
from budget.decision.question import PlanOptions
from budget.decision.replan import replan
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]


@pytest.fixture
def run_folder(make_surface: Surface, store_run: Store) -> Path:
    """An easy label is worth .6 hard ones, at half the cost."""
    draws = [80.0, 100.0, 120.0, 160.0]
    return store_run(probe=make_surface({"easy": 0.6}, half_labels=draws))


def curves(folder: Path, most: Decimal | None = None, **asked: object) -> dict[str, BudgetCurve]:
    own = prepared(
        read_result(folder / "result.json"),
        PlanOptions(**asked),  # type: ignore[arg-type]
        str(folder),
    )
    return {curve.kind: curve for curve in accuracy_by_budget(own, most)}


def test_every_point_is_the_plan_of_its_budget(run_folder: Path) -> None:
    found = curves(run_folder)
    assert list(found) == [BEST, "only easy labels", "only hard labels"]
    best = found[BEST]
    assert best.budgets[0] == 60 and best.budgets[-1] == 400
    for budget, accuracy in zip(best.budgets, best.accuracy, strict=True):
        plan = replan(run_folder, PlanOptions(budget=str(budget))).plan
        assert accuracy.estimate == pytest.approx(plan.expected_accuracy.estimate, abs=2e-4)
        assert accuracy.low == pytest.approx(plan.expected_accuracy.low, abs=2e-4)


def test_more_money_buys_more_and_no_stratum_alone_beats_the_plan(run_folder: Path) -> None:
    found = curves(run_folder)
    means = {kind: [own.estimate or 0 for own in c.accuracy] for kind, c in found.items()}
    for own in means.values():
        assert own == sorted(own)
    for kind in ("only easy labels", "only hard labels"):
        assert all(a >= b - 1e-3 for a, b in zip(means[BEST], means[kind], strict=True))


def test_prices_move_the_curve_of_their_stratum_alone(run_folder: Path) -> None:
    usual, dearer = curves(run_folder), curves(run_folder, costs={"hard": Decimal(4)})
    assert dearer["only easy labels"] == usual["only easy labels"]
    last = [own["only hard labels"].accuracy[-1].estimate or 0 for own in (usual, dearer)]
    assert last[1] < last[0]


def test_up_to_a_budget_that_is_asked_for(run_folder: Path) -> None:
    assert curves(run_folder, Decimal("1000.50"))[BEST].budgets[-1] == 1000.5
    # Never an empty range, however small the budget is.
    assert curves(run_folder, Decimal(1))[BEST].budgets == sorted(
        set(curves(run_folder, Decimal(1))[BEST].budgets)
    )
