"""Which rows are one judgment: a number alone does not say so."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.judgments.read_files import read_judgment_files

STAMP = "2026-01-02T00:00:00Z"


def export(path: Path, who: object, items: str = "ab", stamp: str = STAMP) -> Path:
    """One person's answers to some items, as project 1 of a Label Studio."""
    tasks: list[Mapping[str, Any]] = []
    for number, item in enumerate(items, start=1):
        answer = {"from_name": "answer", "type": "choices", "value": {"choices": ["yes"]}}
        annotation = {"id": number, "completed_by": who, "created_at": stamp, "result": [answer]}
        tasks.append({"project": 1, "data": {"item_id": item}, "annotations": [annotation]})
    path.write_text(json.dumps(tasks))
    return path


def test_two_servers_that_number_alike(tmp_path: Path) -> None:
    files = [export(tmp_path / f"{who}.json", {"id": 1, "email": f"{who}@x.org"}) for who in "ab"]
    found = read_judgment_files(files, False)
    assert sorted(found.judgments["annotator"]) == ["a@x.org", "a@x.org", "b@x.org", "b@x.org"]
    assert found.judgments["source_id"].is_unique
    assert not found.rejected
    assert "both count; so do 1 more" in str(found.notes[0])
    back = read_judgment_files(files[::-1], False).judgments
    assert set(back["source_id"]) == set(found.judgments["source_id"])


@pytest.mark.parametrize("who", [7, {"id": 7, "email": "a@x.org"}])
def test_other_labels_under_the_same_numbers_name_the_way_out(tmp_path: Path, who: object) -> None:
    files = [export(tmp_path / name, who) for name in ("one.json", "two.json")]
    files[1].write_text(files[1].read_text().replace("yes", "no"))
    found = read_judgment_files(files, False)
    assert len(found.judgments) == 2
    (note,) = found.notes
    assert "1 more such); if the files are from two Label Studios, give --different" in str(note)
    apart = read_judgment_files(files, False, different_servers=True)
    assert sorted(apart.judgments["label"]) == ["no", "no", "yes", "yes"]
    assert not apart.notes


def test_other_items_under_the_same_numbers_name_the_way_out(tmp_path: Path) -> None:
    address = {"id": 7, "email": "a@x.org"}
    files = [export(tmp_path / f"{items}.json", address, items) for items in ("ab", "cd")]
    first, second = read_judgment_files(files, False).rejected
    assert "'a'; if the files are from two Label Studios, give --different-servers" in str(first)
    assert str(second).endswith("another item, 'b'.")  # told once
    apart = read_judgment_files(files, False, different_servers=True)
    assert len(apart.judgments) == 4
    assert not apart.rejected


def test_a_mix_up_without_a_label_studio_names_no_servers(tmp_path: Path) -> None:
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for file, item in zip(files, "ab", strict=True):
        file.write_text(f"item_id,annotator,label,source_id\n{item},x,yes,1\n")
    (only,) = read_judgment_files(files, False).rejected
    assert "servers" not in str(only)


def test_one_export_twice_is_one(tmp_path: Path) -> None:
    files = [export(tmp_path / name, 7) for name in ("one.json", "two.json")]
    assert len(read_judgment_files(files, False).judgments) == 2


def test_one_person_by_number_and_by_address_is_one(tmp_path: Path) -> None:
    files = [export(tmp_path / "n.json", 7), export(tmp_path / "a.json", {"email": "a@x.org"})]
    assert read_judgment_files(files, False).judgments["annotator"].tolist() == ["a@x.org"] * 2


@pytest.mark.parametrize("other", [{"items": "cd"}, {"stamp": "2026-03-04T00:00:00Z"}])
def test_numbers_of_people_that_may_be_two_are_a_question(
    tmp_path: Path, other: dict[str, str]
) -> None:
    files = [export(tmp_path / "one.json", 7), export(tmp_path / "two.json", 7, **other)]
    with pytest.raises(InputError, match=r"label-studio:1:1 by user 7.*--different-servers"):
        read_judgment_files(files, False)
    found = read_judgment_files(files, False, different_servers=True)
    assert len(found.judgments) == 4
    assert set(found.judgments["annotator"]) == {"7 (file 1)", "7 (file 2)"}


def fetched(
    path: Path,
    server: str | None,
    who: str = "user-1",
    items: str = "ab",
    stamp: str = STAMP,
    key: str = "1-0123abcd",
) -> Path:
    """One person's answers to some items as `labelmix labelstudio pull` writes them."""
    of_server = f"{server}:" if server else ""
    rows = [
        f"{item},{who},yes,{stamp},label-studio:{of_server}{key}:{number}"
        for number, item in enumerate(items, start=1)
    ]
    path.write_text("\n".join(["item_id,annotator,label,created_at,source_id", *rows]) + "\n")
    return path


ONE, OTHER = "11111111", "aaaaaaaa"


def test_fetched_tables_of_two_servers_are_of_two_people(tmp_path: Path) -> None:
    files = [fetched(tmp_path / f"{server}.csv", server) for server in (ONE, OTHER)]
    found = read_judgment_files(files, False).judgments
    assert len(found) == 4
    assert set(found["annotator"]) == {f"user-1 (server {server})" for server in (ONE, OTHER)}


def test_people_of_two_servers_keep_their_addresses(tmp_path: Path) -> None:
    files = [
        fetched(tmp_path / f"{server}.csv", server, who="a@x.org", items=items)
        for server, items in ((ONE, "ab"), (OTHER, "cd"))
    ]
    found = read_judgment_files(files, False).judgments
    assert found["annotator"].tolist() == ["a@x.org"] * 4


def test_two_projects_of_one_server_are_of_one_person(tmp_path: Path) -> None:
    keys = ("1-0123abcd", "2-0123abce")
    files = [fetched(tmp_path / f"{key}.csv", ONE, key=key, items=key) for key in keys]
    found = read_judgment_files(files, False).judgments
    assert set(found["annotator"]) == {"user-1"}
    assert len(found) == 20


@pytest.mark.parametrize("who", ["user-7", "a@x.org"])
def test_what_is_fetched_and_exported_is_one_judgment(tmp_path: Path, who: str) -> None:
    files = [
        fetched(tmp_path / "pulled.csv", ONE, who),
        export(tmp_path / "export.json", {"id": 7, "email": "a@x.org"}),
    ]
    found = read_judgment_files(files, False)
    assert len(found.judgments) == 2
    assert all(ONE in source_id for source_id in found.judgments["source_id"])
    assert not found.rejected


def test_a_table_of_before_is_one_with_what_is_fetched_now(tmp_path: Path) -> None:
    old = fetched(tmp_path / "old.csv", None, key="1")
    files = [old, fetched(tmp_path / "new.csv", ONE, items="abc")]
    assert len(read_judgment_files(files, False).judgments) == 3


@pytest.mark.parametrize("other", [{"items": "cd"}, {"stamp": "2026-03-04T00:00:00Z"}])
def test_a_table_that_tells_no_server_is_a_question(tmp_path: Path, other: dict[str, str]) -> None:
    old = fetched(tmp_path / "old.csv", None, key="1", **other)
    files = [old, fetched(tmp_path / "new.csv", ONE)]
    with pytest.raises(InputError, match=r"label-studio:1:1 by user user-1.*different_servers"):
        read_judgment_files(files, False)
    found = read_judgment_files(files, False, different_servers=True)
    assert set(found.judgments["annotator"]) == {"user-1 (file 1)", "user-1 (file 2)"}
