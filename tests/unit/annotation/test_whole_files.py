import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from annotation.whole_files import append_line, check_folder, not_an_input, whole_file


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write(tmp_path / "t.txt", "old")

    def interrupted() -> None:
        with whole_file(path) as unfinished:
            unfinished.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_an_absent_folder_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "t.txt"
    with whole_file(path) as unfinished:
        unfinished.write_text("x")
    assert path.read_text() == "x"


def test_writing_into_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match=r"t\.txt: cannot be written: "),
        whole_file(tmp_path / "file" / "t.txt") as unfinished,
    ):
        unfinished.write_text("x")


def test_an_output_is_no_input(tmp_path: Path) -> None:
    data = write(tmp_path / "data.csv", "a\n1\n")
    (tmp_path / "link.csv").symlink_to(data)
    (tmp_path / "hard.csv").hardlink_to(data)
    for name in ("data.csv", "link.csv", "hard.csv"):
        with pytest.raises(InputError, match=f"{name}: is an input and would be overwritten; "):
            not_an_input(tmp_path / name, [None, data])
    not_an_input(tmp_path / "new.csv", [None, data])
    not_an_input(None, [data])
    with pytest.raises(InputError, match=r"absent\.csv: is an input"):
        not_an_input(tmp_path / "absent.csv", [tmp_path / "absent.csv"])


def test_a_folder_for_results_is_checked_and_not_made(tmp_path: Path) -> None:
    check_folder(tmp_path)
    check_folder(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(InputError, match=r"file is a file; give another --out"):
            check_folder(path)


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """`small_files(bytes)`: from here on no file may grow beyond; stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails with EFBIG
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_is_full_leaves_the_old_file(
    tmp_path: Path, small_files: Callable[[int], None]
) -> None:
    path = write(tmp_path / "t.json", "old")
    small_files(1000)
    with (
        pytest.raises(MachineError, match=r"t\.json: cannot be written: File too large; "),
        whole_file(path) as unfinished,
    ):
        unfinished.write_bytes(b"x" * 5000)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_is_added_whole_or_not_at_all(
    tmp_path: Path, small_files: Callable[[int], None]
) -> None:
    path = tmp_path / "new" / "t.jsonl"
    append_line(path, "é" * 100)
    append_line(path, "b" * 100)
    before = path.read_bytes()
    assert before.decode() == "é" * 100 + "\n" + "b" * 100 + "\n"
    small_files(500)
    with pytest.raises(MachineError, match=r"t\.jsonl: cannot be written: File too large; "):
        append_line(path, "c" * 300)
    assert path.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full")
def test_a_device_stays_a_device() -> None:
    full = Path("/dev/full")
    with (
        pytest.raises(MachineError, match=r"/dev/full: cannot be written: No space left"),
        whole_file(full) as unfinished,
    ):
        unfinished.write_text("a")
    assert full.is_char_device()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(pipe) as unfinished:
        unfinished.write_text("a")
    assert os.read(reader, 10) == b"a"
    os.close(reader)
    assert pipe.is_fifo()
