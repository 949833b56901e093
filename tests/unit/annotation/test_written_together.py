from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.whole_files import check_outputs, whole_file
from annotation.written_together import written_together


def write(path: Path, text: str = "new") -> None:
    with whole_file(path) as unfinished:
        unfinished.write_text(text)


def test_files_are_put_in_place_at_the_end(tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "folder" / "second.txt"
    first.write_text("old")
    with written_together():
        write(first)
        write(second)
        assert first.read_text() == "old"
        assert not second.exists()
    assert (first.read_text(), second.read_text()) == ("new", "new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "first.txt", "folder", "second.txt",
    ]  # fmt: skip


def write_both(folder: Path, fails: bool = False) -> None:
    with written_together():
        write(folder / "first.txt")
        write(folder / "second.txt")
        if fails:
            raise ValueError


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    first = tmp_path / "first.txt"
    first.write_text("old")
    with pytest.raises(ValueError):  # noqa: PT011 - raised here
        write_both(tmp_path, fails=True)
    assert [path.name for path in tmp_path.iterdir()] == ["first.txt"]
    assert first.read_text() == "old"


def test_a_folder_in_the_place_of_the_last_stops_the_first(tmp_path: Path) -> None:
    (tmp_path / "second.txt").mkdir()
    with pytest.raises(InputError, match=r"second\.txt: cannot be written: Is a directory"):
        write_both(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["second.txt"]


def test_the_last_writing_of_a_file_counts(tmp_path: Path) -> None:
    with written_together():
        write(tmp_path / "a.txt", "one")
        write(tmp_path / "a.txt", "two")
    assert (tmp_path / "a.txt").read_text() == "two"


def test_after_the_block_files_are_put_in_place_at_once(tmp_path: Path) -> None:
    with written_together():
        pass
    write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_outputs_are_checked_before_anything_is_done(tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.touch()
    link = tmp_path / "link.csv"
    link.symlink_to(items)
    fine = tmp_path / "new" / "fine.csv"
    assert check_outputs((fine, None, tmp_path / "b.csv"), (None, items)) == [
        fine,
        tmp_path / "b.csv",
    ]
    for outputs, problem in (
        ((items,), "is an input and would be overwritten"),
        ((fine, link), "is an input and would be overwritten"),
        ((fine, tmp_path), "is a folder; name a file"),
        ((fine, tmp_path / "new" / ".." / "new" / "fine.csv"), "is written twice"),
        ((fine, items / "a" / "b.csv"), "items.csv is a file; name another file"),
    ):
        with pytest.raises(InputError, match=problem):
            check_outputs(outputs, (items,))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.csv", "link.csv"]
