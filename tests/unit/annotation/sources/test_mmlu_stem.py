import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.items.table import measures
from annotation.sources.mmlu_stem import load_mmlu_stem


def question(**changes: Any) -> dict[str, Any]:
    return {
        "question": "Which  one is it?",
        "choices": ["this", "that one", "another", "none"],
        "answer": 1,
        "subject": "left out",
        **changes,
    }


def folder(path: Path, **files: list[dict[str, Any]]) -> str:
    """`college_physics__test=[...]` writes college_physics/test.jsonl."""
    for name, rows in files.items():
        config, _, split = name.partition("__")
        file = path / config / f"{split}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_levels_subjects_and_splits_in_order(tmp_path: Path) -> None:
    data = folder(
        tmp_path,
        college_physics__test=[question(answer=3)],
        college_physics__validation=[question()],
        college_physics__dev=[question()],
        high_school_biology__test=[question(), question(answer=0)],
        high_school_geography__test=[question()],
    )
    items = load_mmlu_stem(data)
    assert items["item_id"].tolist() == [
        "mmlu-high_school_biology-test-000001",
        "mmlu-high_school_biology-test-000002",
        "mmlu-college_physics-validation-000001",
        "mmlu-college_physics-test-000001",
    ]
    assert items["level"].tolist() == [0, 0, 1, 1]
    assert items["answer"].tolist() == [1, 0, 1, 3]
    assert items["question_words"].tolist() == [4, 4, 4, 4]
    assert items["answer_characters"].tolist() == [8, 4, 8, 4]
    assert measures(items) == ["level", "question_words", "answer_characters"]
    assert items["group"].tolist() == items["item_id"].tolist()


def test_a_choice_that_occurs_twice_counts_once(tmp_path: Path) -> None:
    rows = [
        question(choices=["a", "a", "b", "c"], answer=2),
        question(choices=["a", "b", "b", "c"], answer=2),
    ]
    items = load_mmlu_stem(folder(tmp_path, college_biology__test=rows))
    assert items["choices"].tolist() == [["a", "b", "c"], ["a", "b", "c"]]
    assert items["answer"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": None}, "column 'question': should be a text; got None"),
        ({"question": " "}, "column 'question': is empty"),
        ({"choices": 3}, "column 'choices': should be a list of texts; got 3"),
        ({"choices": []}, "column 'choices': is empty"),
        ({"choices": ["a", "a"], "answer": 1}, "column 'choices': has one choice only"),
        ({"choices": ["a", None], "answer": 0}, "every choice should be a text"),
        ({"answer": 4}, "column 'answer': should be the index of a choice, 0 to 3; got 4"),
        ({"answer": -1}, "should be the index of a choice, 0 to 3; got -1"),
        ({"answer": True}, "should be the index of a choice, 0 to 3; got True"),
        ({"answer": "B"}, "should be the index of a choice, 0 to 3; got 'B'"),
    ],
)
def test_problems_name_the_row(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    data = folder(tmp_path, college_physics__test=[question(), question(**changes)])
    with pytest.raises(InputError) as caught:
        load_mmlu_stem(data)
    assert f"{data}: college_physics test row 2, " in str(caught.value)
    assert message in str(caught.value)


def test_no_questions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no questions; expected files such as college_physics/"):
        load_mmlu_stem(str(tmp_path))
    with pytest.raises(InputError, match="absent: no such folder"):
        load_mmlu_stem(str(tmp_path / "absent"))
