"""Which folders are shown, and what they are called in addresses."""

from pathlib import Path

import pytest

from budget.collection.beginning import STORE
from budget.web.places import NoSuchFolderError, find_places, place_named


def made(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
    return folder


def shown(*folders: Path) -> list[tuple[str, str]]:
    return [(place.name, place.kind) for place in find_places(folders)]


def test_folders_that_hold_something_and_those_in_them(tmp_path: Path) -> None:
    run = made(tmp_path / "runs" / "Demo 1", "result.json")
    made(tmp_path / "runs" / "treat", STORE)
    made(tmp_path / "runs" / "notes")
    assert shown(run) == [("demo-1", "run")]
    assert shown(tmp_path / "runs") == [("demo-1", "run"), ("treat", "collection")]
    assert shown(run, tmp_path / "runs") == [("demo-1", "run"), ("treat", "collection")]


def test_a_folder_in_which_there_is_nothing_stands_for_itself(tmp_path: Path) -> None:
    assert shown(tmp_path / "absent", made(tmp_path / "empty")) == [
        ("absent", "nothing"),
        ("empty", "nothing"),
    ]


def test_names_are_of_letters_that_need_no_quoting_and_differ(tmp_path: Path) -> None:
    names = ["c", "C", "../x"[3:], "<script>", "äö", "..c..", "c-2"]
    folders = [made(tmp_path / str(k) / name, STORE) for k, name in enumerate(names)]
    found = [name for name, _ in shown(*folders)]
    assert len(set(found)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isascii() for name in found)
    assert {place_named(folders, name).folder for name in found} == set(folders)


@pytest.mark.parametrize("name", ["", "..", "d", "c/..", "C"])
def test_only_what_is_shown_has_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoSuchFolderError, match="choose one of the list"):
        place_named([made(tmp_path / "c", STORE)], name)
