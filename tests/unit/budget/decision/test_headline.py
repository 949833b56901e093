"""The headline of `labelmix plan` and what the run's own test made of the forecast."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from analysis.run.result import Baseline, ConditionAccuracy, read_result, write_result
from budget.commands.show.plan import show_replan
from budget.decision.question import PlanOptions
from budget.decision.replan import Replan, replan
from budget.surface.response import ResponseSurface
from tests.unit.analysis.runs_by_hand import estimate, with_planning_method

PLANNED = {"easy": 160, "hard": 20}


@pytest.fixture
def run_folder(
    make_surface: Callable[..., ResponseSurface], store_run: Callable[..., Path]
) -> Path:
    """An easy label is worth .6 hard ones, at half the cost: easy ones are planned."""
    return store_run(probe=make_surface({"easy": 0.6}))


def store_outcome(folder: Path, plan: float, rule: float, **accuracies: float) -> None:
    """Write what the run measured: on its plan, with all money on hard labels, without labels."""
    path = folder / "result.json"
    result = read_result(path)

    def condition(value: float, labels: dict[str, int]) -> ConditionAccuracy:
        cost = float(labels.get("easy", 0) + 2 * labels.get("hard", 0))
        ends = estimate(value, 0.03).model_dump()
        return ConditionAccuracy(**ends, labels=labels, cost=cost, seeds=2)

    hard = Baseline(
        labels={"hard": 100},
        cost=200.0,
        description="all money on hard labels",
        expected_accuracy=estimate(0.57, 0.04),
        accuracy=estimate(rule, 0.03),
        plan_minus_baseline=estimate(plan - rule, 0.03),
    )
    accuracy = {name: condition(value, {}) for name, value in accuracies.items()}
    accuracy |= {"plan": condition(plan, PLANNED), "all_easy": condition(plan, {"easy": 200})}
    summary = result.plan.model_copy(
        update={"labels": PLANNED, "trained_on": PLANNED, "expected_accuracy": estimate(0.59, 0.06)}
    )
    changed = with_planning_method(
        result,
        plan=summary,
        accuracy=accuracy,
        baselines={"all_hard": hard},
        tested_sides={"easy": estimate(plan - rule, 0.03)},
    )
    write_result(changed.model_copy(update={"commonest_class": "Buy!"}), path)


def shown(again: Replan, capsys: pytest.CaptureFixture[str]) -> str:
    show_replan(again)
    return " ".join(capsys.readouterr().out.split())


def ask(folder: Path, **options: Any) -> Replan:
    return replan(folder, PlanOptions(**options))


def test_a_plan_that_its_own_test_refuted_is_not_the_headline(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_outcome(run_folder, plan=0.57, rule=0.69)
    again = ask(run_folder)
    assert again.action == "rule" and again.better_rule is not None
    assert (again.better_rule.name, again.better_rule.labels) == ("all_hard", {"hard": 100})
    text = shown(again, capsys)
    assert text.startswith(
        "Buy 100 hard labels for $200, as the simple rule \u201call hard\u201d does: trained and "
        "tested, the rule got 69.0 %, the run's plan 57.0 %."
    )
    assert "The plan by the forecast, which is not advised" in text
    assert "This speaks against the forecast: trust the test more." in text


def test_at_other_prices_the_test_qualifies_the_forecast(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another plan than the tested one: the forecast stands, and what speaks against it beside."""
    store_outcome(run_folder, plan=0.57, rule=0.69)
    again = ask(run_folder, costs={"hard": Decimal(3)})
    assert again.action == "buy" and again.better_rule is not None
    text = shown(again, capsys)
    assert text.startswith("Buy 140 easy labels for $140. The run's own test speaks against")


def test_a_test_that_agrees_leaves_the_plan(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_outcome(run_folder, plan=0.60, rule=0.50)
    again = ask(run_folder)
    assert (again.action, again.better_rule, again.warnings) == ("buy", None, [])
    text = shown(again, capsys)
    assert text.startswith("Buy 140 easy labels for $140. This goes on from")
    assert "speaks against" not in text


def test_the_commonest_class_stands_beside_the_plan_and_stops_it(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """52 % after training is more than 30 % without it, and less than one class has."""
    store_outcome(run_folder, plan=0.52, rule=0.50, zero_shot=0.30, commonest_class=0.58)
    again = ask(run_folder)
    assert again.action == "not_yet"
    assert again.without_labels["commonest_class"].estimate == 0.58
    text = shown(again, capsys)
    assert text.startswith("Do not buy yet:")
    assert "always answering \u201cBuy!\u201d, the commonest class, is right on 58 %".lower() in (
        text.lower()
    )
    assert "│ commonest class │ none │ $0 │ 58.0 %" in text
    assert "To buy ┏" not in text
