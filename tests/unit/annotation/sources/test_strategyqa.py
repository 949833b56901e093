import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.items.table import measures, shared_choices
from annotation.sources.strategyqa import load_strategyqa


def question(qid: str = "q1", **changes: Any) -> dict[str, Any]:
    return {
        "qid": qid,
        "question": "Did it  rain?",
        "answer": True,
        "facts": ["Rain is wet.", "It was wet."],
        "decomposition": ["What is rain?", "Was it #1?", "So?"],
        **changes,
    }


def folder(path: Path, **splits: list[dict[str, Any]]) -> str:
    for split, rows in splits.items():
        (path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_questions_of_all_splits(tmp_path: Path) -> None:
    data = folder(
        tmp_path, train=[question()], dev=[question("q2", answer=False, facts=[], term="left out")]
    )
    items = load_strategyqa(data)
    assert items["item_id"].tolist() == ["q1", "q2"]
    assert shared_choices(items) == ("yes", "no")
    assert items["answer"].tolist() == [0, 1]
    assert items["reasoning"].tolist() == ["Rain is wet. It was wet.", None]
    assert measures(items) == ["num_steps", "question_words", "reasoning_words"]
    assert items["num_steps"].tolist() == [3, 3]
    assert items["question_words"].tolist() == [3, 3]
    assert items["reasoning_words"].tolist() == [6, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qid": None}, "train row 2, column 'qid': should be a text; got None"),
        ({"question": 3}, "column 'question': should be a text; got 3"),
        ({"answer": "yes"}, "column 'answer': should be true or false; got 'yes'"),
        ({"facts": "Rain."}, "column 'facts': should be a list of texts; got 'Rain.'"),
        ({"decomposition": [1]}, "column 'decomposition': should be a list of texts; got [1]"),
        ({"qid": "q1"}, "train row 2, column 'item_id': 'q1' occurs already in train row 1"),
    ],
)
def test_problems_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_strategyqa(folder(tmp_path, train=[question(), question("q2") | changes]))
    assert message in str(caught.value)


def test_no_questions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no questions; expected files such as train"):
        load_strategyqa(folder(tmp_path, train=[]))
