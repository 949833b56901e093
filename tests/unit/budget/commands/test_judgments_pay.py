import csv
import json
from pathlib import Path

import pytest

from tests.unit.budget.commands.command_line import labelmix, one_line

ROWS = """item_id,annotator,label,seconds,created_at
i1,ann,yes,60,2026-01-05T09:00:00Z
i1,bob,no,30,2026-01-05T09:00:00Z
i1,cleo,no,900,2026-02-05T09:00:00Z
i2,ann,yes,,
"""


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    path = tmp_path / "judged.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_sheet_is_shown_and_written(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = judged.with_name("pay.csv")
    options = ["--fee", ".05", "--rate", "ann=18", "--asked", 2, "--out", out]
    told = labelmix("judgments", "pay", judged, *map(str, options))
    assert told.exit_code == 0, told.output
    assert "3 annotators are owed $0.50 in all; days begin at midnight, UTC." in told.output
    assert "judgments without a time, by people paid by the hour: 1;" in told.output
    assert "longer than --idle-cap, which count as it: 1." in told.output
    assert "judgments beyond --asked: 1; their fees: $0.05." in told.output
    assert "rows of judgments without 'created_at': 1; their period is not known." in told.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = [(row["annotator"], row["period"], row["due"]) for row in csv.DictReader(file)]
    assert rows == [
        ("ann", "", "0.05"), ("ann", "2026-01", "0.35"), ("bob", "2026-01", "0.05"),
        ("cleo", "2026-02", "0.05"),
    ]  # fmt: skip


def test_json(judged: Path) -> None:
    told = labelmix("judgments", "pay", judged, "--fee", ".05", "--period", "day", "--json")
    found = json.loads(told.stdout)
    assert found["due"] == 0.2
    assert [row["first_day"] for row in found["rows"]] == [
        None, "2026-01-05", "2026-01-05", "2026-02-05",
    ]  # fmt: skip
    assert found["rejected"] == found["notes"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "what is paid is missing; give --fee, --rate or both."),
        (["--fee", ".05", "--over-asked-unpaid"], "--over-asked-unpaid goes with --asked"),
        (["--fee", ".05", "--out", "pay.xlsx"], "--out pay.xlsx: a pay sheet is written as .csv"),
        (["--fee", "five"], "--fee 'five': an amount of money should be a number"),
        (["--fee", ".05", "--zone", "Berlin"], "the time zone 'Berlin' is unknown"),
        (["--fee", ".05", "--period", "year"], "the period should be one of day, week, month, all"),
    ],
)
def test_what_is_asked_wrongly_is_said(judged: Path, options: list[str], said: str) -> None:
    assert one_line(labelmix("judgments", "pay", judged, *options)).startswith(said)


def test_an_input_is_not_overwritten(judged: Path) -> None:
    told = one_line(labelmix("judgments", "pay", judged, "--fee", ".05", "--out", judged))
    assert "would be overwritten" in told
    assert judged.read_text(encoding="utf-8") == ROWS


def test_a_file_without_judgments_is_no_sheet(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("item_id,annotator,label\n", encoding="utf-8")
    told = one_line(labelmix("judgments", "pay", path, "--fee", "1"))
    assert told == "no judgment can be used: there is none."
