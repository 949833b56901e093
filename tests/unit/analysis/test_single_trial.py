"""`labelmix trial`: one purchase, several seeds."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from analysis.estimates import Estimate
from analysis.single_trial import SingleTrial
from budget.commands.app import app
from budget.config.prepare import prepare
from budget.config.read import read_config
from tests.grouped_items import write_grouped
from training.store import TrialStore

CONFIG = """
[items]
source = "workshop"
size = 700
[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5
[budget]
total = 1000
[pilot]
labels = 20
[test]
items = 30
other_items = 15
[probe]
penalty = 0.1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "task.toml"
    path.write_text(CONFIG)
    return path


def trial(config: Path, *arguments: str) -> Result:
    out = str(config.parent / "out")
    return CliRunner().invoke(app, ["trial", str(config), "--out", out, *arguments])


def test_accuracy_is_the_mean_over_seeds_of_each_stratum(config: Path) -> None:
    result = trial(
        config, "--method", "probe", "--labels", "easy=30", "--labels", "hard=10", "--seeds", "3",
        "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["labels"] == {"easy": 30, "hard": 10}
    assert found["seeds"] == 3
    assert found["details"]["penalty"] == pytest.approx(0.1)
    lab = prepare(read_config(config)).lab
    trials = [lab.trial(lab.recipes["probe"], {"easy": 30, "hard": 10}, seed) for seed in range(3)]
    with TrialStore(config.parent / "out" / "trials.sqlite") as store:
        kept = [store.get(own) for own in trials]
    assert all(kept)
    per_seed = [own.accuracy(lab.task.test_strata) for own in kept if own]
    for stratum in ("easy", "medium", "hard"):
        accuracy = found["accuracy"][stratum]
        assert accuracy["estimate"] == pytest.approx(np.mean([own[stratum] for own in per_seed]))
        assert accuracy["low"] < accuracy["estimate"] < accuracy["high"]


def test_nothing_bought_is_one_trial(config: Path) -> None:
    result = trial(config, "--method", "zero-shot", "--seeds", "4", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["seeds"] == 1


def test_the_table_names_method_purchase_and_strata(config: Path) -> None:
    result = trial(config, "--method", "probe", "--labels", "hard=8", "--seeds", "2")
    assert result.exit_code == 0, result.stderr
    title, table = result.stdout.split("┏")
    assert " ".join(title.split()) == "probe on pico, 8 hard labels (simulated), 2 seeds"
    assert all(f"│ {stratum} " in table for stratum in ("easy", "medium", "hard"))


def test_the_json_says_what_was_run(config: Path) -> None:
    config.write_text(CONFIG + "[targets]\nkind = 'smoothed'\njudgments = 3\n")
    result = trial(config, "--method", "probe", "--labels", "hard=8", "--seeds", "2", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["cost"] == 8 * 2 * 3
    assert found["test_items"] == {"easy": 15, "medium": 15, "hard": 30}
    assert (found["targets"], found["judgments"], found["prompt"]) == ("smoothed", 3, "0040-mended")
    assert found["settings"]["penalty"] == 0.1
    assert len(found["item_fingerprint"]) == 64


def test_groups_are_told_and_named_where_they_leave_too_few(tmp_path: Path) -> None:
    config = write_grouped(tmp_path)
    few = ("--method", "probe", "--seeds", "1", "--labels")
    result = trial(config, *few, "easy=4", "--json")
    assert result.exit_code == 0, result.stderr
    remarks = json.loads(result.stdout)["remarks"]
    assert "The items are of 20 groups, the largest of 12 items." in remarks
    assert any(own.startswith("The hard test items are of 4 groups only") for own in remarks)
    result = trial(config, *few, "easy=100")
    assert result.exit_code == 2
    assert "96 items of stratum 'easy'" in result.stderr
    assert "14 more items of it are not for sale" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "magic"], "--method 'magic' is unknown; choose one of zero_shot, in_context"),
        (["--method", "probe"], "the method probe needs labels; give --labels"),
        (["--method", "zero_shot", "--labels", "easy=3"], "zero_shot buys nothing"),
        (["--method", "probe", "--labels", "easy"], "--labels 'easy': should be STRATUM=NUMBER"),
        (["--method", "probe", "--labels", "easy=0"], "--labels easy=0: should be a whole"),
        (
            ["--method", "probe", "--labels", "medium=3"],
            "for sale; choose from easy, hard.",
        ),
        (
            ["--method", "probe", "--labels", "easy=3", "--labels", "easy=4"],
            "'easy' is given tw",
        ),
        (["--method", "probe", "--labels", "easy=9000"], "are there to label; buy fewer."),
    ],
)
def test_wrong_arguments_are_one_line(config: Path, arguments: list[str], message: str) -> None:
    result = trial(config, *arguments)
    assert result.exit_code == 2
    lines = [line for line in result.stderr.splitlines() if line.startswith("labelmix: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in result.stderr


def test_what_is_not_above_guessing_or_zero_shot_is_marked(config: Path) -> None:
    """A model is asked in a way that leaves it guessing: nothing of it is resolved."""
    config.write_text(CONFIG + '[prompt]\nchoices = "0306-mended"\n')
    result = trial(config, "--method", "in_context", "--labels", "easy=1", "--seeds", "2", "--json")
    assert result.exit_code == 0, result.stderr
    found = SingleTrial.model_validate_json(result.stdout)
    for stratum, accuracy in found.accuracy.items():
        assert set(found.over[stratum]) == {"guessing", "zero_shot"}
        assert found.over[stratum]["zero_shot"].estimate == pytest.approx(
            (accuracy.estimate or 0) - (found.zero_shot[stratum].estimate or 0)
        )
        assert accuracy.low is not None
        above = accuracy.low > (found.without_model[stratum].estimate or 0)
        assert ("guessing" not in found.not_above(stratum)) == above
    shown = trial(config, "--method", "in_context", "--labels", "easy=1", "--seeds", "2").stdout
    marked = [name for name in found.accuracy if found.not_above(name)]
    assert marked
    assert "\u2020 not resolved to be above (" in shown


def test_what_is_above_both_has_no_mark() -> None:
    over = Estimate(estimate=0.2, low=0.1, high=0.3)
    within = Estimate(estimate=0.0, low=-0.1, high=0.1)
    record = SingleTrial.model_construct(
        over={"easy": {"guessing": over, "zero_shot": over}, "hard": {"guessing": within}}
    )
    assert record.not_above("easy") == []
    assert record.not_above("hard") == ["guessing"]
