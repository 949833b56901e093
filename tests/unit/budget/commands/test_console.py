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
from budget.commands.console import guarded, tell


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
