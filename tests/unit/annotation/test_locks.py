import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.locks import HOLDER, FolderInUseError, exclusive

HOLD = """
import sys, time
from pathlib import Path
from annotation.locks import exclusive
with exclusive(Path(sys.argv[1]), "labelmix run"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    process = hold(folder)
    try:
        with pytest.raises(FolderInUseError) as caught, exclusive(folder, "labelmix push"):
            raise AssertionError("two processes in one folder")
    finally:
        process.kill()
        process.communicate()
    line = str(caught.value)
    assert line.startswith(f"{folder}: is in use by 'labelmix run' (process {process.pid} on ")
    assert f"on {socket.gethostname()}, since 2" in line
    assert line.endswith(" UTC); wait until it has ended, or name another folder.")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_gone_holds_nothing(tmp_path: Path, how: signal.Signals) -> None:
    process = hold(tmp_path)
    process.send_signal(how)
    process.communicate()
    with exclusive(tmp_path, "labelmix push"):
        assert str(os.getpid()) in (tmp_path / HOLDER).read_text()
    assert not (tmp_path / HOLDER).exists()


def test_a_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive(tmp_path, "one"):
        raise KeyError
    with exclusive(tmp_path, "two"):
        pass


def test_one_process_cannot_take_a_folder_twice(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path, "one"),
        pytest.raises(FolderInUseError, match=f"'one' \\(process {os.getpid()} on "),
        exclusive(tmp_path, "two"),
    ):
        pass


@pytest.mark.parametrize(
    "note", ["", "[1]", "{", "[" * 1900, '{"process": "x"}', "\x00", '{"process": 1e999}']
)
def test_a_note_that_cannot_be_read_names_nobody(tmp_path: Path, note: str) -> None:
    with exclusive(tmp_path, "one"):
        (tmp_path / HOLDER).write_text(note)
        with (
            pytest.raises(FolderInUseError, match="is in use by another process; read it"),
            exclusive(tmp_path, "two", remedy="read it"),
        ):
            pass


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="file: cannot be locked for one process: "),
        exclusive(tmp_path / "file", "one"),
    ):
        pass


def _enter(folder: Path, barrier: Barrier) -> None:
    barrier.wait()
    try:
        with exclusive(folder, "one"):
            with (folder / "inside").open("x"):
                pass
            barrier.wait()  # until all have tried
            (folder / "inside").unlink()
    except FolderInUseError:
        barrier.wait()
        sys.exit(2)


def test_of_many_at_once_one_gets_in(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        barrier = context.Barrier(4)
        people = [context.Process(target=_enter, args=(tmp_path, barrier)) for _ in range(4)]
        for one in people:
            one.start()
        for one in people:
            one.join()
        assert sorted(one.exitcode or 0 for one in people) == [0, 2, 2, 2]
