from pathlib import Path

import numpy as np

from analysis.item_groups import group_notes, kept_from_sale
from annotation.items.near_copies import ItemGroups
from budget.config.prepare import prepare
from budget.config.read import read_config
from tests.grouped_items import PER_GROUP, write_grouped
from training.split import Split


def notes(names: list[str], copies: list[bool]) -> list[str]:
    groups = ItemGroups(np.array(names, dtype=object), ~np.array(copies), np.array(copies))
    split = Split({"hard": np.array([0, 1])}, {"hard": np.array([3])}, {"hard": 1}, 2)
    return group_notes(groups, split, "hard")


def test_nothing_to_say_of_items_of_their_own() -> None:
    assert notes(["a", "b", "c", "d"], [False] * 4) == []


def test_groups_copies_and_what_was_left_out() -> None:
    found = notes(["a", "a", "a", "b"], [True, True, False, False])
    assert found == [
        "The items are of 2 groups, the largest of 3 items.",
        "2 items ask what another item asks, but for case, punctuation or some choices: these "
        "count as one group.",
        "No group is tested and sold both: the 2 hard test items are of 1 group, and 1 more item "
        "of tested groups is left out. Drawn item by item, 2 test items would have had another of "
        "their group for sale.",
        "The hard test items are of 1 group only: intervals over so few are rough and rather too "
        "narrow. Bring items of more groups.",
    ]


def test_what_keeping_groups_together_moved_and_that_they_are_few(tmp_path: Path) -> None:
    task = prepare(read_config(write_grouped(tmp_path))).lab.task
    found = group_notes(task.groups, task.split, task.target)
    tested = task.split.test["hard"]
    of = {int(own) // PER_GROUP for own in tested}
    assert tested.size == 20 and len(of) == 4
    left_out = 4 * PER_GROUP - 20 - 10
    assert found == [
        "The items are of 20 groups, the largest of 12 items.",
        "2 items ask what another item asks, but for case, punctuation or some choices: these "
        "count as one group.",
        f"No group is tested and sold both: the 20 hard test items are of 4 groups, and {left_out} "
        f"more items of tested groups are left out. Drawn item by item, {task.split.parted} test "
        "items would have had another of their group for sale.",
        "The hard test items are of 4 groups only: intervals over so few are rough and rather too "
        "narrow. Bring items of more groups.",
    ]
    # Of 30 items drawn from 240 in passages of 12, nearly all have another left for sale.
    assert 25 <= task.split.parted <= 30


def test_groups_are_the_reason_only_where_their_items_would_be_enough() -> None:
    split = Split({}, {}, {"easy": 14, "hard": 0}, 2)
    assert kept_from_sale(split, "easy", 96, 110).startswith(" 14 more items of it are not")
    assert kept_from_sale(split, "easy", 96, 111) == ""
    assert kept_from_sale(split, "hard", 96, 97) == ""
