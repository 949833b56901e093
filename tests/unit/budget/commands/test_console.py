import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from annotation.errors import InputError, MachineError
from budget.commands.console import LineWatcher, guarded, progress_watcher, tell


@guarded
def double(number: int) -> int:
    """Twice a number."""
    if number < 0:
        raise InputError(f"the number should be at least 0; got {number}.")
    if number == 13:
        raise KeyboardInterrupt
    return 2 * number


def test_a_guarded_command_is_the_same_command() -> None:
    assert double(4) == 8
    assert (double.__name__, double.__doc__) == ("double", "Twice a number.")


def test_wrong_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        double(-1)
    assert left.value.exit_code == 2
    assert capsys.readouterr().err == "labelmix: the number should be at least 0; got -1.\n"


def test_an_interruption_says_that_it_can_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        double(13)
    assert left.value.exit_code == 130
    assert capsys.readouterr().err == (
        "labelmix: interrupted; what is done is kept, the same command goes on from there.\n"
    )


@guarded
def break_down(error: BaseException) -> None:
    raise error


FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (MachineError("x: is damaged."), 3, "x: is damaged."),
        (
            OSError(errno.ENOSPC, FULL, "a.npy"),
            3,
            f"a.npy: cannot be used: {FULL}; make room on its disk, then start again.",
        ),
        (
            OSError(errno.ENOSPC, FULL),
            3,
            f"the output: cannot be written: {FULL}; make room on its disk, then start again.",
        ),
        (
            sqlite3.DatabaseError("malformed"),
            3,
            "a file of results: malformed; the file is damaged; name another folder with --out.",
        ),
        (
            MemoryError(),
            3,
            "not enough memory; take fewer items or workers, or a smaller model.",
        ),
        (FileNotFoundError(errno.ENOENT, "gone", "a"), 2, "a: cannot be used: gone."),
    ],
)
def test_faults_of_the_machine_are_one_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    with pytest.raises(typer.Exit) as left:
        break_down(error)
    assert left.value.exit_code == code
    assert capsys.readouterr().err == f"labelmix: {line}\n"


def test_a_pipe_that_nobody_reads_is_left_without_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as left:
        break_down(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert left.value.exit_code == 141
    assert capsys.readouterr().err == ""


def labelmix(arguments: str, redirect: str) -> "subprocess.CompletedProcess[str]":
    code = "from budget.commands.app import main; main()"
    command = f"{sys.executable} -c '{code}' {arguments} {redirect}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[4],
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "--version", "hardness --list --json"])
def test_output_that_does_not_arrive_is_told(arguments: str) -> None:
    ended = labelmix(arguments, "> /dev/full")
    assert ended.returncode == 3
    assert ended.stderr.startswith("labelmix: the output: cannot be written: No space left")
    assert ended.stderr.count("\n") == 1


def test_output_that_nobody_reads_ends_quietly() -> None:
    ended = labelmix("hardness --list --json", "| true")
    assert ended.stderr == ""
    assert ended.returncode in (0, 141)  # 0 where all was taken before the reader was gone


def test_a_result_for_machines_or_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    class Found(BaseModel):
        labels: int

    for as_json in (True, False):
        tell(Found(labels=3), as_json, lambda found: typer.echo(f"{found.labels} labels"))
    assert capsys.readouterr().out == '{\n  "labels": 3\n}\n3 labels\n'


def test_progress_in_a_log_is_told_at_every_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_watcher() as watcher:
        watcher.stage("trials", 8)
        for _ in range(8):
            watcher.advance()
    told = capsys.readouterr().err.splitlines()
    assert told == [f"trials: {done}/8" for done in (0, 2, 4, 6, 8)]


def test_lines_of_a_long_stage_tell_rate_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    watcher = LineWatcher(lambda: now[0])

    def after(seconds: float, steps: int) -> str:
        now[0] += seconds
        watcher.advance(steps)
        return capsys.readouterr().err.strip()

    watcher.stage("reading items", 600)
    assert capsys.readouterr().err == "reading items: 0/600\n"
    assert after(10, 10) == ""  # neither a quarter nor a minute
    assert after(50, 50) == "reading items: 60/600, 1.0 a second, about 9 minutes left"
    assert after(40, 140) == "reading items: 200/600, 2.0 a second, about 3 minutes left"
    assert after(100, 390) == "reading items: 590/600, 3.0 a second, about 3 seconds left"
    assert after(5, 10) == "reading items: 600/600"
    watcher.stage("chain of thought", 40)
    capsys.readouterr()
    assert after(600, 2) == "chain of thought: 2/40, 0.2 a minute, about 3.2 hours left"


def test_lines_of_a_short_stage_stay_short(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = LineWatcher(lambda: 0.0)
    watcher.stage("zero-shot", 4)
    watcher.advance(2)
    assert capsys.readouterr().err.splitlines() == ["zero-shot: 0/4", "zero-shot: 2/4"]
