"""Divide items into folds, clusters together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def group_folds(groups: Sequence[object], folds: int, seed: int) -> NDArray[np.int64]:
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
