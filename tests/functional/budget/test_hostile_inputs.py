"""Inputs that are broken in any way: one line, exit code 2, nothing half-written, no hang.

LABELMIX_MUTATIONS says how many mutations of every input are tried (default 8; 500 is thorough).
"""

import os
import random
import re
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
from typer.models import ArgumentInfo
from typer.testing import CliRunner

from annotation.items.read import load_tabular
from annotation.truth.label_file import read_labels, training_posteriors
from budget.commands.app import app
from budget.commands.console import guarded
from budget.config.prepare import prepare
from budget.worlds.real import text_items
from tests.functional.budget.readers import READERS, STATE, Reader

MUTATIONS = int(os.environ.get("LABELMIX_MUTATIONS", "8"))
SECONDS = 10
NEVER_REFUSED = ("instructions", "collection's instructions")  # which may be any text
_MILD = 8  # times as many mutations at most, where none of the first was refused
LONGEST_LINE = 2_000
# What a terminal would obey: controls but tab and line end, and marks that turn text around.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class HangError(BaseException):
    """A command is still at work; no exception that any code would catch."""


@dataclass
class Outcome:
    """What a command did with one mutated input."""

    code: int
    trouble: str = ""


direct = typer.Typer()  # readers that commands reach only after long work, or never


@direct.command()
@guarded
def labels(path: Path) -> None:
    """As who trains on labels reads them."""
    training_posteriors(read_labels(path), load_tabular("items.jsonl"))


@direct.command()
@guarded
def texts(folder: Path) -> None:
    """As a backtest reads the texts of its worlds."""
    text_items("trec", folder, Path("features"))


def outcome(reader: Reader, folder: Path, content: bytes) -> Outcome:
    """Run the command on `content` in the mutated file's place."""
    for kept in ("out", "features", "pilot"):
        shutil.rmtree(folder / kept, ignore_errors=True)
    for file, own in reader.files.items():
        if file.startswith("little/"):  # a step changes it
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(own)
    (folder / reader.mutated).parent.mkdir(exist_ok=True)
    (folder / reader.mutated).write_bytes(content)
    before = contents(folder)
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)  # of this process's own work
    try:
        chosen = direct if reader.command[0] in ("labels", "texts") else app
        result = CliRunner().invoke(chosen, reader.command, prog_name="labelmix")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    seconds = time.process_time() - started
    new = [path for path, own in contents(folder).items() if before.get(path) != own]
    return Outcome(result.exit_code, _trouble(result, seconds, new))


def contents(folder: Path) -> dict[Path, bytes]:
    """Of every file but locks, which stay, and a pilot's state, which is its own judge."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    passing = (".labelmix.lock", Path(STATE).name)
    return {path: path.read_bytes() for path in paths if not path.name.endswith(passing)}


def _trouble(result: Any, seconds: float, new: list[Path]) -> str:
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        last = traceback.extract_tb(error.__traceback__)
        own = [f for f in last if "/site-packages/" not in f.filename]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
        return f"{type(error).__name__} at {place}: {str(error)[:200]}"
    if result.exit_code not in (0, 2, 3):
        return f"exit code {result.exit_code}"
    if seconds > SECONDS:
        return f"took {seconds:.0f} s"
    for stream in (result.stdout, result.stderr):
        if found := OBEYED.search(stream):
            around = stream[max(0, found.start() - 40) : found.end() + 20]
            return f"the terminal would obey {found[0]!r} in {around!r}"
        if "Traceback" in stream:
            return "a traceback is printed"
    if result.exit_code:
        lines = result.stderr.rstrip("\n").split("\n")
        said = [line for line in lines if line.startswith("labelmix: ")]
        if len(said) != 1 or not lines[-1].startswith("labelmix: "):
            return f"not one line: {result.stderr[-300:]!r}"
        if len(said[0]) > LONGEST_LINE:
            return f"a line of {len(said[0])} characters: {said[0][:100]}"
        if new:
            return f"left or changed {', '.join(sorted(p.name for p in new))}"
    elif any(p.name.endswith(".part") for p in new):
        return "left an unfinished file"
    return ""


def mutations(reader: Reader, name: str) -> Iterator[bytes]:
    """Broken inputs without end, the same ones every time."""
    content = reader.files[reader.mutated]
    for number in count():
        rng = random.Random(f"{name} {number}")
        yield reader.ways[number % len(reader.ways)](rng, content)


@pytest.fixture(autouse=True)
def _checked_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that train stop behind all checks of their input."""

    def checked(config: Any, *_: Any, **__: Any) -> None:
        prepare(config)
        raise SystemExit(0)

    def stop(*_: Any, **__: Any) -> None:
        raise SystemExit(0)

    def hang(*_: Any) -> None:
        raise HangError

    signal.signal(signal.SIGVTALRM, hang)
    monkeypatch.setattr("budget.campaign.run.run_campaign", checked)
    monkeypatch.setattr("analysis.single_trial.run_single_trial", stop)
    monkeypatch.setattr("analysis.curves.run.run_curves", stop)
    monkeypatch.setattr("budget.replay.run.played_again", stop)


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_input_is_read_or_refused_in_one_line(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    results: dict[str, bytes],
    little: dict[str, bytes],
    studio: bytes,
) -> None:
    reader = replace(READERS[name], files={**READERS[name].files, **results})
    if "little" in reader.command:
        reader.files.update(little)
    if reader.mutated == STATE:
        reader.files[STATE] = studio
    for file, content in reader.files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert outcome(reader, tmp_path, reader.files[reader.mutated]) == Outcome(0)
    wrong: dict[int, str] = {}
    refused = 0
    for number, content in enumerate(mutations(reader, name)):
        # A few may all be mild; then it goes on to the first that is refused.
        if number >= (MUTATIONS if refused or name in NEVER_REFUSED else _MILD * MUTATIONS):
            break
        found = outcome(reader, tmp_path, content)
        refused += found.code != 0
        if found.trouble:
            wrong[number] = found.trouble
    told = "\n".join(f"{number}: {trouble}" for number, trouble in wrong.items())
    assert not wrong, f"{name}: {len(wrong)} of {MUTATIONS} ({refused} refused)\n{told}"
    if name not in NEVER_REFUSED:
        assert refused  # otherwise the mutations are too mild to show anything


# Options whose files are written; what is kept and read again is changed in test_kept_files.py.
WRITTEN = {"out", "ask_out", "truth", "figure", "features", "suppliers_out", "labels_out"}
WRITTEN |= {
    "html of judgments report",
    "path of init",
    *(f"judgments of labelstudio {name}" for name in ("pull", "watch")),
}
# A backtest plays for long: what it reads from there are "texts of a backtest", and sources.
READ_ELSEWHERE = {"data_dir of backtest"}
# A page is served until it is ended; its own tests break what it reads. A configuration of judged
# items is read as that of a run is, before anything long begins.
READ_ELSEWHERE |= {f"{name} of app" for name in ("folders", "suppliers", "token_file")}
READ_ELSEWHERE |= {"judged of reproduce"}
# A key is read where something is sent, which these commands never are.
READ_ELSEWHERE |= {"key_file of suppliers llm"}
WRITTEN |= {"folder of collect new"}


def commands(of: typer.Typer, before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """All commands by their words."""
    for command in of.registered_commands:
        assert command.callback is not None
        yield before + (command.name or command.callback.__name__), command.callback
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, f"{before}{group.name} ")


def paths_of(command: Callable[..., Any]) -> dict[str, Any]:
    """Names of parameters that hold paths, with what they are declared by."""
    hints = get_type_hints(command, include_extras=True)
    return {name: own for name, own in hints.items() if "Path" in str(get_args(own)[:1])}


def mutated_options(reader: Reader, name: str, command: Callable[..., Any]) -> set[str]:
    """Parameters of the command whose file, or a file in whose folder, the reader mutates."""
    words = reader.command[len(name.split()) :]
    hints = get_type_hints(command, include_extras=True)
    arguments = [
        own for own, hint in hints.items() if isinstance((0, *get_args(hint))[-1], ArgumentInfo)
    ]
    found, waiting = set(), iter(arguments)
    for number, word in enumerate(words):
        is_option = number > 0 and words[number - 1].startswith("--")
        if word.startswith("--") or (is_option and bool in get_args(hints[key(words[number - 1])])):
            continue
        option = key(words[number - 1]) if is_option else next(waiting)
        if Path(reader.mutated).is_relative_to(word):
            found.add(option)
    return found


def key(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def test_every_file_that_a_command_reads_is_mutated() -> None:
    """An option that commands share is read by shared code, and mutated once."""
    known = dict(commands(app))
    covered: list[Any] = []
    for reader in READERS.values():
        for name, command in known.items():
            if reader.command[: len(name.split())] == name.split():
                options = mutated_options(reader, name, command)
                covered += [paths_of(command)[own] for own in options if own in paths_of(command)]
    missing = [
        f"{name}: {option}"
        for name, command in known.items()
        for option, hint in paths_of(command).items()
        if not any(hint == own for own in covered)
        and not {option, f"{option} of {name}"} & (WRITTEN | READ_ELSEWHERE)
    ]
    assert not missing
