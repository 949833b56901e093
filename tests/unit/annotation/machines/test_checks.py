import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.machines.checks import with_checks, write_routed, write_to_check
from annotation.machines.labels import MachineLabels
from annotation.machines.routing import Promise, route

Make = Callable[..., MachineLabels]


def filled(tmp_path: Path, *rows: tuple[str, str]) -> Path:
    path = tmp_path / "checked.csv"
    lines = ["item_id,label", *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def unchecked(make_machine: Make) -> MachineLabels:
    return make_machine(60, people=np.full(60, -1))


def test_what_is_asked_tells_nothing_of_the_machine(
    unchecked: MachineLabels, tmp_path: Path
) -> None:
    path = tmp_path / "ask.csv"
    write_to_check(unchecked, np.array([7, 3]), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["item_id"] for row in rows] == ["q3", "q7"]
    assert list(rows[0]) == ["item_id", "question", "choices", "label"]
    assert json.loads(rows[0]["choices"]) == ["yes", "no", "perhaps"] and rows[0]["label"] == ""


def test_answers_come_back(unchecked: MachineLabels, tmp_path: Path) -> None:
    path = filled(tmp_path, ("q3", "no"), ("q7", ""), ("q9", "perhaps"))
    found = with_checks(unchecked, path)
    assert found.people[[3, 7, 9]].tolist() == [1, -1, 2]
    assert (found.people >= 0).sum() == 2
    again = with_checks(found, path)  # the same answers once more change nothing
    assert again.people.tolist() == found.people.tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("x1", "no")], r"checked.csv: row 1, item_id 'x1' is not in the items"),
        ([("q3", "no"), ("q3", "yes")], "row 2, item_id 'q3' has another label in row 1"),
        ([("q2", "no"), ("q3", "maybe")], "row 2, label: .*'maybe'"),
    ],
)
def test_answers_that_cannot_be_used(
    unchecked: MachineLabels, tmp_path: Path, rows: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        with_checks(unchecked, filled(tmp_path, *rows))


def test_an_answer_that_contradicts_the_items(make_machine: Make, tmp_path: Path) -> None:
    labels = make_machine(30, people=np.zeros(30, dtype=np.int64))
    with pytest.raises(InputError, match="row 1, item_id 'q3' has another answer of people"):
        with_checks(labels, filled(tmp_path, ("q3", "no")))


def test_a_column_is_missing(unchecked: MachineLabels, tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    path.write_text("item,label\nq1,no\n", encoding="utf-8")
    with pytest.raises(InputError, match="row 1, column 'item_id' is missing"):
        with_checks(unchecked, path)


def test_labels_say_whose_they_are(make_machine: Make, tmp_path: Path) -> None:
    labels, path = make_machine(600, wrong=0.05), tmp_path / "labels.csv"
    found = route(labels, Promise(0.05))
    known = replace(labels, people=np.where(found.by_people, labels.people, -1))
    write_routed(known, route(known, Promise(0.05)), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600
    for place, row in enumerate(rows):
        source = labels.people if row["source"] == "people" else labels.said
        assert row["label"] == ("yes", "no", "perhaps")[source[place]]
        assert (row["source"] == "machine") == bool(found.by_machine[place])


def test_nothing_is_written_before_all_is_decided(unchecked: MachineLabels, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="items have to be answered by people first"):
        write_routed(unchecked, route(unchecked, Promise(0.05)), tmp_path / "labels.csv")
    assert list(tmp_path.iterdir()) == []


def test_answers_that_nobody_gave_back_are_not_written_over(
    unchecked: MachineLabels, tmp_path: Path
) -> None:
    path = tmp_path / "to_check.csv"
    write_to_check(unchecked, np.array([1, 2]), path)
    write_to_check(unchecked, np.array([1, 2, 3]), path)  # nobody has answered yet
    name = str(unchecked.items["item_id"].iloc[2])
    label = unchecked.items["choices"].iloc[2][0]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = label if row["item_id"] == name else ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    filled = path.read_text(encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"to_check\.csv: holds answers of people to 1 items .*give them by --checked",
    ):
        write_to_check(unchecked, np.array([1]), path)
    assert path.read_text(encoding="utf-8") == filled
    write_to_check(with_checks(unchecked, path), np.array([1]), path)  # it is known now
    assert name not in path.read_text(encoding="utf-8")
