import json
from pathlib import Path

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.read import load_tabular, load_unanswered
from annotation.items.table import gold_texts
from annotation.items.validate import validate_items

ROWS = [
    {"item_id": "a", "question": "1?", "choices": ["x", "y"], "answer": "y", "grade": 3},
    {"item_id": "b", "question": "2?", "choices": ["x", "y", "z"], "answer": None, "grade": None},
    {"item_id": "c", "question": "3?", "choices": None, "answer": None},
]


def table(path: Path) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(path)


def test_items_without_answers(tmp_path: Path) -> None:
    items = load_unanswered(table(tmp_path / "pool.jsonl"))
    assert gold_texts(items) == ["y", None, None]
    assert items["choices"].map(sorted).tolist() == [["x", "y"], ["x", "y", "z"], []]
    assert items["answer_text"].tolist() == [None, None, None]
    assert items["grade"].isna().tolist() == [False, True, True]
    with pytest.raises(InputError, match="row 2 has no answer in column 'answer'"):
        load_tabular(table(tmp_path / "pool.jsonl"))


def test_a_table_of_questions_alone(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("prompt\nWhy?\nHow?\n")
    items = load_unanswered(str(path), columns={"question": "prompt"})
    assert items["question"].tolist() == ["Why?", "How?"]
    assert items["answer"].isna().all()
    with pytest.raises(InputError, match="column 'choices' is missing"):
        load_tabular(str(path), columns={"question": "prompt"})


def test_rows_have_the_names_they_are_given() -> None:
    frame = pd.DataFrame(ROWS)
    with pytest.raises(InputError) as caught:
        validate_items(frame, "here", rows=["train row 1", "test row 1", "test row 2"])
    assert str(caught.value).startswith("here: test row 2, column 'choices': is empty")
    frame["item_id"] = ["a", "b", "a"]
    with pytest.raises(InputError, match=r"test row 2, .* occurs already in train row 1"):
        validate_items(frame, "here", rows=["train row 1", "test row 1", "test row 2"])


def test_how_to_map_a_column_is_told_as_the_command_has_it(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("text\n?\n")
    with pytest.raises(InputError, match=r"Rename the one that holds it to 'question'\.$"):
        load_unanswered(str(path))
    with pytest.raises(InputError, match=r"Name the one that holds it: --column question=COLUMN"):
        load_unanswered(str(path), {})
    with pytest.raises(InputError, match=r"Map others by 'columns', as question = "):
        load_tabular(str(path))
