from pathlib import Path

import pytest

from annotation.errors import InputError
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
