"""A model that cannot tell choices apart is right by chance, wherever the right answer stands."""

import json
from pathlib import Path

import pytest

from tests.unit.budget.commands.command_line import labelmix

CONFIG = """
[items]
source = "tabular"
path = "items.jsonl"
columns = { choices = "right,wrong,odd,bad", answer = "right" }
[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5
[budget]
total = 60
[test]
items = 80
other_items = 60
"""


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """Words that the embedded model does not know; the right answer always stands first."""
    rows = [
        {"item_id": f"q{k}", "question": f"Zorbl {k} frobs which quux?", "steps": k % 6 + 1}
        | {name: f"{name}{k} {word}" for name, word in
           (("right", "blip"), ("wrong", "zap"), ("odd", "nim"), ("bad", "tok"))}
        for k in range(300)
    ]  # fmt: skip
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task.toml").write_text(CONFIG)
    return tmp_path / "task.toml"


@pytest.mark.parametrize("bought", [("zero_shot",), ("probe", "--labels", "easy=20")])
def test_unknown_words_give_chance(task: Path, bought: tuple[str, ...]) -> None:
    out = ("--out", task.parent / "run", "--json")
    done = labelmix("trial", task, "--method", *bought, *out)
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    for accuracy in found["accuracy"].values():
        assert accuracy["low"] <= 0.25 <= accuracy["high"]
    remarks = " ".join(found["remarks"])
    assert "the right answer stands first in every item" in remarks
    # A probe sees what rounding leaves between equal features, and learns nothing from it.
    told = "the model cannot tell the choices of 100 % of the test items apart" in remarks
    assert told == (bought == ("zero_shot",))
