import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from budget.commands.app import app
from budget.simulate.presets import PRESETS
from budget.simulate.result import SimulationResult
from tests import golden_pages

SMALL = ("--x", "cost-ratio=1:8:4", "--y", "transfer=0:1:3", "--draws", "40")


def labelmix(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_it_writes_four_files_and_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # a sentence a line, whatever path stands in it
    result = labelmix("simulate", *SMALL, "--out", tmp_path / "new")
    assert result.exit_code == 0
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"simulate.html", "simulate.png", "simulate.json", "simulate.csv"}
    golden_pages.check("simulate", result.stdout.replace(str(tmp_path), "FOLDER"))


def test_json_is_the_file(tmp_path: Path) -> None:
    result = labelmix("simulate", *SMALL, "--out", tmp_path, "--json")
    assert result.exit_code == 0
    read = SimulationResult.model_validate_json(result.stdout)
    stored = (tmp_path / "simulate.json").read_text(encoding="utf-8")
    assert SimulationResult.model_validate_json(stored) == read


def test_presets_are_listed_with_their_sources() -> None:
    shown = " ".join(labelmix("simulate", "--list").stdout.split())
    for preset in PRESETS.values():
        assert f"{preset.name}: {preset.title}" in shown
        for statement in preset.stated.values():
            assert f"{statement.name} = {statement.text} ({statement.source})" in shown
    listed = json.loads(labelmix("simulate", "--list", "--json").stdout)
    assert [preset["name"] for preset in listed] == list(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_runs(preset: str, tmp_path: Path) -> None:
    axes = [PRESETS[preset].x.removesuffix("60") + "3", PRESETS[preset].y.removesuffix("60") + "3"]
    result = labelmix(
        "simulate", "--preset", preset, "--x", axes[0], "--y", axes[1], "--draws", "20",
        "--out", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 0
    assert " ".join(PRESETS[preset].note.split()) in " ".join(result.stdout.split())


def test_bad_input_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    result = labelmix("simulate", "--x", "budget=9:1", "--out", tmp_path / "none")
    assert result.exit_code == 2 and result.stdout == ""
    assert re.fullmatch(r"labelmix: --x budget=9:1: the first value .+\n", result.stderr)
    assert not (tmp_path / "none").exists()


def test_results_that_cannot_be_written_are_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = labelmix("simulate", *SMALL, "--out", tmp_path / "file")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()  # no progress before it
    assert "cannot be made a folder" in line
