import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis.estimates import Estimate
from analysis.run.result import ConditionAccuracy, read_result, write_result
from annotation.errors import InputError
from budget.commands.app import app
from budget.commands.show.plan import show_replan
from budget.decision.prepared import prepared
from budget.decision.question import PlanOptions
from budget.decision.replan import Replan, replanned
from budget.decision.replan import replan as replan_with
from budget.decision.wording import what_to_buy
from budget.surface.response import ResponseSurface
from budget.surface.stored import surface_of
from tests.unit.analysis.runs_by_hand import collected_from

Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]


def replan(
    folder: Path,
    budget: str | None,
    costs: Mapping[str, Decimal],
    method: str | None,
    **more: object,
) -> Replan:
    options = PlanOptions(budget=budget, costs=costs, method=method, **more)  # type: ignore[arg-type]
    return replan_with(folder, options)


def problem(folder: Path, **changes: object) -> str:
    given = {"budget": None, "costs": {}, "method": None} | changes
    with pytest.raises(InputError) as caught:
        replan(folder, **given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def run_folder(make_surface: Surface, store_run: Store) -> Path:
    """An easy label is worth .6 hard ones, at half the cost."""
    return store_run(probe=make_surface({"easy": 0.6}), qlora=make_surface({"easy": 0.1}))


def test_the_same_prices_give_the_same_plan(run_folder: Path) -> None:
    again = replan(run_folder, None, {}, None)
    assert (again.method, again.currency, again.target) == ("probe", "$", "hard")
    assert again.costs == {"easy": 1.0, "hard": 2.0}
    assert again.budget == 200
    # .6 > 1 / 2: the 140 left after the pilot buy easy labels.
    assert again.plan.labels == {"easy": 160, "hard": 20}
    assert again.plan.labels_after_pilot == {"easy": 140, "hard": 0}
    assert (again.plan.cost, again.plan.money_left) == (200, 0)
    # n = (20 + sqrt(.6) * 160)^2 / 180 = 115.096
    expected = 0.3 + 0.6 * 115.096 / 215.096
    assert again.plan.expected_accuracy.estimate == pytest.approx(expected, abs=1e-5)


def test_labels_as_before_take_the_judgments_of_the_run(run_folder: Path) -> None:
    path = run_folder / "result.json"
    result = read_result(path)
    easy = result.strata["easy"].model_copy(update={"judgments": 3})
    write_result(result.model_copy(update={"strata": {**result.strata, "easy": easy}}), path)
    decision = replan(run_folder, None, {}, None).decision
    lines = [line for own in (decision.plan, *decision.others) for line in own.lines]
    assert {(line.stratum, line.judgments) for line in lines} == {("easy", 3), ("hard", 1)}
    assert decision.plan.cost == 140
    said = what_to_buy(decision, "$", {"easy": 20, "hard": 20})
    assert said == "Buy 140 easy labels (3 judgments each) for $140."


def test_a_dearer_easy_label_moves_the_plan(run_folder: Path) -> None:
    again = replan(run_folder, None, {"easy": Decimal("1.3")}, None)
    assert again.costs == {"easy": 1.3, "hard": 2.0}
    # .6 < 1.3 / 2: hard labels, 70 for the 140 left; the pilot cost what it did.
    assert again.plan.labels == {"easy": 20, "hard": 90}
    assert (again.pilot.cost, again.plan.cost) == (60, 200)


def test_a_dearer_hard_label_moves_the_plan(make_surface: Surface, store_run: Store) -> None:
    folder = store_run(probe=make_surface({"easy": 0.4}))
    assert replan(folder, None, {}, None).plan.labels == {"easy": 20, "hard": 90}
    dearer = replan(folder, None, {"hard": Decimal("3")}, None)
    assert dearer.plan.labels == {"easy": 160, "hard": 20}  # .4 > 1 / 3
    assert dearer.exchange_rates["easy"].cost_ratio == pytest.approx(1 / 3)


def test_what_the_run_trained_is_told(run_folder: Path) -> None:
    assert replan(run_folder, None, {}, None).measured is None
    path = run_folder / "result.json"
    result = read_result(path)
    found = ConditionAccuracy(
        labels={"easy": 160, "hard": 20}, cost=200, seeds=2, estimate=0.7, low=0.6, high=0.8
    )
    method = result.methods["probe"]
    methods = result.methods | {"probe": method.model_copy(update={"accuracy": {"plan": found}})}
    write_result(result.model_copy(update={"methods": methods}), path)
    again = replan(run_folder, None, {}, None)
    assert again.measured == Estimate(estimate=0.7, low=0.6, high=0.8)
    assert replan(run_folder, "199", {}, None).measured is None
    text = " ".join(CliRunner().invoke(app, ["plan", str(run_folder)]).stdout.split())
    said = (
        "The run has trained on this very purchase (simulated labels): 70.0 % right on hard items"
    )
    assert f"{said} (95 % interval" in text


def test_a_run_on_people_s_judgments_is_not_called_simulated(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_folder / "result.json"
    simulated = replan(run_folder, None, {}, None)
    write_result(collected_from(read_result(path)), path)
    again = replan(run_folder, None, {}, None)
    show_replan(again)
    shown = " ".join(capsys.readouterr().out.split())
    assert "pilot of 20 easy and 20 hard labels, drawn from people's own judgments" in shown
    assert not re.findall(r"\b(simulated|ordered|bought|paid|already)\b", shown)
    assert again.collected and not simulated.collected
    assert again.model_dump().keys() == simulated.model_dump().keys()
    assert "collected" not in again.model_dump_json()


def test_why_money_is_left(make_surface: Surface, store_run: Store) -> None:
    folder = store_run(probe=make_surface({"easy": 0.6}), capacity=50)
    assert replan(folder, "1000", {}, None).decision.left_because == "for_sale"
    text = " ".join(
        CliRunner().invoke(app, ["plan", str(folder), "--budget", "1000"]).stdout.split()
    )
    assert "are left: nothing more is for sale." in text


def test_another_budget(run_folder: Path) -> None:
    again = replan(run_folder, "61.50", {}, None)
    assert again.budget == 61.5
    assert again.plan.labels == {"easy": 21, "hard": 20}
    assert again.plan.money_left == 0.5


def test_a_budget_of_exactly_the_pilot_buys_nothing_more(run_folder: Path) -> None:
    again = replan(run_folder, "60", {}, None)
    assert again.plan.labels == {"easy": 20, "hard": 20}
    assert again.plan.money_left == 0


def test_another_method_has_its_own_evidence(run_folder: Path) -> None:
    again = replan(run_folder, None, {}, "qlora")
    assert again.method == "qlora"
    assert again.plan.labels == {"easy": 20, "hard": 90}  # .1 < 1 / 2


def test_no_more_than_the_items_there_are(make_surface: Surface, store_run: Store) -> None:
    folder = store_run(probe=make_surface({"easy": 0.6}), capacity=50)
    again = replan(folder, "1000", {}, None)
    assert again.plan.labels == {"easy": 50, "hard": 50}
    assert again.plan.money_left == 850


def test_no_more_than_was_judged_where_people_answered(
    make_surface: Surface, store_run: Store, tmp_path: Path
) -> None:
    """Of 50 items for sale 30 easy and 50 hard ones were judged; suppliers can label all."""
    folder = store_run(probe=make_surface({"easy": 0.6}), capacity=50)
    path = folder / "result.json"
    result = collected_from(read_result(path))
    result.strata["easy"].judged_items = 30
    result.strata["hard"].judged_items = 50
    write_result(result, path)
    again = replan(folder, "1000", {}, None)
    assert again.plan.labels == {"easy": 30, "hard": 50}
    assert again.alternatives["all_easy"].labels == {"easy": 30}
    offers = tmp_path / "suppliers.toml"
    offers.write_text("[suppliers.crowd]\ncost = 1\nerror_rate = 0.1\n")
    asked = replan(folder, "1000", {}, None, suppliers=offers)
    assert asked.plan.labels == {"easy": 50, "hard": 50}


def test_alternatives_at_the_same_prices(run_folder: Path) -> None:
    again = replan(run_folder, "120", {"hard": Decimal("4")}, None)
    assert {name: a.labels for name, a in again.alternatives.items()} == {
        "all_easy": {"easy": 120},
        "all_hard": {"hard": 30},
        "equal_spend": {"easy": 60, "hard": 15},
        "proportional": {"easy": 24, "hard": 24},
    }
    assert again.alternatives["equal_spend"].cost == 120
    # n = .6 * 120 = 72
    estimate = again.alternatives["all_easy"].expected_accuracy.estimate
    assert estimate == pytest.approx(0.3 + 0.6 * (1 - 1 / 1.72))


def test_a_replan_is_json_and_back(run_folder: Path) -> None:
    again = replan(run_folder, None, {}, None)
    assert Replan.model_validate_json(again.model_dump_json()) == again


def test_the_surface_is_the_stored_one(make_surface: Surface, store_run: Store) -> None:
    surface = make_surface({"easy": [0.5, 1.0, 2.0]}, clean={"easy": 0.9, "hard": 0.8})
    stored = read_result(store_run(probe=surface) / "result.json").methods["probe"]
    mixes = [{"easy": 30, "hard": 4}, {"hard": 100}]
    assert np.array_equal(surface_of(stored).predict(mixes), surface.predict(mixes))


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {"budget": "59.99"},
            ["budget of 59.99 is too small", "which costs 60.0; give at least 60.0."],
        ),
        ({"budget": "-5"}, ["--budget -5", "should not be negative"]),
        ({"budget": "much"}, ["--budget much", "should be a number"]),
        ({"costs": {"medium": Decimal(2)}}, ["--cost medium=2: no such stratum", "easy, hard"]),
        ({"costs": {"hard": Decimal(0)}}, ["--cost hard=0: the cost should be above 0"]),
        ({"method": "guessing"}, ["no method 'guessing'; choose one of probe, qlora"]),
    ],
)
def test_bad_input_is_told_in_one_line(
    run_folder: Path, changes: dict[str, object], parts: list[str]
) -> None:
    message = problem(run_folder, **changes)
    for part in parts:
        assert part in message


def test_no_run_there(tmp_path: Path) -> None:
    message = problem(tmp_path / "nothing")
    assert str(tmp_path / "nothing" / "result.json") in message
    assert "no such file; give the folder that 'labelmix run' wrote" in message


def test_a_surface_of_another_version_is_refused(make_surface: Surface, store_run: Store) -> None:
    folder = store_run(probe=make_surface({"easy": 0.6}))
    path = folder / "result.json"
    text = path.read_text(encoding="utf-8")
    assert '"exponent"' in text
    document = json.loads(text.replace('"exponent"', '"power"'))
    del document["checksum"]
    path.write_text(json.dumps(document), encoding="utf-8")
    assert "another version of labelmix; start the run again" in problem(folder)


def test_pilot_and_plan_are_added_exactly(run_folder: Path) -> None:
    plan = replan(run_folder, "68.05", {"easy": Decimal("0.67"), "hard": Decimal(9)}, None).plan
    assert plan.labels_after_pilot == {"easy": 12, "hard": 0}
    assert 60 + 8.04 != 68.04  # as floating point has it
    assert (plan.cost, plan.money_left) == (68.04, 0.01)


def test_labels_to_buy_that_err_more_move_the_plan(make_surface: Surface, store_run: Store) -> None:
    clean = {"easy": 0.9, "hard": 0.9}
    folder = store_run(probe=make_surface({"easy": 0.6}, clean=clean))
    before = replan(folder, None, {}, None)
    assert before.plan.labels == {"easy": 160, "hard": 20}
    assert replan(folder, None, {}, None, error_rates={"easy": 0.1}).decision == before.decision
    worse = replan(folder, None, {}, None, error_rates={"easy": 0.9})
    assert worse.plan.labels == {"easy": 20, "hard": 90}
    assert (worse.measured, worse.decision.error_doubts) == (None, [])
    # A rule without a pilot buys all its labels at the new rate; of the others nothing changes.
    rules, usual = worse.alternatives, before.alternatives
    assert rules["all_hard"] == usual["all_hard"]
    assert (rules["all_easy"].expected_accuracy.estimate or 0) < (
        usual["all_easy"].expected_accuracy.estimate or 0
    )
    # What the pilot is trained on stays as it was.
    assert worse.decision.now == before.decision.now


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"medium": 0.1}, "--error-rate medium=0.1: no such stratum for sale; choose from easy"),
        ({"easy": 1.5}, "--error-rate easy=1.5: "),
        ({"easy": float("nan")}, "--error-rate easy=nan: "),
        ({"easy": -0.1}, "--error-rate easy=-0.1: "),
    ],
)
def test_an_error_rate_that_is_none_is_refused(
    run_folder: Path, rates: dict[str, float], message: str
) -> None:
    assert problem(run_folder, error_rates=rates).startswith(message)


def test_the_plan_is_the_same_without_what_would_turn_it(run_folder: Path) -> None:
    options = PlanOptions()
    own = prepared(read_result(run_folder / "result.json"), options, str(run_folder))
    whole, part = replanned(own, options), replanned(own, options, with_sides=False)
    assert whole == replan(run_folder, None, {}, None)
    assert whole.decision.sides and not part.decision.sides
    assert whole.decision.negotiation and not part.decision.negotiation
    nothing: dict[str, object] = {"sides": [], "negotiation": None}
    without = whole.model_copy(update={"decision": whole.decision.model_copy(update=nothing)})
    assert part == without


def test_leaving_out_goes_with_a_file_of_suppliers(run_folder: Path) -> None:
    assert problem(run_folder, without=("crowd",)) == (
        "--without goes with --suppliers, whose suppliers it leaves out."
    )
