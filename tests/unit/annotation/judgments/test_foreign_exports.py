"""Label Studio's other exports: JSON-MIN, CSV, and what it writes to a storage."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.file_limits import VARIABLE
from annotation.judgments.read_files import read_judgment_files

Row = dict[str, Any]
Write = Callable[[Path, Sequence[Row]], Path]


def rows(*moods: object, **more: object) -> list[Row]:
    """Two people's answers to every task, in the form of JSON-MIN."""
    return [
        {
            "id": task,
            "text": f"words {task}",
            "mood": mood,
            "annotator": user,
            "annotation_id": 10 * task + user,
            "created_at": f"2026-01-0{user}T00:00:00Z",
            "updated_at": f"2026-01-0{user}T00:00:00Z",
            "lead_time": 9.5,
            **more,
        }
        for task, mood in enumerate(moods, start=1)
        for user in (1, 2)
    ]


def as_json(path: Path, table: Sequence[Row]) -> Path:
    file = path.with_suffix(".json")
    file.write_text(json.dumps(table), encoding="utf-8")
    return file


def as_csv(path: Path, table: Sequence[Row]) -> Path:
    file = path.with_suffix(".csv")
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, sorted({name for row in table for name in row}))
        writer.writeheader()
        for row in table:
            cells = {
                name: value if isinstance(value, str | int | float) else json.dumps(value)
                for name, value in row.items()
                if value is not None
            }
            writer.writerow(cells)
    return file


both = pytest.mark.parametrize("write", [as_json, as_csv])


@both
def test_the_named_column_gives_the_labels(tmp_path: Path, write: Write) -> None:
    found = read_judgment_files([write(tmp_path / "e", rows("good", "bad"))], False, control="mood")
    assert not found.rejected
    table = found.judgments
    assert table["label"].tolist() == ["good", "good", "bad", "bad"]
    assert table["item_id"].tolist() == ["task-1", "task-1", "task-2", "task-2"]
    assert table["annotator"].tolist() == ["1", "2", "1", "2"]
    assert table["seconds"].tolist() == [9.5] * 4
    assert table["created_at"].dt.day.tolist() == [1, 2, 1, 2]
    assert table["source_id"].tolist() == [f"label-studio:{n}" for n in (11, 12, 21, 22)]
    assert "the item is called 'task-1'; 1 more are named so." in str(found.notes[0])


@both
def test_which_column_is_the_answer_is_a_question(tmp_path: Path, write: Write) -> None:
    file = write(tmp_path / "e", rows("good"))
    with pytest.raises(InputError, match=r"which column is the answer: .*'mood'.*by --control"):
        read_judgment_files([file], False)
    with pytest.raises(InputError, match=r"has no column 'tone' of answers; the columns are: "):
        read_judgment_files([file], False, control="tone")


@both
def test_data_of_the_task(tmp_path: Path, write: Write) -> None:
    more = {"item_id": "q7", "stratum": "hard", "gold": "good", "options": ["good", "bad"]}
    table = rows("good", **more) + rows("odd", **more)
    found = read_judgment_files([write(tmp_path / "e", table)], False, control="mood")
    columns = ["item_id", "stratum", "gold", "label"]
    assert found.judgments[columns].drop_duplicates().to_dict("records") == [
        {"item_id": "q7", "stratum": "hard", "gold": "good", "label": "good"}
    ]
    assert [each.row for each in found.rejected] == [3, 4]
    assert "'odd' is none of the task's options: good, bad" in found.rejected[0].problem


@both
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"choices": ["good", "bad"]}, "picks 2 choices at once"),
        ([{"rating": 4}], "answers of kind rating are not read"),
        ("", "has no answer"),
    ],
)
def test_what_is_no_label_is_named_with_its_row(
    tmp_path: Path, write: Write, answer: object, words: str
) -> None:
    table = rows("good") + rows(answer)[:1]
    found = read_judgment_files([write(tmp_path / "e", table)], False, control="mood")
    assert found.judgments["label"].tolist() == ["good", "good"]
    assert [each.row for each in found.rejected] == [3]
    assert words in found.rejected[0].problem


@both
def test_one_choice_of_several_and_free_texts_are_read(tmp_path: Path, write: Write) -> None:
    answers = ({"choices": ["good"]}, {"text": ["two", "lines"]}, "{not JSON", "[sic]")
    found = read_judgment_files([write(tmp_path / "e", rows(*answers))], False, control="mood")
    assert found.judgments["label"].tolist()[::2] == ["good", "two\nlines", "{not JSON", "[sic]"]


@both
def test_rows_that_name_no_task_are_refused(tmp_path: Path, write: Write) -> None:
    file = write(tmp_path / "e", [{**row, "id": ""} for row in rows("good")])
    with pytest.raises(InputError, match=r"row 1 has neither an item_id nor the id of its task"):
        read_judgment_files([file], False, control="mood")


def test_people_in_a_csv(tmp_path: Path) -> None:
    table = rows("good", "bad")
    for row, who in zip(table, ("a@x.org", "7", "None", " "), strict=True):
        row["annotator"] = who
    found = read_judgment_files([as_csv(tmp_path / "e", table)], False, control="mood")
    assert found.judgments["annotator"].tolist() == ["a@x.org", "7"]
    assert [each.column for each in found.rejected] == ["annotations[0].completed_by"] * 2


def test_a_csv_that_is_a_table_of_judgments_already(tmp_path: Path) -> None:
    table = [
        {**row, "item_id": "a", "label": "fine", "annotator": f"p{n}"}
        for n, row in enumerate(rows("good"))
    ]
    file = as_csv(tmp_path / "e", table)
    assert read_judgment_files([file], False).judgments["label"].tolist() == ["fine"] * 2
    named = read_judgment_files([file], False, control="mood").judgments
    assert named["label"].tolist() == ["good"] * 2


def stored(number: int, mood: str, **more: Any) -> Mapping[str, Any]:
    """An annotation as Label Studio writes it to a storage, with its task."""
    return {
        "id": number,
        "completed_by": {"id": 1, "email": f"p{number % 2}@x.org"},
        "created_username": " p@x.org, 1",
        "task": {"id": number // 2, "project": 3, "data": {"item_id": f"q{number // 2}"}},
        "result": [{"from_name": "mood", "type": "choices", "value": {"choices": [mood]}}],
        "created_at": "2026-01-02T00:00:00Z",
        "lead_time": 9.5,
        **more,
    }


def written(folder: Path, suffix: str = "") -> Path:
    folder.mkdir()
    for number, mood in enumerate(("good", "bad", "good", "good"), start=2):
        (folder / f"{number}{suffix}").write_text(json.dumps(stored(number, mood)))
    return folder


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_a_folder_of_annotations(tmp_path: Path, suffix: str) -> None:
    folder = written(tmp_path / "stored", suffix)
    (folder / ".listing").write_text("hidden")
    table = read_judgment_files([folder], False).judgments
    assert table["item_id"].tolist() == ["q1", "q1", "q2", "q2"]
    assert table["label"].tolist() == ["good", "bad", "good", "good"]
    assert table["source_id"].tolist() == [f"label-studio:3:{n}" for n in (2, 3, 4, 5)]
    by_name = read_judgment_files(sorted(folder.glob("[0-9]*")), False).judgments
    pd.testing.assert_frame_equal(by_name, table)


def test_a_folder_of_tasks_says_the_same(tmp_path: Path) -> None:
    annotations = written(tmp_path / "annotations")
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for number in (1, 2):
        own = [stored(n, m) for n, m in ((2, "good"), (3, "bad"), (4, "good"), (5, "good"))]
        own = [each for each in own if each["task"]["id"] == number]
        task = {**own[0]["task"], "annotations": own}
        (tasks / f"{number}.json").write_text(json.dumps(task))
    pd.testing.assert_frame_equal(
        read_judgment_files([tasks], False).judgments,
        read_judgment_files([annotations], False).judgments,
    )


def test_what_cannot_be_used_is_named_with_its_file(tmp_path: Path) -> None:
    folder = written(tmp_path / "stored")
    (folder / "3").write_text(json.dumps(stored(3, "bad", completed_by=None)))
    found = read_judgment_files([folder], False)
    assert [each.where for each in found.rejected] == [str(folder / "3")]


def test_controls_of_a_storage(tmp_path: Path) -> None:
    folder = written(tmp_path / "stored")
    sure = {"from_name": "sure", "type": "choices", "value": {"choices": ["very"]}}
    two = stored(9, "good")
    (folder / "9").write_text(json.dumps({**two, "result": [*two["result"], sure]}))
    with pytest.raises(InputError, match=r"stored: annotations answer several .*'mood', 'sure'"):
        read_judgment_files([folder], False)
    found = read_judgment_files([folder], False, control="sure")
    assert found.judgments["label"].tolist() == ["very"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("6", '{"a": 1}', "6: is neither an annotation nor a task"),
        ("6", "[1]", "6: is neither an annotation nor a task"),
        ("6", '{"data": {}}', "6: is neither an annotation nor a task"),
        ("6", "{", "6: line 1 is not JSON"),
        ("6/7", "{}", "holds the folder 6"),
    ],
)
def test_other_files_in_a_folder_are_refused(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    file = written(tmp_path / "stored") / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    with pytest.raises(InputError, match=words):
        read_judgment_files([tmp_path / "stored"], False)


def test_an_empty_folder_and_one_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="is an empty folder"):
        read_judgment_files([tmp_path], False)
    written(tmp_path / "stored")
    monkeypatch.setenv(VARIABLE, "0.000001")
    with pytest.raises(InputError, match=r"stored: has .* more than the 1 kB that are read"):
        read_judgment_files([tmp_path / "stored"], False)
