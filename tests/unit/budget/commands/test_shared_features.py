"""What one command has read with a model, the others find: model, prompt and items are the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from annotation.sources.workshop import load_workshop
from budget.commands.app import app
from training.hardness import measure
from training.models.load import load_model
from training.models.source import find_model
from training.prompts import find_prompt
from training.running import runner
from training.scoring.choices import encode_items, score_items

PROMPT = "0306-mended"
CONFIG = f"""
[items]
source = "workshop"
size = 240

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[prompt]
choices = "{PROMPT}"

[test]
items = 20
other_items = 10
"""


def labelmix(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def no_model(*_: object, **__: object) -> None:
    raise AssertionError("a model was loaded for items that were read before")


def test_all_commands_read_an_item_once(in_a_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = str(in_a_folder / "measured.jsonl")
    name = "zero_shot_error_confidence"
    labelmix("hardness", "task.toml", "--measure", "error_confidence", "--measure", name,
             "--out", out)  # fmt: skip
    monkeypatch.setattr(runner, "load_model", no_model)
    monkeypatch.setattr(measure, "load_model", no_model)
    labelmix("trial", "task.toml", "--method", "zero_shot")
    labelmix("trial", "task.toml", "--method", "probe", "--labels", "easy=10", "--seeds", "2")
    labelmix("curves", "task.toml", "--sizes", "10", "--error-rates", "0", "--seeds", "2")
    labelmix("hardness", "task.toml", "--measure", name)
    assert [path.name for path in (in_a_folder / "runs").iterdir() if path.name == "features"]
    assert not list((in_a_folder / "runs").glob("task*/features"))
    # Asked by the configuration's prompt: as a plain pass says.
    items = load_workshop(240).iloc[:8]
    loaded = load_model(find_model("pico"))
    questions, choices = items["question"].tolist(), items["choices"].tolist()
    ids, prompt = items["item_id"].tolist(), find_prompt(PROMPT)
    scores = score_items(loaded, encode_items(loaded, questions, choices, ids, prompt)).numpy()
    chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    expected = 1 - chances[np.arange(8), items["answer"].to_numpy(dtype=np.int64)]
    rows = [json.loads(line) for line in Path(out).read_text().splitlines()[:8]]
    assert [row[name] for row in rows] == pytest.approx(expected, abs=1e-4)


def test_features_are_kept_where_one_says(in_a_folder: Path) -> None:
    labelmix("trial", "task.toml", "--method", "zero_shot", "--features", "mine")
    assert list((in_a_folder / "mine").iterdir()) and not (in_a_folder / "runs/features").exists()
    labelmix("trial", "task.toml", "--method", "zero_shot", "--out", "apart")
    assert list((in_a_folder / "apart" / "features").iterdir())


def test_hardness_takes_the_model_of_the_configuration(in_a_folder: Path) -> None:
    config = in_a_folder / "task.toml"
    config.write_text(CONFIG + '\n[model]\npath = "./nowhere"\n', encoding="utf-8")
    asked = ["hardness", "task.toml", "--measure", "zero_shot_error_confidence"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 2
    assert "model './nowhere': no config.json there" in result.stderr
    assert labelmix(*asked, "--model", "pico")["items"] == 240  # the option says otherwise
