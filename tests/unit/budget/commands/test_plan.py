"""`labelmix plan` from the command line, on a stored run whose surface is known."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from budget.commands.app import app
from budget.surface.response import ResponseSurface
from tests import golden_pages
from tests.unit.budget.commands.command_line import labelmix, one_line

SUPPLIERS = """
[suppliers.crowd]
role = "crowd"
cost = 0.5
error_rate = 0.3
judgments = [1, 3]
seconds = 36

[suppliers.expert]
strata.hard = {cost = 3, error_rate = 0.02}

[roles.crowd]
people = 2
hours_per_day = 0.25

[training]
gpu_price = 2
gpu_hours = 1.5
"""


@pytest.fixture
def run_folder(
    make_surface: Callable[..., ResponseSurface], store_run: Callable[..., Path]
) -> Path:
    """Easy labels are worth .4 to .8 hard ones at half the cost; 60 of 200 are spent."""
    rates = np.random.default_rng(0).uniform(0.4, 0.8, 60)
    surface = make_surface({"easy": rates}, clean={"easy": 0.9, "hard": 0.9})
    return store_run(probe=replace(surface, item_deviation=0.01))


def plan(*words: object) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, words)])


def shown(*words: object) -> str:
    result = plan(*words)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def test_pages_of_a_plan(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is told a person, and what other questions say that this page does not."""
    monkeypatch.setenv("COLUMNS", "400")  # a sentence a line, whatever path stands in it
    suppliers = tmp_path / "suppliers.toml"
    suppliers.write_text(SUPPLIERS, encoding="utf-8")

    def page(*words: object) -> list[str]:
        result = plan(run_folder, *words)
        assert result.exit_code == 0, result.output
        return result.stdout.strip().splitlines()

    whole = page()
    assert not re.findall(r"\b(bought|paid|already|still to buy)\b", " ".join(whole), re.I)
    questions: dict[str, tuple[object, ...]] = {
        "from suppliers": ("--suppliers", suppliers, "--deadline-days", 2),
        "the least cost for 55 %": ("--target-accuracy", ".55", "--probability", ".75"),
        "in the last round, a point worth $100": ("--rounds-left", 1, "--value-per-point", 100),
        "in the last round, a point worth 1 c": ("--rounds-left", 1, "--value-per-point", 0.01),
        "with money for the pilot only": ("--budget", 60),
        "with money that buys little at its end": ("--budget", 2000, "--value-per-point", 20),
    }
    told = {
        question: [line for line in page(*words) if line not in whole and line[:1] not in "┏┡├└"]
        for question, words in questions.items()
    }
    golden_pages.check("plan", golden_pages.page({"what to buy": whole} | told))


def test_suppliers_hours_and_training(run_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "suppliers.toml"
    path.write_text(SUPPLIERS, encoding="utf-8")
    result = plan(run_folder, "--suppliers", path, "--deadline-days", 2, "--json")
    assert result.exit_code == 0, result.output
    decision = json.loads(result.stdout)["decision"]
    lines = {(line["stratum"], line["supplier"]): line for line in decision["plan"]["lines"]}
    # Two people for half an hour each in two days: 100 judgments of 36 seconds.
    crowd = sum(own["labels"] * own["judgments"] for key, own in lines.items() if key[1] == "crowd")
    assert crowd == 100
    assert decision["plan"]["hours"] == {"crowd": 1.0}
    assert lines["hard", "expert"]["cost"] == 3 * lines["hard", "expert"]["labels"]
    assert decision["plan"]["training_cost"] == 3
    assert decision["plan"]["cost"] <= 140


def test_prices_at_the_ends_of_what_money_can_be(run_folder: Path) -> None:
    """What would change the decision is tried at prices fifty times lower and higher."""
    for cost, budget in (("1e-30", "200"), ("2.5e13", "1e15")):
        assert "easy or hard?" in shown(run_folder, "--cost", f"easy={cost}", "--budget", budget)


def action(*words: object) -> str:
    found: str = json.loads(plan(*words, "--json").stdout)["action"]
    return found


def test_what_to_do(run_folder: Path) -> None:
    assert action(run_folder) == "buy"
    assert action(run_folder, "--value-per-point", "0.01") == "stop"
    assert action(run_folder, "--budget", "60") == "nothing_more"
    # Where points are worth something, but the last of the money buys few of them.
    words = (run_folder, "--budget", "2000", "--value-per-point", "20")
    assert action(*words) == "buy_less"
    smaller = json.loads(plan(*words, "--json").stdout)["decision"]["worth"]
    assert smaller["best"]["cost"] == pytest.approx(smaller["best_cost"])


def test_a_part_to_learn_from_comes_first(
    make_surface: Callable[..., ResponseSurface],
    store_run: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    rates = np.random.default_rng(0).uniform(0.1, 1.5, 400)  # either side may be better
    surface = make_surface({"easy": rates}, clean={"easy": 0.9, "hard": 0.9})
    folder = store_run(probe=replace(surface, item_deviation=0.01))
    words = (folder, "--budget", "600", "--rounds-left", 3)
    assert action(*words) == "buy_first"
    top = plan(*words).stdout.splitlines()[:4]
    golden_pages.check("plan_a_part_first", golden_pages.page({"its first lines": top}))


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--target-accuracy", ".99"], "all that is for sale reaches 99.0%"),
        (["--target-accuracy", "2"], "the target accuracy should be between 0 and 1; got 2.0"),
        (["--probability", "nan"], "--probability goes with --target-accuracy"),
        (["--cost", "hard=x"], "--cost hard=x: "),
        (["--value-per-point", "much"], "--value-per-point much: "),
        (["--value-per-point", "0"], "should be worth something; got 0"),
        (["--hours", "crowd=3"], "--hours goes with --suppliers"),
        (["--suppliers", "none.toml"], "none.toml: no such file"),
        (["--suppliers", "none.toml", "--cost", "easy=2"], "--cost goes without --suppliers"),
    ],
)
def test_wrong_input_is_one_line(run_folder: Path, words: list[str], part: str) -> None:
    result = plan(run_folder, *words)
    assert result.exit_code == 2
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


# -- on a surface without any doubt ---------------------------------------------------------------


@pytest.fixture
def exact_run(make_surface: Callable[..., ResponseSurface], store_run: Callable[..., Path]) -> Path:
    """An easy label is worth .6 hard ones, at half the cost."""
    return store_run(probe=make_surface({"easy": 0.6}))


def test_plan_as_json(exact_run: Path) -> None:
    result = labelmix("plan", exact_run, "--budget", "100", "--cost", "hard=3", "--json")
    assert result.exit_code == 0
    planned = json.loads(result.stdout)
    assert planned["plan"]["labels"] == {"easy": 60, "hard": 20}  # the pilot cost 60
    assert planned["costs"] == {"easy": 1.0, "hard": 3.0}


def test_plan_writes_nothing(exact_run: Path) -> None:
    before = {p: p.read_bytes() for p in exact_run.iterdir()}
    assert labelmix("plan", exact_run, "--budget", "100").exit_code == 0
    assert {p: p.read_bytes() for p in exact_run.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--cost", "hard"], "--cost 'hard': should be STRATUM=COST"),
        (
            ["--cost", "medium=2"],
            "--cost medium=2: no such stratum for sale; choose from easy",
        ),
        (["--cost", "hard=dear"], "--cost hard=dear: "),
        (["--cost", "hard=-1"], "--cost hard=-1: "),
        (["--cost", "easy=1", "--cost", "hard=0"], "--cost hard=0: the cost should be above 0"),
        (
            ["--budget", "59"],
            "budget of 59 is too small for the pilot, which costs 60",
        ),
        (["--budget", "all"], "--budget all: "),
        (["--method", "qlora"], "no method 'qlora'; choose one of probe"),
    ],
)
def test_plan_refuses(exact_run: Path, arguments: list[str], part: str) -> None:
    assert part in one_line(labelmix("plan", exact_run, *arguments))


def test_no_run_there(tmp_path: Path) -> None:
    message = one_line(labelmix("plan", tmp_path / "nothing"))
    assert "no such file; give the folder that 'labelmix run' wrote" in message
    assert not (tmp_path / "nothing").exists()


def test_a_result_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    assert "not a labelmix result" in one_line(labelmix("plan", tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]
