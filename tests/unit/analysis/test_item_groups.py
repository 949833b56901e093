import numpy as np

from analysis.item_groups import group_notes
from annotation.items.near_copies import ItemGroups
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
        "No group is tested and sold both: the 2 hard test items are of 1 groups, and 1 more items "
        "of tested groups are left out. Drawn item by item, 2 test items would have had another of "
        "their group for sale.",
        "The hard test items are of 1 groups only: intervals over so few are rough and rather too "
        "narrow. Bring items of more groups.",
    ]
