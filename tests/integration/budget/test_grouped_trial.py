"""Passages whose answers are coin flips: nothing can be learnt, unless test passages are sold."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from budget.commands.app import app

PASSAGES, QUESTIONS, WORDS = 120, 6, 12
SYLLABLES = ("ri", "sto", "mar", "tea", "gar")
VOCABULARY = np.array(["".join(pair) for pair in product(SYLLABLES, SYLLABLES)])
CONFIG = """
name = "passages"
[items]
source = "tabular"
path = "items.jsonl"
columns = {{ {columns} }}
[strata]
measure = "difficulty"
easy_at_most = 0
hard_at_least = 1
[model]
path = "{model}"
[annotators.easy]
cost = 1
error_rate = 0
[annotators.hard]
cost = 1
error_rate = 0
[budget]
total = 400
[test]
items = 120
other_items = 60
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Items of passages that share their answer, which is a coin flip, and their hardness."""
    made = tmp_path_factory.mktemp("passages")
    rng = np.random.default_rng(5)
    rows = []
    for passage in range(PASSAGES):
        text = " ".join(rng.choice(VOCABULARY, WORDS))
        answer, hard = ("yes", "no")[rng.integers(2)], int(rng.integers(2))
        rows += [
            {
                "item_id": f"{passage}-{question}",
                "question": f"{text}. Does sentence {question} follow?",
                "choices": ["yes", "no"],
                "answer": answer,
                "difficulty": hard,
                "passage": f"passage {passage}",
            }
            for question in range(QUESTIONS)
        ]
    (made / "items.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return made


@pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "each item alone"])
def test_passages_of_coin_flips(
    folder: Path, minilm_path: Path, grouped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = 'question = "question"' + (', group = "passage"' if grouped else "")
    config = folder / f"{'grouped' if grouped else 'alone'}.toml"
    config.write_text(CONFIG.format(columns=columns, model=minilm_path), encoding="utf-8")
    monkeypatch.chdir(folder)
    bought = ["--labels", "hard=180", "--labels", "easy=150", "--seeds", "3"]
    called = ["trial", config.name, "--method", "probe", *bought, "--json"]
    ran = CliRunner().invoke(app, called)
    assert ran.exit_code == 0, ran.output
    hard = json.loads(ran.stdout)["accuracy"]["hard"]
    if grouped:
        assert hard["low"] < 0.5 < hard["high"] < 0.85
    else:  # what was reported before: the model knows the passages
        assert hard["low"] > 0.75
