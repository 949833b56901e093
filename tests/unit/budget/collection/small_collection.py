"""A small collection whose suppliers work with files, to call commands on."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.unit.budget.commands.command_line import labelmix

SUPPLIERS = """
[suppliers.crowd]
cost = 0.05
judgments = [{judgments}]
channel = "file"

[suppliers.experts]
per_hour = 36
seconds = 20
most_seconds = 60
judgments = [1]
channel = "file"
"""
MODEL = Path(__file__).parents[4] / "training" / "pico" / "checkpoint"
CONFIG = """
[model]
path = "{model}"

[buying]
first = {first}
gold = 2
"""
TESTED = 40
Answer = Callable[[str, str, int], Mapping[str, object]]
"""Of supplier, item and how many have judged it before: annotator, label, seconds, created_at."""


def right(item: str) -> str:
    """The right answer to an item."""
    return ("odd", "even")[int(item.rpartition("-")[2]) % 2]


def suppliers(judgments: int = 2) -> str:
    """The file of suppliers; a crowd of so many for every item."""
    return SUPPLIERS.format(judgments=judgments)


def write_inputs(folder: Path, items: int = 60, first: int = 8, judgments: int = 2) -> None:
    """Items, test items, suppliers and settings."""
    for name, numbers in (("pool", range(items)), ("test", range(items, items + TESTED))):
        rows = []
        for number in numbers:
            row = {
                "item_id": f"item-{number}",
                "question": f"What is {number}?",
                "choices": ["odd", "even"],
                "steps": number % 6 + 1,
            }
            rows.append(row | ({"answer": right(f"item-{number}")} if name == "test" else {}))
        lines = [json.dumps(row) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "suppliers.toml").write_text(suppliers(judgments), encoding="utf-8")
    (folder / "more.toml").write_text(CONFIG.format(first=first, model=MODEL), encoding="utf-8")


def begun(
    folder: Path,
    *options: str | Path,
    budget: str = "40.00",
    items: int = 60,
    first: int = 8,
    judgments: int = 2,
) -> Path:
    """A collection of these inputs; nothing is planned yet."""
    folder.mkdir(parents=True, exist_ok=True)
    write_inputs(folder, items, first, judgments)
    made = labelmix(
        *("collect", "new", folder / "c", "--items", folder / "pool.jsonl"),
        *("--test", folder / "test.jsonl", "--suppliers", folder / "suppliers.toml"),
        *("--config", folder / "more.toml", "--measure", "steps", "--cut", "quantiles:2"),
        *("--budget", budget, "--currency", "EUR", *options),
    )
    assert made.exit_code == 0, made.output
    return folder / "c"


def ordered(folder: Path, batch: int = 1) -> Path:
    """The collection once its next batch was planned, approved and ordered."""
    for words in (("step", folder), ("approve", folder, str(batch)), ("step", folder)):
        done = labelmix("collect", *words)
        assert done.exit_code == 0, done.output
    return folder


def answered(folder: Path, batch: int, answer: Answer, share: float = 1.0) -> None:
    """This share of the tasks of a batch is answered, and what was answered is pulled."""
    for supplier in ("crowd", "experts"):
        out = folder / "suppliers" / supplier / "out" / f"batch-{batch}.csv"
        rows = []
        with out.open(encoding="utf-8-sig", newline="") as file:
            tasks = list(csv.DictReader(file))
            for task in tasks[: round(share * len(tasks))]:
                for before in range(int(task["judgments_wanted"])):
                    row = {"item_id": task["item_id"]}
                    rows.append(row | dict(answer(supplier, task["item_id"], before)))
        back = folder / "suppliers" / supplier / "back" / f"batch-{batch}.csv"
        with back.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    done = labelmix("collect", "step", folder)
    assert done.exit_code == 0, done.output


def plainly(supplier: str, item: str, before: int) -> dict[str, object]:
    """All answers are right; a crowd takes 9 seconds, the expert 20."""
    who = "cleo" if supplier == "experts" else ("ann", "bob", "dan")[before]
    seconds = 20 if supplier == "experts" else 9
    return {"annotator": who, "label": right(item), "seconds": seconds}
