import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.budget.collection.small_collection import answered, begun, ordered, plainly
from tests.unit.budget.commands.command_line import labelmix, one_line


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = ordered(begun(tmp_path_factory.mktemp("pay")))
    answered(folder, 1, plainly)
    return folder


def test_a_sheet_is_shown_and_written(
    paid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    told = labelmix("collect", "pay", paid, "--out", tmp_path / "pay.csv")
    assert told.exit_code == 0, told.output
    # 8 items and 2 gold questions of 2 strata: 20 from each of the crowd, 20 from the expert.
    assert "3 annotators are owed 6.00 EUR in all" in told.output
    with (tmp_path / "pay.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["annotator"], row["due"], row["hourly_pay"]) for row in rows] == [
        ("ann", "1.0000", "20.00"), ("bob", "1.0000", "20.00"), ("cleo", "4.0000", "36.00"),
    ]  # fmt: skip
    assert {row["currency"] for row in rows} == {"EUR"}
    assert (tmp_path / "pay.csv").stat().st_mode & 0o077 == 0


def test_json_is_exact(paid: Path) -> None:
    told = labelmix("collect", "pay", paid, "--period", "all", "--json")
    found = json.loads(told.stdout)
    assert found["due"] == "6.0000"
    assert sum(Decimal(row["due"]) for row in found["rows"]) == Decimal(6)
    status = json.loads(labelmix("collect", "status", paid, "--json").stdout)
    assert Decimal(status["paid"]) == Decimal(6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "pay.xlsx"], "--out pay.xlsx: a pay sheet is written as .csv; name it so."),
        (["--period", "year"], "the period should be one of day, week, month, all; got 'year'."),
        (["--zone", "Berlin"], "the time zone 'Berlin' is unknown"),
    ],
)
def test_wrong_options(paid: Path, options: list[str], said: str) -> None:
    assert said in one_line(labelmix("collect", "pay", paid, *options))


def test_nothing_is_owed_before_anything_came(tmp_path: Path) -> None:
    told = labelmix("collect", "pay", begun(tmp_path))
    assert "0 annotators are owed 0" in told.output
