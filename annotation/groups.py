"""Split items so that no group of them stands on both sides.

Items of a group (a passage, an exam, a user) resemble each other: what was learnt from one of them
answers the next. So a group is drawn whole, or what is left of it is used on neither side. Where
every item is a group of its own, each split here is the one that is drawn item by item.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import IntArray, Mask, Positions


def turns(groups: NDArray[Any]) -> IntArray:
    """The place of every item's group, in order of their first items, (items,), from 0."""
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return np.asarray(rank[code])


def group_numbers(groups: Sequence[object]) -> IntArray:
    """A number for every item's group, (items,), which is known by its text."""
    return turns(np.asarray(groups, dtype=str))


def together(order: Positions, groups: IntArray) -> Positions:
    """The same items, each group at the place of its first; of a group in the order they had.

    `groups` (items,) of all items, not those of `order` alone.
    """
    return order[np.argsort(turns(groups[order]), kind="stable")]


def whole_groups(order: Positions, groups: IntArray, count: int) -> Positions:
    """So many items of `order`, or all, by whole groups as far as these fit.

    Groups are taken in the order of their first items; one that does not fit is passed over. What
    is missing in the end comes from the smallest of those passed over: its rest belongs to neither
    side. `groups` (items,) of all items.
    """
    order = together(order, groups)
    group = turns(groups[order])
    sizes = np.bincount(group)
    if sizes.size == order.size:
        return order[:count]
    taken = np.zeros(sizes.size, dtype=bool)
    missing = count
    for number, size in enumerate(sizes.tolist()):
        if size <= missing:
            taken[number] = True
            missing -= size
    whole = order[taken[group]]
    if missing and not taken.all():
        smallest = int(np.argmin(np.where(taken, order.size + 1, sizes)))
        whole = np.concatenate([whole, order[group == smallest][:missing]])
    return np.asarray(whole)


def touches(positions: Positions, groups: IntArray, others: Positions) -> Mask:
    """Which of these items are of a group that one of the `others` is of, (positions,)."""
    return np.asarray(np.isin(groups[positions], groups[others]))


def group_folds(groups: Sequence[object], folds: int, seed: int) -> IntArray:
    """The fold of every item, (items,): groups stay whole, folds are about as large as each other.

    Groups are shuffled by `seed`, then the largest first go to the fold with the fewest items.

    Raises ValueError if there are fewer groups than folds, or fewer than two folds.
    """
    _, places, sizes = np.unique(
        np.asarray(groups, dtype=str), return_inverse=True, return_counts=True
    )
    if folds < 2 or sizes.size < folds:
        raise ValueError(
            f"'folds' should be from 2 to the number of groups, {sizes.size}; got {folds}."
        )
    shuffled = np.random.default_rng([seed, 0xF01D]).permutation(sizes.size)
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold_of = np.empty(sizes.size, dtype=np.int64)
    filled = np.zeros(folds, dtype=np.int64)
    for group in order:
        fold = int(np.argmin(filled))
        fold_of[group] = fold
        filled[fold] += sizes[group]
    return np.asarray(fold_of[places], dtype=np.int64)
