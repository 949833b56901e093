import json
from pathlib import Path

import pytest

from annotation.judgments.table_files import write_judgments
from annotation.monitoring import alarms
from tests.unit.annotation.monitoring.test_alarms import work
from tests.unit.budget.commands.command_line import labelmix, one_line


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(alarms, "_SHUFFLED", 5_000)
    path = tmp_path / "judged.parquet"
    write_judgments(work(), path)
    return path


def test_alarms_are_shown_with_what_they_cost(
    judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    told = labelmix("judgments", "alarms", judged, "--fee", "1")
    assert told.exit_code == 0, told.output
    (row,) = (line for line in told.output.splitlines() if "│ p0 " in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells[:3] == ["p0", "all items", "errs more"]
    assert cells[6] == "100 %"
    assert cells[7].startswith("$1")
    assert "Alarms by errors: 1. About 0.5 would be raised if nothing had changed" in told.output


def test_json(judged: Path) -> None:
    found = json.loads(labelmix("judgments", "alarms", judged, "--json").stdout)
    (alarm,) = found["alarms"]
    assert alarm["annotator"] == "p0"
    assert alarm["cost"] is None
    assert alarm["since"].startswith("2026-01-05T00:4")
    assert found["errors"]["judgments"] == 240


def test_the_rate_of_a_file_of_suppliers_counts_unless_it_is_named(
    judged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "suppliers.toml"
    path.write_text("[suppliers.crowd]\ncost = 1\n[alarms]\nfalse_alarms = 1.5\n")

    def expected(*more: str | Path) -> float:
        found = json.loads(labelmix("judgments", "alarms", judged, *more, "--json").stdout)
        return float(found["per_thousand"])

    assert expected() == 3
    assert expected("--suppliers", path) == 1.5
    assert expected("--suppliers", path, "--false-alarms", "6") == 6
    path.write_text("[suppliers.crowd]\ncost = 1\n[alarms]\nfalse_alarms = 0\n")
    told = one_line(labelmix("judgments", "alarms", judged, "--suppliers", path))
    assert "suppliers.toml: alarms.false_alarms" in told and told.endswith("got 0.")
    path.write_text("[suppliers.crowd]\ncost = 1\n[alarms]\nfalse = 0\n")
    told = one_line(labelmix("judgments", "alarms", judged, "--suppliers", path))
    assert "the keys here are: false_alarms" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--false-alarms", "0"], "false alarms per 1,000 judgments should be above 0"),
        (["--role", "p0=expert"], "--role goes with --rate or --fee"),
        (["--rate", "p0=9"], "nothing says what annotator 'p1' (role: none) is paid"),
        (["--fee", "eve=9"], "'eve' is paid but is no annotator and no role"),
    ],
)
def test_what_is_asked_wrongly_is_said(judged: Path, options: list[str], said: str) -> None:
    assert one_line(labelmix("judgments", "alarms", judged, *options)).startswith(said)
