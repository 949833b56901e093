import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from budget.commands.app import app
from budget.config.run import RunConfig
from budget.config.templates import commented_config
from budget.surface.response import ResponseSurface

ROOT = Path(__file__).resolve().parents[4]
Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]

CONFIG = """
[items]
source = "tabular"
path = "items.jsonl"

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[model]
path = "./model"

[budget]
total = 400

[pilot]
labels = 20

[test]
items = 20
other_items = 10
"""


def labelmix(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception  # a user would see its traceback
    return result


def one_line(result: Result) -> str:
    """The message of a command that refuses its input; nothing else may have been printed."""
    assert result.exit_code == 2
    assert result.stdout == ""
    found = re.fullmatch(r"labelmix: (.+)\n", result.stderr)
    assert found, result.stderr
    return found[1]


def commands(app: typer.Typer) -> list[list[str]]:
    """Every command and group of commands, as the words that call it."""

    def walk(command: Any, words: list[str]) -> list[list[str]]:
        found = [words]
        for name, inner in getattr(command, "commands", {}).items():
            found += walk(inner, [*words, name])
        return found

    return walk(typer.main.get_command(app), [])


# -- help -----------------------------------------------------------------------------------------


def test_there_are_the_promised_commands() -> None:
    assert {" ".join(words) for words in commands(app)} >= {
        "demo", "run", "init", "items describe", "plan", "report",
    }  # fmt: skip


@pytest.mark.parametrize("words", commands(app), ids=" ".join)
def test_help_says_what_it_does_and_gives_an_example(words: list[str]) -> None:
    result = labelmix(*words, "--help")
    assert result.exit_code == 0
    assert f"Usage: {' '.join(['labelmix', *words])}" in result.stdout
    example = re.search(r"^\s*Example: (labelmix .+)$", result.stdout, flags=re.MULTILINE)
    assert example, f"no example in the help of {words}"
    assert example[1].split()[1 : 1 + len(words)] == words


@pytest.mark.parametrize("words", commands(app), ids=" ".join)
def test_the_example_of_the_help_is_a_command_that_parses(words: list[str]) -> None:
    help_text = labelmix(*words, "--help").stdout
    example = re.search(r"^\s*Example: labelmix (.+)$", help_text, flags=re.MULTILINE)
    assert example
    command: Any = typer.main.get_command(app)
    arguments = example[1].split()
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context("labelmix", arguments)  # raises where the example is wrong


@pytest.mark.parametrize("words", commands(app), ids=" ".join)
def test_every_option_has_a_help_text(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{words}: {parameter.name} has no help"


@pytest.mark.parametrize(
    "words",
    [w for w in commands(app) if w not in ([], ["items"], ["judgments"], ["labelstudio"])],
    ids=" ".join,
)
def test_every_command_can_speak_json(words: list[str]) -> None:
    assert "--json" in labelmix(*words, "--help").stdout


def test_help_loads_nothing_heavy() -> None:
    """In a process of its own, so that no other test has loaded anything."""
    program = (
        "import sys; from budget.commands.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'numpy', 'matplotlib', 'scipy'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "Usage:" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_planning_again_loads_no_model_library() -> None:
    program = (
        "import sys; import budget.decision.replan\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_arguments_show_the_help() -> None:
    assert "Usage: labelmix" in labelmix().output


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


# -- items describe -------------------------------------------------------------------------------


def item(number: int) -> dict[str, Any]:
    """Steps 1 to 6 in turn: a third of the items each is easy, medium, hard."""
    return {
        "item_id": f"item-{number}",
        "question": f"What is {number}?",
        "choices": ["odd", "even"],
        "answer": number % 2,
        "steps": number % 6 + 1,
    }


@pytest.fixture
def task_folder(tmp_path: Path) -> Path:
    """A configuration, 180 items, and a model of which there is only the configuration."""
    folder = tmp_path / "task"
    (folder / "model").mkdir(parents=True)
    architecture = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    (folder / "model" / "config.json").write_text(json.dumps(architecture), encoding="utf-8")
    (folder / "task.toml").write_text(CONFIG, encoding="utf-8")
    write_rows(folder, [item(number) for number in range(180)])
    return folder


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "items.jsonl").write_text("".join(lines), encoding="utf-8")


def test_describe_as_json(task_folder: Path) -> None:
    result = labelmix("items", "describe", task_folder / "task.toml", "--json")
    assert result.exit_code == 0
    description = json.loads(result.stdout)
    assert description["items"] == 180
    assert description["choices"] == {"2": 180}
    assert description["strata"] == {
        "easy (steps <= 2)": 60,
        "medium (2 < steps < 5)": 60,
        "hard (steps >= 5)": 60,
    }


def test_describe_for_a_person(task_folder: Path) -> None:
    result = labelmix("items", "describe", task_folder / "task.toml")
    assert result.exit_code == 0
    assert "180 items from 'tabular'" in result.stdout
    assert "steps >= 5" in result.stdout


def test_describe_a_source_without_a_configuration(task_folder: Path) -> None:
    result = labelmix(
        "items", "describe", "--source", "tabular", "--path", task_folder / "items.jsonl", "--json"
    )
    assert json.loads(result.stdout)["strata"] is None


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "give either CONFIG.toml or --source"),
        (["task.toml", "--source", "workshop"], "give either CONFIG.toml or --source"),
        (["task.toml", "--path", "x.csv"], "--path goes with --source tabular"),
        (["task.toml", "--data-dir", "x"], "takes no --data-dir"),
        (["absent.toml"], "no such file; 'labelmix init' writes one"),
        (["--source", "wrkshop"], "source 'wrkshop' is unknown; choose one of workshop"),
        (["--source", "workshop", "--path", "x.csv"], "has no option 'path'"),
        (["--source", "tabular"], "give either 'path' (a file) or 'hub_id'"),
        (["--source", "tabular", "--path", "absent.csv"], "absent.csv: no such file"),
    ],
)
def test_describe_refuses(
    task_folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], part: str
) -> None:
    monkeypatch.chdir(task_folder)
    assert part in one_line(labelmix("items", "describe", *arguments))


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

    setting = prepare(read_config(task_folder / "task.toml"))
    assert setting.lab.capacity == {"easy": 50, "hard": 40}


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


# -- plan -----------------------------------------------------------------------------------------


@pytest.fixture
def run_folder(make_surface: Surface, store_run: Store) -> Path:
    return store_run(probe=make_surface({"easy": 0.6}))


def test_plan_as_json(run_folder: Path) -> None:
    result = labelmix("plan", run_folder, "--budget", "100", "--cost", "hard=3", "--json")
    assert result.exit_code == 0
    planned = json.loads(result.stdout)
    assert planned["plan"]["labels"] == {"easy": 60, "hard": 20}  # the pilot cost 60
    assert planned["costs"] == {"easy": 1.0, "hard": 3.0}


def test_plan_for_a_person(run_folder: Path) -> None:
    result = labelmix("plan", run_folder)
    assert result.exit_code == 0
    assert "Buy 140 easy labels for $140." in " ".join(result.stdout.split())


def test_plan_writes_nothing(run_folder: Path) -> None:
    before = {p: p.read_bytes() for p in run_folder.iterdir()}
    assert labelmix("plan", run_folder, "--budget", "100").exit_code == 0
    assert {p: p.read_bytes() for p in run_folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--cost", "hard"], "--cost hard: should be STRATUM=COST"),
        (["--cost", "medium=2"], "--cost medium=2: should be STRATUM=COST with one of easy, hard"),
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
def test_plan_refuses(run_folder: Path, arguments: list[str], part: str) -> None:
    assert part in one_line(labelmix("plan", run_folder, *arguments))


@pytest.mark.parametrize("command", ["plan", "report"])
def test_no_run_there(tmp_path: Path, command: str) -> None:
    message = one_line(labelmix(command, tmp_path / "nothing"))
    assert "no such file; give the folder that 'labelmix run' wrote" in message
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", ["plan", "report"])
def test_a_result_that_is_none(tmp_path: Path, command: str) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    assert "not a labelmix result" in one_line(labelmix(command, tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_version_of_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == "labelmix (not installed: run from its source)\n"
