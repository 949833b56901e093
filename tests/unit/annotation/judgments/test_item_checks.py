"""Judgments held against the items that were judged."""

from pathlib import Path

import pandas as pd

from annotation.judgments.item_checks import check_against_items
from annotation.judgments.read_files import read_judgment_files


def test_a_row_of_one_of_several_files_is_counted_in_its_own(tmp_path: Path) -> None:
    for name, label in (("a.csv", "yes"), ("b.csv", "maybe")):
        (tmp_path / name).write_text(f"item_id,annotator,label\n1,{name},yes\n2,{name},{label}\n")
    read = read_judgment_files([tmp_path / "a.csv", tmp_path / "b.csv"], False)
    table = pd.DataFrame(
        {"item_id": ["1", "2"], "question": "?", "choices": [("yes", "no")] * 2, "answer": None}
    )
    (left_out,) = check_against_items(read, table).rejected
    assert str(left_out).startswith(f"{tmp_path / 'b.csv'}: row 2, column 'label': 'maybe'")
