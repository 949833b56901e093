"""What a killed process left unfinished goes with the next write of the same file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from annotation.label_studio.state import PilotState
from annotation.leftovers import unfinished_ending
from annotation.whole_files import whole_file

WRITE = """
import sys, time
from pathlib import Path
from annotation.whole_files import whole_file
with whole_file(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    print("half written", flush=True)
    time.sleep(60)
"""


def begun(path: Path) -> "subprocess.Popen[bytes]":
    """A process that is in the middle of writing."""
    command = [sys.executable, "-c", WRITE, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half written\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    with begun(path) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2
    assert path.read_text() == "old"
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
    assert names(tmp_path) == ["result.json"]
    assert path.read_text() == "new"


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with begun(path) as process:
        with whole_file(path) as unfinished:
            unfinished.write_text("new")
        assert len(names(tmp_path)) == 2
        process.terminate()


def test_what_another_machine_writes_stays_for_a_day(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    foreign = tmp_path / ".a.csv.zzzz-1.part"
    foreign.touch()
    for hours, stays in ((1, True), (25, False)):
        then = time.time() - 3600 * hours
        os.utime(foreign, (then, then))
        with whole_file(path) as unfinished:
            unfinished.write_text("new")
        assert foreign.exists() == stays


def test_other_files_stay(tmp_path: Path) -> None:
    ending = unfinished_ending(2**22 + 1)  # a number that no process has
    others = [f".b.csv{ending}", f"a.csv{ending}", ".a.csv.part", ".a.csv", f".a.csv{ending}.txt"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f".a.csv{ending}").touch()
    with whole_file(tmp_path / "a.csv") as unfinished:
        unfinished.write_text("new")
    assert names(tmp_path) == sorted(["a.csv", *others])


def test_a_pilot_s_state_leaves_nothing_either(tmp_path: Path) -> None:
    left = tmp_path / f".pilot.sqlite.abcd{unfinished_ending(2**22 + 1)}"
    left.touch()
    PilotState(tmp_path / "pilot.sqlite").close()
    assert names(tmp_path) == ["pilot.sqlite"]
