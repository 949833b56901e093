import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from budget.commands.app import app
from tests.unit.budget.commands.command_line import labelmix

ROOT = Path(__file__).resolve().parents[4]


def commands(app: typer.Typer) -> list[list[str]]:
    """Every command and group of commands, as the words that call it."""

    def walk(command: Any, words: list[str]) -> list[list[str]]:
        found = [words]
        for name, inner in getattr(command, "commands", {}).items():
            found += walk(inner, [*words, name])
        return found

    return walk(typer.main.get_command(app), [])


GROUPS = ("items", "judgments", "labelstudio", "collect", "suppliers")  # of commands


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
    [w for w in commands(app) if w not in ([], *([name] for name in GROUPS))],
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


def test_version_of_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout == "labelmix (not installed: run from its source)\n"
