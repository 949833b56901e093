"""A full disk at every writer: one line, exit code 3, what stood there stands there whole.

The limit on how large files may be stands for the disk: every file that a command writes is, in
turn, the first that does not fit.
"""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from annotation.label_studio.state import PilotState
from budget.commands.app import app
from tests.functional.budget.readers import COLLECT, HARDNESS, PULLED, PUSH, READERS, REPORT, STATE

SIMULATED = ["judgments", "simulate", "out/pilot.csv", "--items", "easy=20"]
# What is written -> a reader whose files are there, and the command.
WRITERS: dict[str, tuple[str, list[str]]] = {
    "hardness": ("items.jsonl", ["hardness", "items.jsonl", *HARDNESS]),
    "hardness as a table": ("items.csv", ["hardness", "items.csv", "--out", "out/measured.csv"]),
    "hardness as Parquet": (
        "items.parquet",
        ["hardness", "items.parquet", "--out", "out/measured.parquet"],
    ),
    "terms, labels and suppliers": (
        "judgments.csv",
        ["judgments", "report", "judgments.csv", *REPORT],
    ),
    "labels as Parquet": (
        "judgments.csv",
        ["judgments", "report", "judgments.csv", "--labels-out", "out/labels.parquet"],
    ),
    "simulated judgments": ("items.jsonl", [*SIMULATED, "--truth", "out/truth.json"]),
    "push": ("predictions", PUSH),
    "pull": ("pilot pulled", ["labelstudio", "pull", "pilot", *PULLED]),
    "watch": ("pilot watched", ["labelstudio", "watch", "pilot", *PULLED]),
    "simulate": ("statements", READERS["statements"].command),
    "report": ("result reported", ["report", "page", "--out", "out/report.html"]),
    "pay sheet": (
        "judgments.csv",
        ["judgments", "pay", "judgments.csv", "--rate", "18", "--out", "out/pay.csv"],
    ),
    "collection": ("collection's items", COLLECT),
    "configuration": ("items.jsonl", ["init", "out/task.toml", "--force"]),
}


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails with EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def contents(folder: Path) -> dict[str, bytes]:
    """Of every file but locks."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in paths
        if path.name != ".labelmix.lock"
    }


def restored(folder: Path, files: dict[str, bytes]) -> None:
    for name in contents(folder):
        (folder / name).unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def called(command: list[str]) -> Result:
    return CliRunner().invoke(app, command, prog_name="labelmix")


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_whole_files(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    results: dict[str, bytes],
    studio: bytes,
) -> None:
    reader, command = WRITERS[name]
    monkeypatch.chdir(tmp_path)
    given = {**READERS[reader].files, **results}
    if READERS[reader].mutated == STATE:
        given[STATE] = studio
    restored(tmp_path, given)
    ended = called(command)
    assert ended.exit_code == 0, ended.output
    whole = contents(tmp_path)
    written = {own: content for own, content in whole.items() if given.get(own) != content}
    assert written
    old = given | {own: b"old" for own in written if own.startswith("out")}
    if name == "collection":  # which is never written over
        old = given
    sizes = {0, *(len(content) - 1 for own, content in written.items() if own != STATE)}
    if STATE in whole and STATE not in given:  # page by page, up to all of it
        sizes |= {*range(4096, len(whole[STATE]), 8192), len(whole[STATE]) - 1}
    for before in (given, old):
        for size in sorted(sizes):
            restored(tmp_path, before)
            with small_files(size):
                ended = called(command)
            told = f"{size}: {ended.exit_code} {ended.stderr!r} {ended.exception!r}"
            assert ended.exit_code == 3, told
            lines = ended.stderr.rstrip("\n").split("\n")
            assert [line[:10] for line in lines].count("labelmix: ") == 1, told
            for own, content in contents(tmp_path).items():
                if own == STATE:  # which holds as much as was done
                    PilotState(Path(own)).close()
                else:
                    assert content in (before.get(own), whole.get(own)), f"{told}: {own}"
    assert called(command).exit_code == 0
