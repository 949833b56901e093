"""No kept page of what is simulated tells it as done, nor does a guide or the help of a command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from budget.commands.app import app
from budget.config.templates import commented_config
from tests.golden_pages import FOLDER
from tests.told_as_done import told_as_done

ROOT = Path(__file__).parents[2]
REAL = {"judgments"}  # pages on judgments that people gave
PAGES = sorted(path for path in FOLDER.glob("*.txt") if path.stem not in REAL)
# The other guides are on work that people really do: judgments, their terms, Label Studio.
GUIDES = ("plan-a-collection", "curves", "simulate", "models-and-methods", "cluster", "kept-files")
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs" / "guide" / f"{name}.md" for name in GUIDES)]
COMMANDS = ("run", "plan", "curves", "trial", "simulate", "backtest", "init")


def test_words_that_tell_a_purchase_as_made_are_found() -> None:
    assert told_as_done("It has already\nbought 40 labels for 28.25 EUR; 3 are still to buy.")
    assert told_as_done({"notes": ["40 labels were purchased."], "cost": 28.25})
    assert not told_as_done("To buy beyond it: 3 labels, which would cost 28.25 EUR.")
    assert not told_as_done({"bought": ["easy"]})  # a key is no sentence


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_a_page_tells_nothing_simulated_as_done(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if not line.startswith("## ")]  # headings name the cases
    assert told and told_as_done("\n".join(told)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_a_guide_to_simulated_runs_tells_nothing_as_done(path: Path) -> None:
    assert told_as_done(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_tells_nothing_as_done(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    assert "Usage" in shown and told_as_done(shown) == []


def test_the_commented_configuration_tells_nothing_as_done() -> None:
    assert told_as_done(commented_config()) == []
