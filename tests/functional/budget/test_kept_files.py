"""A kept file that was damaged is refused in one line or made again, never read as if sound.

Every file that is kept and read again is changed in many ways: bytes, blocks of zeros, cut, empty,
another file, a folder. A command then gives what it gave before, or ends with exit code 2 or 3 and
one line. LABELMIX_MUTATIONS says how many changes of each file are tried.
"""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from annotation.errors import InputError
from annotation.label_studio.answers import Judgment
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.pull import judgment_table
from annotation.label_studio.state import PilotState
from annotation.locks import exclusive
from budget.commands.app import app
from budget.commands.labelstudio_session import opened_state

MUTATIONS = int(os.environ.get("LABELMIX_MUTATIONS", "18"))
LONGEST = 60.0  # seconds, on a machine that others use too: what hangs takes for ever
TIMES = {"timing", "seconds", "seconds_per_campaign", "truth_seconds"}

CONFIG = """
name = "kept"

[items]
source = "workshop"
size = 400

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[model]
path = "pico"

[methods]
plan_with = "probe"

[annotators.hard]
cost = 2

[budget]
total = 60

[pilot]
labels = 16
fractions = [0.5, 1.0]
seeds = 2
borrow = false

[test]
items = 50
other_items = 30

[evaluation]
seeds = 2
"""

Change = Callable[[Path, np.random.Generator], None]


def another_byte(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    place = int(rng.integers(len(content)))
    content[place] = (content[place] + int(rng.integers(1, 256))) % 256
    path.write_bytes(content)


def zeros(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    length = int(rng.integers(1, 1 + min(4096, len(content))))
    start = int(rng.integers(len(content) - length + 1))
    content[start : start + length] = bytes(length)
    path.write_bytes(content)


def noise(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    length = int(rng.integers(1, 1 + min(64, len(content))))
    start = int(rng.integers(len(content) - length + 1))
    content[start : start + length] = rng.bytes(length)
    path.write_bytes(content)


def moved(path: Path, rng: np.random.Generator) -> None:
    """A block stands where another should, as after a write to the wrong place."""
    content = bytearray(path.read_bytes())
    length = int(rng.integers(1, 1 + min(4096, len(content) // 2)))
    source, target = (int(rng.integers(len(content) - length + 1)) for _ in range(2))
    content[target : target + length] = content[source : source + length]
    path.write_bytes(content)


def cut(path: Path, rng: np.random.Generator) -> None:
    os.truncate(path, int(rng.integers(path.stat().st_size)))


def one_byte_short(path: Path, _: np.random.Generator) -> None:
    os.truncate(path, path.stat().st_size - 1)


def half(path: Path, _: np.random.Generator) -> None:
    os.truncate(path, path.stat().st_size // 2)


def longer(path: Path, rng: np.random.Generator) -> None:
    with path.open("ab") as file:
        file.write(rng.bytes(int(rng.integers(1, 100))))


def empty(path: Path, _: np.random.Generator) -> None:
    os.truncate(path, 0)


def all_zeros(path: Path, _: np.random.Generator) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def gone(path: Path, _: np.random.Generator) -> None:
    path.unlink()


def a_folder(path: Path, _: np.random.Generator) -> None:
    path.unlink()
    path.mkdir()


def another_file(path: Path, _: np.random.Generator) -> None:
    path.write_text("my notes\n" * 1000, encoding="utf-8")


def of_tomorrow(path: Path, _: np.random.Generator) -> None:
    """A newer version wrote it."""
    content = path.read_bytes()
    if content.startswith(b"SQLite"):  # where SQLite keeps `user_version`
        changed = content[:60] + (9).to_bytes(4, "big") + content[64:]
    else:
        changed = content
        for mark in (b'"version": 1', b'"schema_version": 1', b'"labelmix_journal": 1'):
            changed = changed.replace(mark, mark[:-1] + b"9", 1)
    path.write_bytes(changed)


ONCE: tuple[Change, ...] = (
    one_byte_short, half, longer, empty, all_zeros, gone, a_folder, another_file, of_tomorrow,
)  # fmt: skip
OFTEN: tuple[Change, ...] = (another_byte, another_byte, zeros, noise, moved, cut)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its result, or what it said instead."""

    result: Any
    code: int
    told: str


@dataclass(frozen=True)
class Kept:
    """A file that is kept, in a folder, and what reads it."""

    folder: Path
    name: str  # a pattern within the folder
    use: Callable[[Path], Ended]


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: timeless(own) for name, own in value.items() if name not in TIMES}
    return [timeless(own) for own in value] if isinstance(value, list) else value


def called(*words: str | Path) -> Ended:
    found: Result = CliRunner().invoke(app, [*map(str, words), "--json"])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    result = timeless(json.loads(found.stdout)) if found.exit_code == 0 else None
    lines = [line for line in found.stderr.splitlines() if line.startswith("labelmix: ")]
    return Ended(result, found.exit_code, "\n".join(lines))


def state_read(folder: Path) -> Ended:
    """As `labelmix labelstudio pull` reads it, which needs a server for the rest."""
    try:
        with opened_state(folder / "label_studio.sqlite", new=False) as state:
            table = judgment_table(state)
            return Ended((table.to_csv(), state.gold(), state.about("title")), 0, "")
    except InputError as error:
        return Ended(None, error.exit_code, f"labelmix: {error}")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """What every command keeps, once."""
    base = tmp_path_factory.mktemp("kept")
    config = base / "task.toml"
    config.write_text(CONFIG, encoding="utf-8")
    run, backtest, pilot = base / "run", base / "backtest", base / "pilot"
    quick = ("--count", "1", "--seeds", "3", "--policies", "all_hard,all_easy")

    def run_again(folder: Path) -> Ended:
        return called("run", config, "--out", folder)

    def another_trial(folder: Path) -> Ended:
        shutil.rmtree(folder / "other", ignore_errors=True)
        (folder / "other").mkdir()
        (folder / "other" / "features").symlink_to(folder / "features")
        words = ("--method", "probe", "--labels", "easy=12", "--labels", "hard=9", "--seeds", "1")
        return called("trial", config, *words, "--out", folder / "other")

    def plan(folder: Path) -> Ended:
        return called("plan", folder, "--budget", "90")

    def backtest_again(folder: Path) -> Ended:
        return called("backtest", *quick, "--out", folder)

    assert run_again(run).code == 0
    assert another_trial(run).code == 0  # so that all of its features are kept
    assert backtest_again(backtest).code == 0
    _fill_pilot(pilot / "label_studio.sqlite")
    return {
        "trials": Kept(run, "trials.sqlite", run_again),
        "features": Kept(run, "features/*/rows.float32", another_trial),
        "record of features": Kept(run, "features/*/record", another_trial),
        "result": Kept(run, "result.json", plan),
        "journal": Kept(backtest, "backtest.jsonl", backtest_again),
        "pilot": Kept(pilot, "label_studio.sqlite", state_read),
    }


def _fill_pilot(path: Path) -> None:
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    with PilotState(path) as state, state.transaction():
        state.remember(title="Pilot", url="http://localhost:8080", project="7")
        state.remember_users({1: "ann@example.org", 2: "bob@example.org"})
        for number in range(60):
            gold = "yes" if number % 5 == 0 else None
            task = PilotTask(
                f"item {number}", "easy", f"is {number} a number?", ("no", "yes"), gold
            )
            state.remember_pilot([task])
            judgments = [
                Judgment(10 * number + who, who, ("no", "yes")[number % 2], 3.5, noon, noon, False)
                for who in (1, 2)
            ]
            state.apply_task(number, task.item_id, task.stratum, noon, 1, judgments)


NAMES = ("trials", "features", "record of features", "result", "journal", "pilot")


def exit_codes(own: Kept, folder: Path, mutations: int, seed: int) -> Counter[int]:
    """Change a file in so many ways, use it each time and look at how that ends; counts of codes.

    Raises AssertionError for anything that is neither the sound result nor one line.
    """
    shutil.copytree(own.folder, folder)
    sound = own.use(folder)
    assert sound.code == 0
    rng = np.random.default_rng(seed)
    drawn = [OFTEN[number % len(OFTEN)] for number in range(mutations - len(ONCE))]
    codes: Counter[int] = Counter()
    for change in [*ONCE, *drawn]:
        shutil.rmtree(folder)
        shutil.copytree(own.folder, folder)
        paths = sorted(folder.glob(own.name))  # of several prompts, each has one
        assert paths
        before = [path.read_bytes() for path in paths]
        for path in paths:
            change(path, rng)
        if [path.read_bytes() if path.is_file() else None for path in paths] == before:
            continue
        what = f"{own.name}: {change.__name__}, {codes.total()} before it"
        started = time.perf_counter()
        try:
            ended = own.use(folder)
        except Exception as error:
            raise AssertionError(what) from error
        assert time.perf_counter() - started < LONGEST, what
        codes[ended.code] += 1
        if ended.code == 0:
            assert ended.result == sound.result, what
        else:
            assert ended.code in (2, 3), f"{what}: {ended.code}"
            assert ended.told.startswith("labelmix: "), what
            assert "\n" not in ended.told, what
            assert str(folder) in ended.told, f"{what}: {ended.told}"  # it names the file
    return codes


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_refused_or_mended(kept: dict[str, Kept], tmp_path: Path, name: str) -> None:
    codes = exit_codes(kept[name], tmp_path / "copy", MUTATIONS, NAMES.index(name))
    if "features" not in name:  # those are made again, but for what stands in their place
        assert codes[2] + codes[3] > codes.total() / 3


@pytest.mark.parametrize("name", ["trials", "features", "journal"])
def test_a_folder_in_use_is_left_alone(kept: dict[str, Kept], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(kept[name].folder, folder)
    if name == "features":  # its trials stand in a folder of their own, the features are shared
        held = [path for path in (folder / "features").iterdir() if path.is_dir()]
        for path in held:  # of features and of scores, by each prompt that was tried
            (path / "record").unlink(missing_ok=True)
    else:
        held = [folder]
    with ExitStack() as stack:
        for path in held:
            stack.enter_context(exclusive(path, "another command"))
        ended = kept[name].use(folder)
    assert ended.code == 2
    assert "is in use by 'another command' (process " in ended.told
    assert kept[name].use(folder).code == 0
