import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.machines.labels import read_machine_labels

ROWS: list[dict[str, Any]] = [
    {"question": "a?", "choices": ["no", "yes"], "answer": "yes", "bot": "yes", "sure": 0.9},
    {"question": "b?", "choices": ["no", "yes"], "answer": "", "bot": "no", "sure": None},
    {"question": "c?", "choices": ["no", "yes"], "answer": "no", "bot": "", "sure": 0.5},
]


def written(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_machine_and_people_said(tmp_path: Path) -> None:
    labels = read_machine_labels(written(tmp_path, *ROWS), "bot", "sure", "answer")
    assert labels.texts(labels.said) == ["yes", "no", None]
    assert labels.texts(labels.people) == ["yes", None, "no"]
    np.testing.assert_array_equal(labels.confidence, [0.9, np.nan, 0.5])
    assert labels.answered.tolist() == [True, True, False]
    assert labels.checked.tolist() == [True, False, False]
    assert labels.classes == ("no", "yes")
    assert labels.strata.tolist() == ["all"] * 3


def test_nobody_was_asked_where_the_column_is_absent(tmp_path: Path) -> None:
    labels = read_machine_labels(written(tmp_path, *ROWS), "bot", None, "nobody")
    assert labels.people.tolist() == [-1, -1, -1]
    assert np.isnan(labels.confidence).all()


def test_choices_of_their_own_are_matched_by_text(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"{k}?",
            "choices": [f"x{k}", f"y{k}", f"z{k}"],
            "answer": f"y{k}",
            "bot": f"z{k}",
        }
        for k in range(12)
    ]
    labels = read_machine_labels(written(tmp_path, *rows), "bot", None, "answer")
    assert labels.texts(labels.said) == [f"z{k}" for k in range(12)]
    assert labels.texts(labels.people) == [f"y{k}" for k in range(12)]
    assert labels.classes is None


@pytest.mark.parametrize(
    ("arguments", "changed", "message"),
    [
        (
            ("robot", None, "answer"),
            {},
            r"items.jsonl: column 'robot' is missing; .* --machine COL",
        ),
        (("bot", "certain", "answer"), {}, "column 'certain' is missing; .* --confidence COLUMN"),
        (("bot", "sure", "bot"), {}, "column 'bot' cannot be two of"),
        (
            ("bot", "sure", "answer"),
            {"sure": 90},
            "row 1, column 'sure': 90 should be a number from 0 to 1",
        ),
        (
            ("bot", "sure", "answer"),
            {"sure": "high"},
            "row 1, column 'sure': 'high' should be a number",
        ),
        (("bot", "sure", "answer"), {"bot": "maybe"}, "row 1, column 'bot': 'maybe'"),
    ],
)
def test_what_cannot_be_used(
    tmp_path: Path, arguments: tuple[str, str | None, str], changed: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, ROWS[0] | changed, *ROWS[1:])
    with pytest.raises(InputError, match=message):
        read_machine_labels(path, *arguments)


def test_an_item_without_a_stratum(tmp_path: Path) -> None:
    path = written(
        tmp_path, *(row | {"topic": topic} for row, topic in zip(ROWS, "ab ", strict=True))
    )
    with pytest.raises(InputError, match="row 3, column 'topic' is empty; name the item's stratum"):
        read_machine_labels(path, "bot", None, "answer", stratum="topic")


def test_draws_go_with_items_wherever_they_stand(tmp_path: Path) -> None:
    rows = [row | {"item_id": name} for row, name in zip(ROWS, "xyz", strict=True)]
    one = read_machine_labels(written(tmp_path, *rows), "bot", None, "answer").draws(1, 7)
    other = read_machine_labels(written(tmp_path, *rows[::-1]), "bot", None, "answer").draws(1, 7)
    assert one.tolist() == other[::-1].tolist()
    assert len(set(one.tolist())) == 3 and (one >= 0).all() and (one < 1).all()
