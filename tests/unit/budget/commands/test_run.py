"""`labelmix run`, `init` and `report` from the command line."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from budget.config.run import RunConfig
from budget.config.templates import commented_config
from tests.unit.budget.commands.command_line import CONFIG, item, labelmix, one_line, write_rows

ROOT = Path(__file__).resolve().parents[4]

# -- init -----------------------------------------------------------------------------------------


def test_init_writes_the_template(tmp_path: Path) -> None:
    path = tmp_path / "new" / "task.toml"
    result = labelmix("init", path)
    assert result.exit_code == 0
    assert str(path) in result.stdout
    assert path.read_text(encoding="utf-8") == commented_config()
    RunConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_init_overwrites_only_when_told(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text("mine", encoding="utf-8")
    message = one_line(labelmix("init", path))
    assert f"{path}: is there already; give another name, or --force" in message
    assert path.read_text(encoding="utf-8") == "mine"
    assert labelmix("init", path, "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") == commented_config()


def test_init_speaks_json(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    assert json.loads(labelmix("init", path, "--json").stdout) == {"config": str(path)}


def test_init_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert "cannot be written" in one_line(labelmix("init", tmp_path / "file" / "task.toml"))


# -- run: bad input -------------------------------------------------------------------------------

Change = Callable[[Path], object]


def config(old: str, new: str) -> Change:
    assert old in CONFIG
    text = CONFIG.replace(old, new)
    return lambda folder: (folder / "task.toml").write_text(text, encoding="utf-8")


def row(**changes: object) -> Change:
    """The fourth item with other values."""
    rows = [item(number) for number in range(180)]
    rows[3] |= changes
    return lambda folder: write_rows(folder, rows)


def without(column: str) -> Change:
    rows = [{k: v for k, v in item(number).items() if k != column} for number in range(180)]
    return lambda folder: write_rows(folder, rows)


def items_file(content: bytes) -> Change:
    return lambda folder: (folder / "items.jsonl").write_bytes(content)


BAD_INPUT: dict[str, tuple[Change, list[str]]] = {
    "missing column": (
        without("question"),
        ["items.jsonl: column 'question' is missing; the columns are: item_id, choices"],
    ),
    "missing measure": (without("steps"), ["hardness measure 'steps' is not in the items"]),
    "empty choices": (row(choices=[]), ["items.jsonl: row 4, column ", "no choices"]),
    "an empty choice": (row(choices=["odd", " "]), ["items.jsonl: row 4, column 'choices'"]),
    "answer out of range": (row(answer=7), ["items.jsonl: row 4, column 'answer': 7 is "]),
    "duplicate ids": (
        row(item_id="item-0"),
        ["items.jsonl: row 4, column 'item_id': 'item-0' occurs already in row 1"],
    ),
    "stratum too small for its test set": (
        config("\nitems = 20", "\nitems = 60"),
        ["stratum 'hard' (steps >= 5) has 60 items", "lower [test] items or move the cut"],
    ),
    "other stratum too small": (
        config("other_items = 10", "other_items = 60"),
        ["stratum 'easy' (steps <= 2) has 60 items", "lower [test] other_items"],
    ),
    "stratum too small for the pilot": (
        config("\nitems = 20", "\nitems = 50"),
        ["stratum 'hard' (steps >= 5) has 10 items left", "too few for a pilot of 20"],
    ),
    "negative cost": (
        config("[test]", "[annotators.hard]\ncost = -2\n[test]"),
        ["task.toml: annotators.hard.cost: ", "should not be negative; got -2"],
    ),
    "error rate outside 0 and 1": (
        config("[test]", "[annotators.easy]\nerror_rate = 1.01\n[test]"),
        ["task.toml: annotators.easy.error_rate: ", "got 1.01"],
    ),
    "budget too small for the pilot": (
        config("total = 400", "total = 59"),
        ["task.toml: budget.total of 59 is too small for the pilot, which costs 60"],
    ),
    "unknown model path": (
        config("./model", "./no-model"),
        ["model './no-model': no config.json there; give a folder in Hugging Face format"],
    ),
    "unknown hub id": (
        config("./model", "nobody/no-such-model"),
        ["model 'nobody/no-such-model': neither a folder nor a hub id that can be reached"],
    ),
    "no items file": (
        lambda folder: (folder / "items.jsonl").unlink(),
        ["items.jsonl: no such file"],
    ),
    "unreadable file": (items_file(b"\xff\xfe{}"), ["items.jsonl: is not UTF-8 text"]),
    "file that is no JSON": (items_file(b"{}\n{\n"), ["items.jsonl: line 2 is not JSON"]),
    "file with nothing in it": (items_file(b""), ["items.jsonl: the table has no rows"]),
    "malformed TOML": (
        config("total = 400", "total = "),
        ["task.toml: not valid TOML: ", "line 15, column 9"],
    ),
    "unknown key": (config("labels = 20", "label = 20"), ["task.toml: pilot.label: no such key"]),
    "option of the wrong type": (
        config('path = "items.jsonl"', "path = 4"),
        ["task.toml: items: path should be a valid string; got 4"],
    ),
    "unknown option": (
        config('path = "items.jsonl"', 'file = "items.jsonl"'),
        ["source 'tabular' has no option 'file'"],
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_leaves_nothing(task_folder: Path, case: str) -> None:
    change, parts = BAD_INPUT[case]
    change(task_folder)
    before = sorted(task_folder.rglob("*"))
    out = task_folder / "out"
    message = one_line(labelmix("run", task_folder / "task.toml", "--out", out))
    for part in parts:
        assert part in message
    assert sorted(task_folder.rglob("*")) == before  # no folder, no trials.sqlite


def test_a_task_with_nothing_wrong_is_not_refused_for_its_input(task_folder: Path) -> None:
    """The other side of the cases above: only what they change is wrong with them."""
    from budget.config.prepare import prepare
    from budget.config.read import read_config

    lab = prepare(read_config(task_folder / "task.toml")).lab
    assert lab.capacity == {"easy": 50, "hard": 40}


def test_no_such_configuration(tmp_path: Path) -> None:
    message = one_line(labelmix("run", tmp_path / "absent.toml", "--out", tmp_path / "out"))
    assert "absent.toml: no such file; 'labelmix init' writes one" in message
    assert not (tmp_path / "out").exists()


def test_the_model_of_the_command_line_counts(task_folder: Path) -> None:
    result = labelmix(
        "run", task_folder / "task.toml", "--out", task_folder / "out", "--model", "./other"
    )
    assert "model './other': no config.json there" in one_line(result)
    assert not (task_folder / "out").exists()


def test_errors_are_the_same_from_a_shell(task_folder: Path) -> None:
    config("total = 400", "total = 59")(task_folder)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from budget.commands.app import main; main()",
            "run",
            "task/task.toml",
        ],
        capture_output=True,
        text=True,
        cwd=task_folder.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"labelmix: .*budget\.total of 59 is too small.*\n", done.stderr)
    assert [p.name for p in task_folder.parent.iterdir()] == ["task"]  # no runs/ either


# -- report ---------------------------------------------------------------------------------------


def test_no_run_there(tmp_path: Path) -> None:
    message = one_line(labelmix("report", tmp_path / "nothing"))
    assert "no such file; give the folder that 'labelmix run' wrote" in message
    assert not (tmp_path / "nothing").exists()


def test_a_result_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    assert "not a labelmix result" in one_line(labelmix("report", tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]
