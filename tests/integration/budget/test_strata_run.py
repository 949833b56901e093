"""A run of four strata under names of its own, its target not the hardest; what follows it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.run.result import read_result
from tests.told_as_done import told_as_done

pytestmark = pytest.mark.timeout(1800)

NAMES = ["novice", "apprentice", "fully_trained", "expert"]
FOR_SALE = ["novice", "fully_trained", "expert"]

CONFIG = f"""
name = "four strata"

[items]
source = "workshop"
size = 900

[strata]
measure = "steps"
cut = "edges:2,3,>=5"
names = {NAMES}
target = "fully_trained"
buy = {FOR_SALE}

[annotators.novice]
cost = 1
error_rate = 0.1

[annotators.fully_trained]
cost = 1.5
error_rate = 0.1

[annotators.expert]
cost = 2
error_rate = 0.2

[budget]
total = 150

[pilot]
labels = 16
rounds = 1
seeds = 2

[test]
items = 60
other_items = 10

[evaluation]
seeds = 2
"""

Labelmix = Callable[..., str]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("task") / "four.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def said(command: list[str], environment: dict[str, str]) -> Labelmix:
    """`said(*arguments)` is all that the command prints, its progress too; it has to succeed."""

    def run(*arguments: str | Path) -> str:
        words = [*command, *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=1500)
        assert done.returncode == 0, done.stderr[-2000:]
        return f"{done.stdout}\n{done.stderr}"

    return run


@pytest.fixture(scope="module")
def folder(config: Path, said: Labelmix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "four"
    shown = said("run", config, "--out", folder)
    (folder.parent / "shown.txt").write_text(shown, encoding="utf-8")
    return folder


def test_the_run_tells_its_own_strata(folder: Path) -> None:
    result = read_result(folder / "result.json")
    assert list(result.strata) == NAMES
    assert result.target == "fully_trained"
    assert [name for name, own in result.strata.items() if own.cost is not None] == FOR_SALE
    assert result.strata["fully_trained"].rule == "3 < steps < 5"
    method = result.methods["probe"]
    assert set(method.plan.labels) <= set(FOR_SALE)
    assert {f"all_{name}" for name in FOR_SALE} <= set(method.baselines)
    assert result.exchange_rate.stratum == "novice"
    assert result.budget == 150 and method.plan.cost <= 150


def test_the_report_names_no_other_strata(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "all fully_trained" in page
    for name in ("easy", "hard", "medium"):
        for text in (f"all {name}", f"{name} labels", f"{name} items", f"({name} &minus;"):
            assert text not in page
    assert "(novice &minus; zero-shot) / (fully_trained &minus; zero-shot)" in page


def test_the_plan_is_made_again(folder: Path, labelmix: Labelmix) -> None:
    told: dict[str, Any] = json.loads(
        labelmix("plan", folder, "--budget", "300", "--cost", "novice=0.5", "--json")
    )
    assert set(told["plan"]["labels"]) <= set(FOR_SALE)
    assert "novice" in labelmix("plan", folder)


def test_other_commands_take_the_run(config: Path, folder: Path, labelmix: Labelmix) -> None:
    out = folder.parent / "curves"
    few = ("--sizes", "5,10", "--error-rates", "0,.2", "--seeds", "2", "--out", out)
    labelmix("curves", config, *few)
    curves = json.loads((out / "curves.json").read_text(encoding="utf-8"))
    assert (curves["easy"], curves["target"]) == ("novice", "fully_trained")
    trial = json.loads(
        labelmix("trial", config, "--method", "probe", "--labels", "fully_trained=10",
                 "--labels", "expert=6", "--seeds", "2", "--out", folder, "--json")
    )  # fmt: skip
    assert set(trial["accuracy"]) == set(NAMES)
    described = json.loads(labelmix("items", "describe", config, "--json"))
    assert list(described["strata"])[-1] == "expert (steps >= 5)"
    hardness = json.loads(
        labelmix("hardness", config, "--measure", "steps", "--features", folder, "--json")
    )
    assert [own["name"] for own in hardness["measures"][0]["strata"]] == NAMES
    simulated = labelmix("simulate", "--run", folder, "--draws", "40", "--x", "budget=50:400:3",
                         "--y", "cost-ratio=1:2:3", "--json", "--out", folder)  # fmt: skip
    assert json.loads(simulated)["easy"] == "novice"


def test_terms_measured_from_judgments_go_back_into_the_run(
    config: Path, labelmix: Labelmix, tmp_path: Path
) -> None:
    judged = tmp_path / "judged.csv"
    sold = [text for name in FOR_SALE for text in ("--items", f"{name}=60")]
    hard = [text for n, name in enumerate(FOR_SALE) for text in ("--hardness", f"{name}={n - 2}")]
    labelmix("judgments", "simulate", judged, *sold, *hard)
    labelmix("judgments", "report", judged, "--rate", "18", "--out", tmp_path / "terms.toml")
    terms = (tmp_path / "terms.toml").read_text(encoding="utf-8")
    before, _, after = CONFIG.partition("[annotators.novice]")
    measured = tmp_path / "measured.toml"
    measured.write_text(f"{before}{terms}\n[budget]{after.partition('[budget]')[2]}", "utf-8")
    labelmix("run", measured, "--out", tmp_path / "run")
    result = read_result(tmp_path / "run" / "result.json")
    assert {result.strata[name].error_kind for name in FOR_SALE} == {"flip"}


def test_nothing_simulated_is_told_as_done(
    folder: Path, config: Path, said: Labelmix, report_text: Callable[[Path], str]
) -> None:
    """On pages, in files, and in all that commands print, progress too, on simulated terms."""
    shown = (folder.parent / "shown.txt").read_text(encoding="utf-8")
    assert "1/" in shown  # a line of progress
    told: dict[str, object] = {
        "run": shown,
        "report.html": report_text(folder),
        "plan": said("plan", folder, "--rounds-left", "2", "--value-per-point", "5"),
        "simulate": said("simulate", "--run", folder, "--out", folder / "map"),
        "trial": said(
            "trial", config, "--method", "probe", "--labels", "novice=16", "--seeds", "1",
            "--out", folder,
        ),
        "curves": said(
            "curves", config, "--sizes", "10,20", "--error-rates", "0", "--seeds", "2",
            "--out", folder,
        ),
        "items describe": said("items", "describe", config),
        "simulate.html": (folder / "map" / "simulate.html").read_text(encoding="utf-8"),
    }  # fmt: skip
    for path in ("result.json", "map/simulate.json", "curves.json"):
        told[path] = json.loads((folder / path).read_text(encoding="utf-8"))
    for name, text in told.items():
        assert told_as_done(text) == [], name


def test_what_needs_no_label_stands_among_the_alternatives(folder: Path) -> None:
    """Generated items have choices of their own: guessing stands where a class cannot."""
    result = read_result(folder / "result.json")
    method = result.methods["probe"]
    assert result.commonest_class is None
    assert method.accuracy["guessing"].estimate == result.chance_accuracy == 0.25
    assert set(method.over_untrained["plan"]) == {"zero_shot", "guessing"}
    assert set(method.tested_sides) == {"novice", "expert"}
    for name, own in method.tested_sides.items():
        one, other = (method.accuracy[f"all_{side}"] for side in (name, result.target))
        assert own.estimate == pytest.approx((one.estimate or 0) - (other.estimate or 0))
