import json
from pathlib import Path

import pandas as pd
import pytest

from annotation.items.choice_lengths import length_remark
from annotation.items.read import load_tabular
from annotation.items.table import REMARKS
from annotation.items.validate import validate_items


def table(choices: list[list[str]], answers: list[int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": [f"q{k}" for k in range(len(choices))],
            "question": [f"What is {k}?" for k in range(len(choices))],
            "choices": choices,
            "answer": answers,
        }
    )
    return validate_items(frame, "here", require_answers=False)


def lengths(*own: int, count: int = 20) -> list[list[str]]:
    return [[f"{k:03d}"[:2] + "x" * length for length in own] for k in range(count)]


@pytest.mark.parametrize(
    ("choices", "answers", "told"),
    [
        (lengths(3, 9, 4), [1] * 20, "the longest choice in every item:"),
        (lengths(3, 9, 4), [0] * 20, "the shortest choice in every item:"),
        (lengths(3, 9, 4), [1] * 19 + [2], "the longest choice in 95 % of the items:"),
        (lengths(3, 9, 4), [1] * 19 + [None], "the longest choice in every item:"),
    ],
)
def test_a_length_that_gives_the_answer_away_is_told(
    choices: list[list[str]], answers: list[int | None], told: str
) -> None:
    assert told in length_remark(table(choices, answers))


@pytest.mark.parametrize(
    ("choices", "answers"),
    [
        (lengths(3, 9, 4), [2] * 20),  # between the others
        ([[*own[:2], "y" * len(own[1])] for own in lengths(3, 9)], [1] * 20),  # one of two longest
        (lengths(3, 9, 4), [1] * 16 + [2] * 4),
        (lengths(3, 9, 4)[:9], [1] * 9),  # too few items
        ([["no", "surely"]] * 20, [1] * 20),  # classes that all items share
    ],
)
def test_lengths_that_do_not_tell_are_not_told(
    choices: list[list[str]], answers: list[int | None]
) -> None:
    assert length_remark(table(choices, answers)) == ""


def test_a_file_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    rows = [
        {
            "question": f"q {k}",
            "choices": [f"a{k}", f"longer {k}", f"b{k}"],
            "answer": f"longer {k}",
        }
        for k in range(12)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert any("the longest choice" in told for told in load_tabular(str(path)).attrs[REMARKS])
