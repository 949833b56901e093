"""The command line as its tests call it, and a small task to call it on."""

import json
import re
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from budget.commands.app import app

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
    """What a command gave; an error that is no message is raised, as a user would see it."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="labelmix")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def one_line(result: Result) -> str:
    """The message of a command that refuses its input; nothing else may have been printed."""
    assert result.exit_code == 2
    assert result.stdout == ""
    found = re.fullmatch(r"labelmix: (.+)\n", result.stderr)
    assert found, result.stderr
    return found[1]


def item(number: int) -> dict[str, Any]:
    """Steps 1 to 6 in turn: a third of the items each is easy, medium, hard."""
    return {
        "item_id": f"item-{number}",
        "question": f"What is {number}?",
        "choices": ["odd", "even"],
        "answer": number % 2,
        "steps": number % 6 + 1,
    }


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    """The items of the task."""
    lines = [json.dumps(row) + "\n" for row in rows]
    (folder / "items.jsonl").write_text("".join(lines), encoding="utf-8")
