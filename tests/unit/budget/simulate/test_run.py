"""From options to a result."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from annotation.errors import InputError
from budget.simulate.result import SimulationResult
from budget.simulate.run import run_simulation
from budget.simulate.scene import SimulateOptions, set_scene
from budget.surface.response import ResponseSurface
from training.engines.base import SilentWatcher

Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]
SMALL = ("budget=100:400:3", "cost-ratio=1:4:2")


def simulated(**options: object) -> SimulationResult:
    given: dict[str, object] = {"draws": 40, "x": SMALL[0], "y": SMALL[1]} | options
    return run_simulation(SimulateOptions(**given), SilentWatcher())  # type: ignore[arg-type]


def problem(**options: object) -> str:
    with pytest.raises(InputError) as caught:
        simulated(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def run_folder(make_surface: Surface, store_run: Store) -> Path:
    return store_run(probe=make_surface({"easy": [0.4, 0.6]}), capacity=10_000)


def test_without_options_cost_ratio_and_transfer_are_shown() -> None:
    scene = set_scene(SimulateOptions(draws=5))
    assert (scene.source, scene.x.name, scene.y.name) == ("prior", "cost-ratio", "transfer")


def test_what_is_stated_moves_the_default_axes() -> None:
    scene = set_scene(SimulateOptions(draws=5, assume=("transfer=.8", "budget=1000")))
    assert (scene.x.name, scene.y.name) == ("budget", "cost-ratio")
    assert (scene.x.values[0], scene.x.values[-1]) == (Decimal(250), Decimal(4000))
    other = set_scene(SimulateOptions(draws=5, assume=("budget=1000",)))
    assert (other.x.name, other.y.name) == ("cost-ratio", "transfer")


def test_axes_of_the_option_stand_above_those_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('x = "budget=1:2:3"\ny = "cost-ratio=1:2:3"\n', encoding="utf-8")
    scene = set_scene(SimulateOptions(draws=5, assume=(str(path),), x="error-hard"))
    assert (scene.x.name, scene.y.name) == ("error-hard", "cost-ratio")


def test_the_prior_says_that_nothing_was_stated() -> None:
    result = simulated()
    assert result.source == "prior" and result.here is None
    assert result.notes[0].startswith("Nothing was measured on your task: what is not stated")
    sources = {row.name: row.source for row in result.assumptions}
    assert sources["transfer"].startswith("prior of labelmix")
    assert sources["error-easy"].startswith("default: ")
    assert sources["budget"].startswith("axis of the grid, log, 3 values")


def test_every_row_of_what_it_rests_on_has_a_source() -> None:
    for options in ({}, {"preset": "gpqa-experts"}, {"assume": ("half-labels=50:90",)}):
        rows = simulated(**options).assumptions
        assert all(row.source for row in rows)
        names = [row.name for row in rows]
        assert len(names) == len(set(names))


def test_the_interval_of_a_statement_is_shown_as_stated() -> None:
    rows = {row.name: row for row in simulated(assume=("half-labels=50:90",)).assumptions}
    assert (rows["half-labels"].value, rows["half-labels"].source) == (
        "50 to 90 (90 %)",
        "--assume",
    )


def test_a_preset_can_be_changed() -> None:
    scene = set_scene(SimulateOptions(preset="gpqa-experts", assume=("error-hard=.2",), draws=5))
    assert float(scene.stated["error-hard"].number) == 0.2
    assert scene.stated["error-kind"].value == "flip"


def test_a_run_is_planned_on_its_own_surface(run_folder: Path) -> None:
    """Redraws at .1 on both sides, 200 to spend: 200 easy labels, or 100 hard ones."""
    result = simulated(run=run_folder)
    assert (result.source, result.run, result.currency) == ("run", str(run_folder), "$")
    here = result.here
    assert here is not None
    assert (here.x, here.y) == (200, 2)
    worth = [200 * rate * 0.81 for rate in (0.4, 0.6)]
    assert here.all_easy == pytest.approx(np.mean([0.3 + 0.6 * n / (n + 100) for n in worth]), 1e-5)
    assert here.all_hard == pytest.approx(0.3 + 0.6 * 81 / 181, 1e-5)
    assert here.probability_easy == 0.5 and here.unresolved
    sources = {row.name: row.source for row in result.assumptions}
    assert sources["half-labels"] == f"fitted to the run in {run_folder}"
    assert result.notes[0].startswith("The surface is the run's")


def test_the_default_axes_of_a_run_surround_its_budget(run_folder: Path) -> None:
    scene = set_scene(SimulateOptions(run=run_folder, draws=5))
    assert (scene.x.name, scene.y.name) == ("budget", "cost-ratio")
    assert (scene.x.values[0], scene.x.values[-1]) == (Decimal(50), Decimal(800))


def test_terms_of_a_run_can_be_changed(run_folder: Path) -> None:
    result = simulated(run=run_folder, assume=("cost-hard=4", "error-hard=.3"))
    here = result.here
    assert here is not None
    assert here.terms["cost-ratio"] == 4
    assert here.all_hard == pytest.approx(0.3 + 0.6 * 24.5 / 124.5, 1e-5)  # 50 labels * .7^2
    flipped = simulated(run=run_folder, assume=("error-kind=flip", "error-hard=.3"))
    assert flipped.here is not None
    assert flipped.here.all_hard == pytest.approx(0.3 + 0.6 * 36 / 136, 1e-5)  # 100 * .6^2


def test_the_same_options_give_the_same_result() -> None:
    assert simulated() == simulated()
    assert simulated() != simulated(seed=1)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"margin": -1.0}, "--margin should be within 0 and 100 points; got -1."),
        ({"margin": float("nan")}, "--margin should be within 0 and 100 points; got nan."),
        ({"draws": 1}, "--draws should be within 2 and 10000; got 1."),
        ({"method": "probe"}, "--method chooses among the methods of a run"),
        ({"preset": "best"}, "--preset best: no such preset"),
        ({"x": "rounds"}, "--x rounds: no such axis"),
        ({"x": "budget", "y": "budget"}, "--x and --y both vary budget"),
        ({"assume": ("chance=.9", "ceiling=.5")}, "should be above the chance of 0.9"),
        ({"run": Path("nowhere")}, "nowhere/result.json: no such file"),
        ({"run": Path("nowhere"), "preset": "paper"}, "Use just one of --run and --preset."),
    ],
)
def test_bad_options_are_told_in_one_line(options: dict[str, object], part: str) -> None:
    assert part in problem(**options)


def test_what_a_run_found_out_cannot_be_stated(run_folder: Path) -> None:
    message = problem(run=run_folder, assume=("transfer=.5",))
    assert "--assume transfer: is what the run found out" in message
