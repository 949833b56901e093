import resource
import signal
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from budget.backtest.journal import Journal


def test_rows_are_there_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "done.jsonl"
    with Journal(path) as journal:
        assert journal.find("a") is None
        assert journal.add("a", {"mixes": [{"easy": 1}]}) == {"key": "a", "mixes": [{"easy": 1}]}
    with Journal(path) as journal:
        assert journal.find("a") == {"key": "a", "mixes": [{"easy": 1}]}


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_bytes(b'{"key": "a", "value": 1}\n{"key": "b", "val')
    with Journal(path) as journal:
        assert journal.find("b") is None
        journal.add("b", {"value": 2})
    with Journal(path) as journal:
        assert journal.find("a") == {"key": "a", "value": 1}
        assert journal.find("b") == {"key": "b", "value": 2}


def test_another_file_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text('{"key": "a"}\nmy notes\n')
    with pytest.raises(InputError, match="line 2 is no finished result"):
        Journal(path)
    assert path.read_text() == '{"key": "a"}\nmy notes\n'


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be made a folder: .* is a file"):
        Journal(tmp_path / "file" / "done.jsonl")


def test_a_text_without_an_end_is_not_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes")
    with pytest.raises(InputError, match="line 1 is no finished result"):
        Journal(path)
    assert path.read_text() == "my notes"


def filled(path: Path) -> bytes:
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        for number in range(5):
            journal.add(f"row {number}", {"value": number / 3})
    return path.read_bytes()


def test_no_change_of_a_byte_gives_another_row(tmp_path: Path) -> None:
    """Refused, or rows that were kept; what was at the very end may be lost."""
    path = tmp_path / "done.jsonl"
    content = filled(path)
    refused = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            journal = Journal(path)
        except InputError:
            refused += 1
            assert path.read_bytes() == changed
            continue
        with journal:
            for number in range(5):
                row = journal.find(f"row {number}")
                assert row in (None, {"key": f"row {number}", "value": number / 3})
    assert refused > 0.9 * len(content)


def test_a_changed_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_bytes(filled(path).replace(b'"value": 0.33', b'"value": 0.34'))
    with pytest.raises(MachineError) as error:
        Journal(path)
    assert str(error.value) == (
        f"{path}: is damaged: line 3 is not what was kept; delete {path}: the backtest then "
        "starts anew."
    )


def test_rows_of_an_earlier_version_get_checksums(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_bytes(b'{"key": "a", "value": 1}\n')
    Journal(path).__exit__()
    path.write_bytes(path.read_bytes().replace(b'"value": 1', b'"value": 2'))
    with pytest.raises(MachineError, match="line 2 is not what was kept"):
        Journal(path)


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_bytes(b'{"labelmix_journal": 2}\nanything\n')
    with pytest.raises(InputError, match="was written by a newer labelmix"):
        Journal(path)


def test_a_full_disk_leaves_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    content = filled(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails with EFBIG
    try:
        with Journal(path) as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 20, before[1]))
            with pytest.raises(MachineError, match=r"jsonl: cannot be written: File too large"):
                journal.add("more", {"value": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == content
