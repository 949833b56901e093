"""Files that name people, their answers or their pay are for their owner's eyes alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from annotation.whole_files import whole_file
from budget.commands.app import app


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """Usual files are readable by everybody here, whatever the machine says."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_unfinished_file_is_private_already(tmp_path: Path) -> None:
    with whole_file(tmp_path / "own", private=True) as unfinished:
        assert mode(unfinished) == 0o600
        unfinished.write_text("bob,B")
        assert mode(unfinished) == 0o600
    assert (tmp_path / "own").read_text() == "bob,B"
    assert mode(tmp_path / "own") == 0o600


def test_others_files_stay_readable(tmp_path: Path) -> None:
    with whole_file(tmp_path / "plan") as unfinished:
        unfinished.write_text("plan")
    assert mode(tmp_path / "plan") == 0o644


def test_a_readable_file_becomes_private_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "own"
    path.write_text("old")
    assert mode(path) == 0o644
    with whole_file(path, private=True) as unfinished:
        unfinished.write_text("new")
    assert mode(path) == 0o600


def test_a_private_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), whole_file(tmp_path / "own", private=True):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_commands_write_of_people_is_private(tmp_path: Path, suffix: str) -> None:
    def written(*arguments: str) -> None:
        done = CliRunner().invoke(app, ["judgments", *arguments])
        assert done.exit_code == 0, done.output

    pilot = tmp_path / f"pilot{suffix}"
    truth, terms, suppliers = (tmp_path / name for name in ("t.json", "terms.toml", "s.toml"))
    labels = tmp_path / ("labels.jsonl" if suffix == ".csv" else "labels.parquet")
    written("simulate", str(pilot), "--truth", str(truth), "--gold", ".5")
    options = ["--out", str(terms), "--suppliers-out", str(suppliers), "--labels-out", str(labels)]
    written("report", str(pilot), "--rate", "18", *options)
    sheet = tmp_path / "pay.csv"
    written("pay", str(pilot), "--rate", "18", "--out", str(sheet))
    files = (pilot, truth, terms, suppliers, labels, sheet)
    assert {path.name: oct(mode(path)) for path in files} == {p.name: "0o600" for p in files}
