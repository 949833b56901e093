"""Draw a test set from every stratum, and leave for sale what nothing tested tells of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from annotation.arrays import IntArray, Positions
from annotation.groups import touches, whole_groups


@dataclass(frozen=True)
class Split:
    """What is tested and what is for sale: no group of items is in both.

    Attributes
    ----------
    test : stratum -> positions of its test items, in order
    pools : stratum -> positions of its items for sale, in order
    left_out : stratum -> how many of its items are neither, since their group is tested
    parted : test items that would have had another of their group for sale if items had been drawn
        one by one
    """

    test: Mapping[str, Positions]
    pools: Mapping[str, Positions]
    left_out: Mapping[str, int]
    parted: int


def split_strata(
    strata: Mapping[str, Positions],
    answered: Mapping[str, Positions],
    wanted: Mapping[str, int],
    target: str,
    groups: IntArray,
    generator: Callable[[str], np.random.Generator],
) -> Split:
    """Draw test items by whole groups, the target's first.

    Of other strata, items of groups that are tested already come first: they cannot be sold. Where
    every item is a group of its own, each stratum's test set is drawn item by item.

    Parameters
    ----------
    strata : stratum -> positions of its items, in order
    answered : stratum -> those of them whose right answer is known
    wanted : stratum -> how many of these to test
    target : the stratum that counts
    groups : (items,), a number for every item's group
    generator : a stratum's own randomness
    """
    orders = {name: generator(name).permutation(answered[name]) for name in strata}
    test: dict[str, Positions] = {}
    for name in sorted(strata, key=lambda name: name != target):
        order, tested = orders[name], _joined(test)
        tied = touches(order, groups, tested)
        first = order[tied][: wanted[name]]
        others = whole_groups(order[~tied], groups, wanted[name] - first.size)
        test[name] = np.sort(np.concatenate([first, others]))
    pools = _for_sale(strata, test, groups)
    one_by_one = {name: orders[name][: wanted[name]] for name in strata}
    rest = _joined({name: np.setdiff1d(strata[name], own) for name, own in one_by_one.items()})
    return Split(
        {name: test[name] for name in strata},
        pools,
        {name: int(own.size - test[name].size - pools[name].size) for name, own in strata.items()},
        int(touches(_joined(one_by_one), groups, rest).sum()),
    )


def split_given(strata: Mapping[str, Positions], tested: Positions, groups: IntArray) -> Split:
    """The split where the test set was chosen before: the rest is for sale, by whole groups.

    Parameters
    ----------
    strata : stratum -> positions of its items, in order
    tested : positions of the test items
    groups : (items,), a number for every item's group
    """
    test = {name: np.intersect1d(own, tested) for name, own in strata.items()}
    pools = _for_sale(strata, test, groups)
    left_out = {n: int(own.size - test[n].size - pools[n].size) for n, own in strata.items()}
    return Split(test, pools, left_out, 0)


def _for_sale(
    strata: Mapping[str, Positions], test: Mapping[str, Positions], groups: IntArray
) -> dict[str, Positions]:
    tested = _joined(test)
    return {name: own[~touches(own, groups, tested)] for name, own in strata.items()}


def _joined(parts: Mapping[str, Positions]) -> Positions:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts.values()])
