import json
from pathlib import Path

import pandas as pd
import pytest

from annotation.judgments.table_files import write_judgments
from tests.unit.annotation.monitoring.test_finish_date import steady
from tests.unit.budget.commands.command_line import labelmix, one_line


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    path = tmp_path / "judged.parquet"
    write_judgments(steady(101), path)
    return path


def test_a_date_is_told_with_its_interval_in_the_zone(
    judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    told = labelmix("judgments", "finish", judged, "--left", "50", "--zone", "Asia/Tokyo")
    assert told.exit_code == 0, told.output
    first, second, third = told.output.splitlines()
    assert first.startswith("Done by 2026-01-05 2")
    assert "(80 % interval: 2026-01-05 2" in first
    assert first.endswith(", Asia/Tokyo).")
    assert second.startswith("101 judgments are done, 50 are left; ")
    assert second.endswith("until 2026-01-05 19:40.")  # 10:40 in UTC
    assert third.startswith("Fewer than four days were seen")


def test_days_of_rest_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    whole = steady(14 * 48, minutes=30)
    path = tmp_path / "weeks.csv"
    write_judgments(whole[whole["created_at"].dt.day_of_week < 5], path)
    told = labelmix("judgments", "finish", path, "--left", "100")
    assert "Hardly any work on: Saturday, Sunday." in told.output
    assert "About 2 people still work on it" in told.output


def test_json_and_past_collections(judged: Path, tmp_path: Path) -> None:
    past: list[str] = []
    for number in range(9):
        path = tmp_path / f"past-{number}.csv"
        write_judgments(steady(100, minutes=1 + number), path)
        past += ["--past", str(path)]
    told = labelmix("judgments", "finish", judged, "--left", "101", *past, "--json")
    found = json.loads(told.stdout)
    assert found["past"] == 9
    # They all went on steadily, and so will this one.
    expected = pd.Timestamp(found["expected"])
    assert abs(expected - pd.Timestamp("2026-01-05T12:20Z")) < pd.Timedelta(minutes=5)
    assert found["people"] is None
    few = labelmix("judgments", "finish", judged, "--left", "101", *past[:4])
    assert "The collections of --past are too few or too short" in few.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--left", "5", "--zone", "Berlin"], "the time zone 'Berlin' is unknown"),
        (["--left", "5", "--confidence", "80"], "the confidence should be within 0 and 1; got 80"),
        (["--left", "5", "--past", "gone.csv"], "gone.csv"),
    ],
)
def test_what_is_asked_wrongly_is_said(judged: Path, options: list[str], said: str) -> None:
    assert one_line(labelmix("judgments", "finish", judged, *options)).startswith(said)
