import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from budget.backtest import play_world
from budget.backtest.result import BacktestResult
from budget.commands.app import app
from tests.told_as_done import told_as_done

QUICK = ("--count", "1", "--seeds", "3", "--policies", "power_law,all_hard")


def backtest(out: Path, *arguments: str) -> Result:
    """`labelmix backtest` into a folder; an error that is no message is raised."""
    result = CliRunner().invoke(app, ["backtest", *arguments, "--out", str(out)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("backtest")
    done = backtest(out, *QUICK)
    assert done.exit_code == 0
    (out / "shown.txt").write_text(f"{done.stdout}\n{done.stderr}", encoding="utf-8")
    return out


def read(out: Path) -> BacktestResult:
    return BacktestResult.model_validate_json((out / "backtest.json").read_text())


def test_what_is_written(finished: Path) -> None:
    result = read(finished)
    assert (result.half, result.seeds, result.markets) == ("design", 3, 3)
    assert [own.policy for own in result.overall] == ["all_hard", "power_law"]
    world = result.worlds[0]
    all_hard = world.policies[0]
    # The grid holds the mix of all hard, in the same markets.
    assert all_hard.accuracy == pytest.approx(world.all_hard)
    assert all_hard.regret == pytest.approx(world.best - world.all_hard)
    assert all_hard.easy_spend == 0
    assert not (finished / "held_out.jsonl").exists()
    rows = list(csv.DictReader((finished / "backtest.csv").open()))
    assert [row["policy"] for row in rows] == ["all_hard", "power_law"]
    assert float(rows[0]["regret"]) == pytest.approx(all_hard.regret)
    assert rows[0]["transfer"] == str(world.parameters["transfer"])


def test_what_is_simulated_is_not_told_as_done(finished: Path) -> None:
    shown = (finished / "shown.txt").read_text(encoding="utf-8")
    assert "'buys'" in shown and told_as_done(shown) == []
    assert told_as_done(json.loads((finished / "backtest.json").read_text())) == []


def test_it_goes_on_where_it_was(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (finished / "backtest.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 4  # the first says the version of the file
    (tmp_path / "backtest.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:50])

    def never(*_: object) -> None:
        raise AssertionError("the truth is there already")

    monkeypatch.setattr(play_world, "grid_mixes", never)
    assert backtest(tmp_path, *QUICK).exit_code == 0
    again, whole = read(tmp_path), read(finished)
    assert len((tmp_path / "backtest.jsonl").read_bytes().splitlines()) == 4
    for one, other in zip(again.worlds[0].policies, whole.worlds[0].policies, strict=True):
        timeless = {"seconds_per_campaign"}
        assert one.model_dump(exclude=timeless) == other.model_dump(exclude=timeless)


def test_json_for_machines(finished: Path) -> None:
    result = backtest(finished, *QUICK, "--json")
    assert json.loads(result.stdout) == json.loads((finished / "backtest.json").read_text())


def test_a_table_for_people(finished: Path) -> None:
    text = backtest(finished, *QUICK).stdout
    assert "1 design worlds, 3 campaigns each" in text
    assert "all_hard" in text
    assert "Mean regret by what is the best buy" in text


def test_a_look_at_the_held_out_half_is_noted(tmp_path: Path) -> None:
    for _ in range(2):
        quick = ("--count", "1", "--seeds", "2", "--policies", "all_hard")
        assert backtest(tmp_path, *quick, "--held-out").exit_code == 0
    result = read(tmp_path)
    assert result.half == "held_out"
    notes = [json.loads(line) for line in (tmp_path / "held_out.jsonl").read_text().splitlines()]
    assert [note["worlds"] for note in notes] == [[result.worlds[0].name]] * 2
    assert notes[0]["policies"] == ["all_hard"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--worlds", "mars"), "worlds 'mars' are unknown"),
        (("--worlds", "generated,"), "--worlds should be names with commas"),
        (("--policies", "oracle"), "policy 'oracle' is unknown"),
        (("--policies", ""), "--policies should be names with commas between them"),
        (("--penalty", "none"), "penalty rule 'none' is unknown"),
        (("--method", "forest"), "--method 'forest' is unknown; choose one of probe, qlora"),
        (("--method", "qlora"), "worlds 'generated' have no texts for adapters"),
        (("--count", "0"), "--count should be 1 to 10000; got 0"),
        (("--seeds", "1"), "--seeds should be at least 2; got 1"),
        (("--seeds", "4", "--markets", "5"), "--markets should be 1 to --seeds 4; got 5"),
        (("--data-dir", "no/such/folder"), "--data-dir no/such/folder: no such folder"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = backtest(tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("labelmix: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    """And go on from what one process had found."""
    quick = ("--count", "2", "--seeds", "3", "--policies", "planner,all_hard")
    journals = [tmp_path / name / "backtest.jsonl" for name in ("one", "two")]
    assert backtest(tmp_path / "one", *quick).exit_code == 0
    head, *found = journals[0].read_text().splitlines(keepends=True)
    assert len(found) == 6
    journals[1].parent.mkdir()
    journals[1].write_text("".join([head, *found[:2]]))
    assert backtest(tmp_path / "two", *quick, "--workers", "2").exit_code == 0
    one, two = (read(tmp_path / name) for name in ("one", "two"))
    assert [world.name for world in two.worlds] == [world.name for world in one.worlds]
    for here, there in zip(one.worlds, two.worlds, strict=True):
        assert here.best_mix == there.best_mix
        for own, other in zip(here.policies, there.policies, strict=True):
            timeless = {"seconds_per_campaign"}
            assert own.model_dump(exclude=timeless) == other.model_dump(exclude=timeless)
    # Both keep the same rows, whoever has written them; what was there is not written again.
    again = journals[1].read_text().splitlines(keepends=True)[1:]
    assert again[:2] == found[:2]
    keys = [sorted(json.loads(line)["key"] for line in lines) for lines in (found, again)]
    assert keys[0] == keys[1]


def test_a_number_of_processes_out_of_range(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["backtest", "--workers", "0", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--workers should be 1 to 256; got 0." in result.stderr
