"""Tables as CSV and LaTeX."""

import csv
from io import StringIO

import pytest

from analysis.estimates import Estimate
from analysis.numbers import MINUS
from analysis.reproduce.tables import CellValue, cell_text, csv_text, latex_text, table

ACCURACY = Estimate(estimate=0.5704, low=0.521, high=0.6184)
NONE = Estimate(estimate=None, low=None, high=None)
OWN = table(
    "some",
    "Right & wrong, 5 %",
    [("measure", "text"), ("labels", "count"), ("accuracy", "percent"), ("p", "p")],
    [["question_words", 1600, ACCURACY, 0.03], ["=1+1", 10, NONE, None]],
)


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        (ACCURACY, "percent", "57.0 (52.1 to 61.8)"),
        (
            Estimate(estimate=-0.012, low=-0.03, high=0.01),
            "points",
            f"{MINUS}1.2 ({MINUS}3.0 to 1.0)",
        ),
        (Estimate(estimate=0.9, low=0.5, high=1.2), "ratio", "0.90 (0.50 to 1.20)"),
        (Estimate(estimate=0.9, low=None, high=None), "ratio", "0.90"),
        (NONE, "ratio", "not resolved"),
        (None, "percent", "not resolved"),
        (None, "p", ""),
        (1e-7, "p", "< 0.0001"),
        (1600, "count", "1,600"),
    ],
)
def test_cells_for_people(cell: CellValue, kind: str, text: str) -> None:
    assert cell_text(cell, kind) == text  # type: ignore[arg-type]


def test_csv_has_numbers_and_the_ends_of_intervals() -> None:
    rows = list(csv.reader(StringIO(csv_text(OWN))))
    assert rows[0] == ["measure", "labels", "accuracy", "accuracy low", "accuracy high", "p"]
    assert rows[1] == ["question_words", "1600", "0.5704", "0.521", "0.6184", "0.03"]
    assert rows[2] == ["'=1+1", "10", "", "", "", ""]


def test_latex_escapes_and_counts_its_columns() -> None:
    text = latex_text(OWN)
    assert "\\caption{Right \\& wrong, 5 \\%}" in text
    assert "\\begin{tabular}{lrrr}" in text
    assert "question\\_words & 1,600 & 57.0 (52.1 to 61.8) & 0.0300 \\\\" in text
    body = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert {line.count(" & ") for line in body} == {3}


def test_every_row_has_a_cell_a_column() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        table("some", "Some", [("a", "text"), ("b", "text"), ("c", "text")], [["x", "y"]])
