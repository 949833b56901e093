"""`labelmix suppliers` from a table with a machine's answers to labels that are wrong seldom."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from budget.commands.app import app

RUNNER = CliRunner()
COUNT = 300


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """The machine is wrong on a third of what it is unsure of; people have answered nothing."""
    rng = np.random.default_rng(0)
    path = tmp_path / "items.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for k in range(COUNT):
            truth, unsure = k % 2, rng.random() < 0.4
            said = 1 - truth if unsure and rng.random() < 0.33 else truth
            row = {
                "item_id": f"q{k}",
                "question": f"Is {k} odd?",
                "choices": ["no", "yes"],
                "bot": ["no", "yes"][said],
                "sure": 0.6 if unsure else 0.98,
            }
            file.write(json.dumps(row) + "\n")
    return path


def run(*arguments: object) -> str:
    found = RUNNER.invoke(app, ["suppliers", *map(str, arguments)])
    assert found.exit_code == 0, found.output
    return found.output


def answered(asked: Path, into: Path) -> None:
    """People fill in what they are asked; the file of answers grows."""
    with asked.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all("bot" not in row and "sure" not in row for row in rows)
    new = not into.exists()
    with into.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(("item_id", "label"))
        for row in rows:
            writer.writerow((row["item_id"], ["no", "yes"][int(row["item_id"][1:]) % 2]))


def test_people_are_asked_until_all_is_decided(items: Path, tmp_path: Path) -> None:
    asked, checked, out = tmp_path / "ask.csv", tmp_path / "checked.csv", tmp_path / "labels.csv"
    command = ["route", items, "--machine", "bot", "--confidence", "sure"]
    command += ["--error-at-most", ".05", "--ask-out", asked, "--out", out]
    found: dict[str, Any] = json.loads(run(*command, "--json"))
    assert not found["decided"] and set(found["why"]) == {"sample"} and not out.exists()
    assert "drawn at random, to see how often the machine is wrong" in run(*command)
    for _ in range(20):
        answered(asked, checked)
        found = json.loads(run(*command, "--checked", checked, "--json"))
        if found["decided"]:
            break
    assert found["ask"] == [] and found["by_machine"] > 60
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wrong = sum(row["label"] != ["no", "yes"][k % 2] for k, row in enumerate(rows))
    assert len(rows) == COUNT and wrong <= 0.05 * COUNT
    assert f"The machine labels {found['by_machine']} of 300 items" in run(
        *command, "--checked", checked
    )


def test_a_machine_is_measured_on_what_was_drawn(items: Path, tmp_path: Path) -> None:
    asked, checked = tmp_path / "ask.csv", tmp_path / "checked.csv"
    command = ["measure", items, "--machine", "bot", "--confidence", "sure"]
    assert "Nobody has checked the machine yet" in run(*command)
    assert "wrote" in run(*command, "--ask", 80, "--out", asked)
    answered(asked, checked)
    text = run(*command, "--checked", checked)
    assert "by 80 that people checked" in " ".join(text.split())
    found = json.loads(run(*command, "--checked", checked, "--json"))
    assert found["overall"]["checked"] == 80 and found["unused"] == 0
    assert [band["name"] for band in found["bands"]] == ["0.60", "0.98"]
    assert found["bands"][0]["wrong"]["estimate"] > 0.1 and found["bands"][1]["wrong"]["high"] < 0.1
    more = json.loads(
        run(*command, "--checked", checked, "--ask", 100, "--out", tmp_path / "more.csv", "--json")
    )
    assert more["asked"] == 20  # a larger sample begins with the smaller one


def test_a_rehearsal_on_answers_that_are_there(items: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in items.read_text(encoding="utf-8").splitlines()]
    whole = tmp_path / "whole.jsonl"
    whole.write_text(
        "".join(
            json.dumps(row | {"people": ["no", "yes"][k % 2]}) + "\n" for k, row in enumerate(rows)
        ),
        encoding="utf-8",
    )
    command = ["route", whole, "--machine", "bot", "--confidence", "sure", "--people", "people"]
    text = " ".join(run(*command, "--error-at-most", ".05", "--rehearse").split())
    assert "The machine would have labelled" in text and "Wrong would have been" in text
    found = RUNNER.invoke(
        app,
        ["suppliers", *map(str, command[:-1]), "nobody", "--error-at-most", ".05", "--rehearse"],
    )
    assert found.exit_code == 2 and "--rehearse needs people's answers to all items" in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure", "--ask", "5"], "--ask goes with --out"),
        (["route", "--error-at-most", "5"], "should be above 0 and below 1"),
        (["route", "--error-at-most", ".05", "--out", "labels.txt"], "written as .jsonl, .csv"),
    ],
)
def test_options_that_do_not_go(items: Path, arguments: list[str], message: str) -> None:
    name, *rest = arguments
    found = RUNNER.invoke(app, ["suppliers", name, str(items), "--machine", "bot", *rest])
    assert found.exit_code == 2 and message in found.output and "Traceback" not in found.output
