"""No cell of a CSV file is run by a spreadsheet, and tables come back as they were."""

import csv
import re
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotation.csv_headers import column_name
from annotation.files import read_records
from annotation.items.write import write_rows
from annotation.judgments.table import validate_judgments
from annotation.judgments.table_files import read_judgments, write_judgments
from annotation.spreadsheet_cells import guarded_cell, guarded_column, plain_cell, plain_column

SIGNS = ("=", "+", "-", "@", "\t", "\r")
PARTS = st.sampled_from([*SIGNS, "'", "1", ".5", "e3", ",", "\n", "cmd|' /C calc'!A0", "é"])
TEXTS = st.lists(PARTS, min_size=1, max_size=5).map("".join)
BARE = TEXTS.filter(lambda text: text == text.strip())  # texts of judgments are


def is_number(text: str) -> bool:
    return re.fullmatch(r"[+-][0-9.,]+([eE][+-]?[0-9]+)?", text) is not None


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


@settings(max_examples=500)
@given(text=TEXTS | st.text(max_size=8))
@example("-1.5")
@example("'-1.5")
@example("'=1")
@example("-1\n")
def test_a_cell_is_no_formula_and_comes_back(text: str) -> None:
    guarded = guarded_cell(text)
    assert isinstance(guarded, str)
    assert not guarded.startswith(SIGNS) or is_number(guarded)
    assert plain_cell(guarded) == text
    if not text.lstrip("'").startswith(SIGNS) or is_number(text):
        assert guarded == text


@given(texts=st.lists(st.none() | TEXTS, max_size=8))
def test_columns_are_as_their_cells(texts: list[str | None]) -> None:
    column = guarded_column(pa.array(texts, type=pa.string()))
    assert column.to_pylist() == [guarded_cell(text) for text in texts]
    assert plain_column(pa.chunked_array([column])).to_pylist() == texts


@settings(deadline=None)
@given(
    names=st.lists(TEXTS, min_size=1, max_size=3, unique_by=column_name),
    rows=st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_rows_with_any_header(names: list[str], rows: list[list[str]]) -> None:
    # Other columns follow: one alone could look as if other separators divided it.
    table = [{**dict(zip(names, row, strict=False)), "number": -1.5, "last": "x"} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_rows(table, path)
        assert not [c for c in cells(path) if c.startswith(SIGNS) and not is_number(c)]
        assert read_records(path) == [
            {column_name(name): text for name, text in {**row, "number": "-1.5"}.items()}
            for row in table
        ]


@settings(deadline=None)
@given(rows=st.lists(st.tuples(BARE, BARE, BARE), min_size=1, max_size=5, unique_by=lambda r: r[0]))
def test_judgments(rows: list[tuple[str, str, str]]) -> None:
    items, people, labels = zip(*rows, strict=True)
    drawn = pd.DataFrame({"item_id": items, "annotator": people, "label": labels, "seconds": 2.5})
    table = validate_judgments(drawn, "drawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_judgments(table, path)
        assert not [c for c in cells(path) if c.startswith(SIGNS) and not is_number(c)]
        pd.testing.assert_frame_equal(read_judgments(path), table)
