import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.table import measures
from annotation.sources.gsm8k import load_gsm8k

SOLUTION = "He has 48/2 = <<48/2=24>>24 left.\n\nThen 24*50 = <<24*50=1200>>1,200.\n#### 1,200"


def folder(path: Path, **splits: list[tuple[Any, Any]]) -> str:
    for split, rows in splits.items():
        lines = [json.dumps({"question": q, "answer": a}) + "\n" for q, a in rows]
        (path / f"{split}.jsonl").write_text("".join(lines))
    return str(path)


def test_solution_answer_and_measures(tmp_path: Path) -> None:
    data = folder(
        tmp_path, train=[("How much  is that?", SOLUTION)], test=[("And?", "-2.\n####-2")]
    )
    items = load_gsm8k(data)
    assert items["item_id"].tolist() == ["gsm8k-train-000001", "gsm8k-test-000001"]
    assert items["choices"].tolist() == [[], []]
    assert items["answer"].isna().all()
    assert items["answer_text"].tolist() == ["1,200", "-2"]
    # As it stands: with its calculations and its blank line, which counts as a step.
    assert items["reasoning"].iloc[0] == SOLUTION.partition("\n####")[0]
    assert measures(items) == [
        "num_steps", "question_words", "reasoning_words", "answer_characters",
    ]  # fmt: skip
    expected = {
        "num_steps": [3, 1],
        "question_words": [4, 1],
        "reasoning_words": [10, 1],
        "answer_characters": [5, 2],
    }
    pd.testing.assert_frame_equal(items[measures(items)], pd.DataFrame(expected, dtype=float))


def test_at_most_ten_steps(tmp_path: Path) -> None:
    long = "\n".join(f"line {number}" for number in range(13))
    assert load_gsm8k(folder(tmp_path, train=[("?", f"{long}\n#### 1")]))["num_steps"][0] == 10


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("?", "One.\n#### 1"), (3, "#### 1")],
            "train row 2, column 'question': should be a text",
        ),
        ([("?", None)], "train row 1, column 'answer': should be a text; got None"),
        ([("?", "One.")], "train row 1, column 'answer': should be a solution, '####' and the"),
        ([("?", "One.\n####  ")], "should be a solution, '####' and the answer; got 'One"),
        ([("?", "\n#### 5")], "should be a solution, '####' and the answer"),
        ([], "no problems; expected files such as train.jsonl"),
    ],
)
def test_problems_are_named(tmp_path: Path, rows: list[tuple[Any, Any]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_gsm8k(folder(tmp_path, train=rows))
    assert message in str(caught.value)
