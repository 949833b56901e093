from pathlib import Path

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.choice_order import in_own_order
from annotation.items.read import load_tabular, load_unanswered
from annotation.items.table import fingerprint
from annotation.items.validate import validate_items
from annotation.items.write import write_table
from annotation.sources.workshop import load_workshop


@pytest.fixture
def items() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "question": ["One?", "Two?", "Three?"],
            "choices": [["x", "y"], ["x", "y", "z"], []],
            "answer": [0, 2, None],
            "answer_text": [None, None, "forty"],
            "group": "g",
            "reasoning": ["line\nbreak \u2028 \u00e9", None, '"'],
            "steps": [1, 2, None],
        }
    )
    return in_own_order(validate_items(frame, "here")).items


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
def test_written_items_are_read_back(items: pd.DataFrame, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"items{suffix}"
    write_table(items, path)
    pd.testing.assert_frame_equal(load_tabular(str(path)), items)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_items_without_answers_are_read_back(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "question": ["1?", "2?", "3?"],
            "choices": [["x", "y"], ["x", "y", "z"], []],
            "answer": [1, None, None],
            "grade": [3, None, None],
        }
    )
    items = in_own_order(validate_items(frame, "here", require_answers=False)).items
    write_table(items, tmp_path / f"out{suffix}")
    again = load_unanswered(str(tmp_path / f"out{suffix}"))
    pd.testing.assert_frame_equal(again, items)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_source_is_read_back(tmp_path: Path, suffix: str) -> None:
    items = load_workshop(12)
    write_table(items, tmp_path / f"workshop{suffix}")
    assert fingerprint(load_tabular(str(tmp_path / f"workshop{suffix}"))) == fingerprint(
        in_own_order(items).items
    )


def test_a_failed_write_leaves_the_old_file(items: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    write_table(items, path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"items for .*items\.jsonl: row 2"):
        write_table(items.assign(question=["One?", "", "Three?"]), path)
    assert path.read_bytes() == before


def test_other_suffixes_are_refused(items: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"written as \.jsonl, \.csv, \.parquet; name it so"):
        write_table(items, tmp_path / "items.xlsx")
