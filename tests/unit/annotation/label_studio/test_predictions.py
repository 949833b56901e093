import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction, read_predictions, version_of

TASKS = [
    PilotTask("a", "easy", "?", ("10", "20", "1"), None),
    PilotTask("b", "easy", "?", (), None),
]


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records))
    return path


def test_text_comes_before_index(tmp_path: Path) -> None:
    for value, choice in (("20 ", "20"), (1, "1"), ("2", "1"), (0, "10")):
        file = write(tmp_path / "p.jsonl", {"item_id": "a", "choice": value, "score": 0.5})
        assert read_predictions(file, TASKS) == [Prediction("a", choice, 0.5)]


def test_an_index_counts_as_the_file_of_items_does(tmp_path: Path) -> None:
    file = write(tmp_path / "p.jsonl", {"item_id": "a", "choice": 0})
    given = {"a": ["20", "1", "10"]}
    assert read_predictions(file, TASKS, given) == [Prediction("a", "20", None)]


def test_csv_free_answers_and_items_of_others(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("item_id,choice,score\nb,forty two,\nother,x,1\na,10,1.0\n")
    assert read_predictions(file, TASKS) == [
        Prediction("b", "forty two", None),
        Prediction("a", "10", 1.0),
    ]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"item_id": "a"}, "row 1: column 'choice' is missing or empty"),
        ({"choice": "10"}, "row 1: column 'item_id' is missing or empty"),
        ({"item_id": "a", "choice": "9"}, r"row 1: choice '9' is none of the choices of item 'a'"),
        ({"item_id": "a", "choice": "9" * 5000}, "is none of the choices"),
        ({"item_id": "a", "choice": "10", "score": 2}, "row 1: score should be from 0 to 1; got 2"),
        ({"item_id": "a", "choice": "10", "score": "high"}, "score should be from 0 to 1"),
        ({"item_id": "a", "choice": "10", "score": [1]}, "score should be from 0 to 1"),
        ({"item_id": "a", "choice": "10", "score": True}, "score should be from 0 to 1"),
        ({"item_id": "b", "choice": "\ud800"}, "should be a text, the answer"),
        ({"item_id": "b", "choice": ["x"]}, "should be a text, the answer"),
        ({"item_id": "b", "choice": float("nan")}, "should be a text, the answer"),
        ({"item_id": "z", "choice": "10"}, "no prediction for any item of the pilot"),
    ],
)
def test_what_is_wrong_is_named(record: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_predictions(write(tmp_path / "p.jsonl", record), TASKS)


def test_one_prediction_an_item(tmp_path: Path) -> None:
    twice = [{"item_id": "a", "choice": "10"}] * 2
    with pytest.raises(InputError, match="row 2: item 'a' occurs twice"):
        read_predictions(write(tmp_path / "p.jsonl", *twice), TASKS)


def test_request_is_as_label_studio_takes_it() -> None:
    request = Prediction("a", "10", 0.5).request(7, has_options=True, model_version="v")
    part = {
        "from_name": "answer",
        "to_name": "question",
        "type": "choices",
        "value": {"choices": ["10"]},
    }
    assert request == {"task": 7, "result": [part], "model_version": "v", "score": 0.5}
    free = Prediction("b", "x", None).request(8, has_options=False, model_version="v")
    assert "score" not in free
    assert free["result"][0] | {"value": {"text": ["x"]}, "type": "textarea"} == free["result"][0]


def test_version_tells_the_content() -> None:
    one, other = Prediction("a", "10", 0.5), Prediction("b", "x", None)
    assert version_of([one, other]) == version_of([other, one])
    assert version_of([one]) != version_of([Prediction("a", "20", 0.5)])
