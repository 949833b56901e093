import gzip
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError, MachineError
from annotation.files import (
    append_line,
    check_folder,
    not_an_input,
    read_json,
    read_records,
    whole_file,
)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_jsonl(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '\ufeff{"a": 1}\n\n{"a": "é\u2028", "b": null}\n')
    assert read_records(path) == [{"a": 1}, {"a": "é\u2028", "b": None}]


def test_csv_values_are_texts(tmp_path: Path) -> None:
    path = write(tmp_path / "t.CSV", '\ufeffa,b\r\n007,"x, ""y""\nz"\r\n\r\nNA,\r\n')
    assert read_records(path) == [{"a": "007", "b": 'x, "y"\nz'}, {"a": "NA", "b": ""}]


@pytest.mark.parametrize("rows", [0, 262_142])  # there, a block ends within
def test_a_cell_that_no_spreadsheet_runs_is_read_without_its_apostrophe(
    tmp_path: Path, rows: int
) -> None:
    text = "\ufeffa,b\n" + "x,y\n" * rows + "xx,'=1\n"
    write(tmp_path / "t.csv.gz", gzip.compress(text.encode()))
    assert read_records(write(tmp_path / "t.csv", text))[-1] == {"a": "xx", "b": "=1"}
    assert read_records(tmp_path / "t.csv.gz")[-1] == {"a": "xx", "b": "=1"}


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, None], "b": [["x"], []]}), tmp_path / "t.parquet")
    assert read_records(tmp_path / "t.parquet") == [{"a": 1, "b": ["x"]}, {"a": None, "b": []}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", '{"a": 1}\n\n{"a": \n', "t.jsonl: line 3 is not JSON: Expecting value"),
        ("t.jsonl", '{"a": 1}\n[1]\n', "t.jsonl: line 2 should be a JSON object"),
        ("t.jsonl", "[" * 100_000, "t.jsonl: line 1 cannot be read"),
        ("t.jsonl", b'{"a": "\xff"}\n', "t.jsonl: is not UTF-8 text (byte 7)"),
        ("t.csv", "a,b\n1,2\n1,2,3\n", "t.csv: line 3 has 3 values, the header has 2"),
        ("t.csv", 'a,b\n1,"2\n', "t.csv: line 2 is not CSV"),
        ("t.csv", "a,b,a\n", "t.csv: column 'a' occurs twice in the header"),
        ("t.parquet", "no parquet", "t.parquet: is not a Parquet file"),
        ("t.parquet", "", "t.parquet: is not a Parquet file"),
        ("t.xlsx", "", "t.xlsx: unknown kind of file '.xlsx'; give one of .jsonl, .csv, .parquet"),
        ("t", "", "unknown kind of file ''"),
    ],
)
def test_malformed_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_records(write(tmp_path / name, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_absent_and_unreadable_files(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=f"absent{suffix}: no such file"):
        read_records(tmp_path / f"absent{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match=f"folder{suffix}: cannot be read: Is a directory"):
        read_records(tmp_path / f"folder{suffix}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", "{}")
    path.chmod(0)
    with pytest.raises(InputError, match=r"t\.jsonl: cannot be read: Permission denied"):
        read_records(path)


def test_json_document(tmp_path: Path) -> None:
    assert read_json(write(tmp_path / "t.json", '{"a": [1]}')) == {"a": [1]}
    with pytest.raises(InputError, match=r"t\.json: line 2 is not JSON"):
        read_json(write(tmp_path / "t.json", '{"a":\n}'))
    with pytest.raises(InputError, match=r"t\.json: cannot be read"):
        read_json(write(tmp_path / "t.json", "[" * 100_000))
    with pytest.raises(InputError, match=r"absent\.json: no such file"):
        read_json(tmp_path / "absent.json")


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
