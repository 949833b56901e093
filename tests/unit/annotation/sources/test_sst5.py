import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError
from annotation.items.table import shared_choices
from annotation.sources.sst5 import load_sst5


def folder(path: Path, **splits: list[tuple[Any, Any]]) -> str:
    for split, rows in splits.items():
        lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in rows]
        (path / f"{split}.jsonl").write_text("".join(lines))
    return str(path)


def test_polarity_and_mildness(tmp_path: Path) -> None:
    data = folder(
        tmp_path,
        train=[("awful", 0), ("weak", 1), ("so so", 2), ("fine", 3), ("superb", 4)],
        test=[("grand", 4)],
    )
    items = load_sst5(data)
    assert items["question"].tolist() == ["awful", "weak", "fine", "superb", "grand"]
    assert items["answer"].tolist() == [0, 0, 1, 1, 1]
    assert items["mildness"].tolist() == [0, 1, 1, 0, 0]
    assert shared_choices(items) == ("negative", "positive")
    assert items["item_id"].tolist() == [
        "sst5-train-000001", "sst5-train-000002", "sst5-train-000004", "sst5-train-000005",
        "sst5-test-000001",
    ]  # fmt: skip


def test_repeated_texts(tmp_path: Path) -> None:
    data = folder(
        tmp_path,
        train=[("same", 3), ("torn", 1), ("half", 2), ("  ", 4)],
        validation=[("same", 4), ("half", 0)],
        test=[("torn", 4), ("Same", 4), ("torn", 0)],
    )
    items = load_sst5(data)
    # "same" is kept once, as it came first; "torn" has both polarities; the neutral "half" does
    # not speak against the negative one; another spelling is another text.
    assert items["question"].tolist() == ["same", "half", "Same"]
    assert items["mildness"].tolist() == [1, 0, 0]


def test_files_as_the_hub_keeps_them(tmp_path: Path) -> None:
    folder(tmp_path, dev=[("fine", 3)])
    pq.write_table(
        pa.table({"text": ["awful"], "label": [0]}), tmp_path / "train-00000-of-1.parquet"
    )
    assert load_sst5(str(tmp_path))["item_id"].tolist() == [
        "sst5-train-000001",
        "sst5-validation-000001",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("fine", 3), ("odd", 5)], "train row 2, column 'label': should be 0-4; got 5"),
        ([("odd", "3")], "train row 1, column 'label': should be 0-4; got '3'"),
        ([("odd", True)], "train row 1, column 'label': should be 0-4; got True"),
        ([("odd", None)], "train row 1, column 'label': should be 0-4; got None"),
        ([(3, 3)], "train row 1, column 'text': should be a text; got 3"),
        ([("so so", 2)], "no sentences"),
    ],
)
def test_problems_are_named(tmp_path: Path, rows: list[tuple[Any, Any]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_sst5(folder(tmp_path, train=rows))
    assert message in str(caught.value)


def test_only_contradictions_are_no_items(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="every sentence occurs with both polarities"):
        load_sst5(folder(tmp_path, train=[("torn", 0), ("torn", 4)]))


def test_an_absent_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent: no such folder"):
        load_sst5(str(tmp_path / "absent"))
