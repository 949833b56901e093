"""Test items are drawn by whole groups; what is left of a group is on neither side."""

from collections.abc import Sequence

import numpy as np

from annotation.arrays import Positions
from annotation.groups import together, turns, whole_groups
from training.split import Split, split_strata

EASY, HARD = np.arange(0, 20), np.arange(20, 40)


def drawn(groups: Sequence[int], easy: int, hard: int, seed: int = 0) -> Split:
    strata: dict[str, Positions] = {"easy": EASY, "hard": HARD}
    return split_strata(
        strata,
        strata,
        {"easy": easy, "hard": hard},
        "hard",
        np.array(groups),
        lambda name: np.random.default_rng([seed, len(name) + ord(name[0])]),
    )


def test_items_of_their_own_are_drawn_one_by_one() -> None:
    split = drawn(range(40), 5, 8)
    order = np.random.default_rng([0, len("hard") + ord("h")]).permutation(HARD)
    assert split.test["hard"].tolist() == sorted(order[:8].tolist())
    assert split.pools["hard"].tolist() == sorted(order[8:].tolist())
    assert split.left_out == {"easy": 0, "hard": 0}
    assert split.parted == 0


def test_a_group_over_two_strata() -> None:
    """Items k and k + 20 are of one group: the easy test items are those of hard ones."""
    split = drawn([*range(20)] * 2, 5, 8)
    assert set(split.test["easy"]) <= set((split.test["hard"] - 20).tolist())
    assert split.pools["hard"].size == 12
    assert set(split.pools["easy"] + 20) == set(split.pools["hard"].tolist())
    assert split.left_out == {"easy": 3, "hard": 0}
    assert split.parted > 0


def test_a_group_that_does_not_fit_is_passed_over_or_cut() -> None:
    groups = np.array([0] * 6 + [1] * 3 + [2] * 3)
    order = np.arange(12)
    assert whole_groups(order, groups, 5).tolist() == [6, 7, 8, 9, 10]
    assert whole_groups(order, groups, 7).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert whole_groups(order, groups, 99).tolist() == order.tolist()
    assert whole_groups(order, groups, 0).tolist() == []


def test_together() -> None:
    groups = np.array([7, 3, 7, 9, 3])
    order = np.array([4, 0, 3, 1, 2])
    assert together(order, groups).tolist() == [4, 1, 0, 2, 3]
    assert turns(groups[order]).tolist() == [0, 1, 2, 0, 1]
    alone = np.array([3, 1, 4, 0, 2])
    assert together(alone, np.arange(5)).tolist() == alone.tolist()
