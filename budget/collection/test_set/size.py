"""How many test items are worth their price.

A test item tells how good a model is, and nothing else: its money buys no label. What more of them
gain falls with their square root, so few are enough (Card et al. 2020, "With Little Power Comes
Great Responsibility", has what few cannot tell). Recommended is the largest usual size that costs
at most a fifth of the budget and takes at most a quarter of the items of any stratum; more than 300
is never recommended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from annotation.errors import InputError

TOLD = (50, 100, 200, 400)
"""Sizes whose width and price are told."""
_USUAL = (300, 200, 150, 100, 50)
_SHARE_OF_BUDGET = Decimal("0.2")
_SHARE_OF_ITEMS = 0.25
_ACCURACY = 0.8  # at which the width is told; it is widest at a half, by a quarter more
_QUANTILE = 1.96  # of a normal, for 95 %
_FEWEST_OTHERS = 10  # items of every other stratum, for gold questions
_OTHERS = 0.2  # of all test items


@dataclass(frozen=True)
class TestSetSize:
    """A size of the test set.

    Attributes
    ----------
    items : in all
    of_target : of the stratum that counts
    half_width : of the 95 % interval of an accuracy of 80 % there, as a share
    most : what their answers cost at most, items that are asked again not counted
    share : of the budget
    """

    __test__ = False  # not a test class, whatever its name begins with

    items: int
    of_target: int
    half_width: float
    most: Decimal
    share: float


def of_each_stratum(items: int, strata: Sequence[str], target: str) -> dict[str, int]:
    """How many of so many test items are of each stratum for sale.

    A fifth, at least 10, of every other stratum: they become gold questions there. All others are
    of the target.
    """
    others = max(_FEWEST_OTHERS, round(_OTHERS * items))
    found = {name: others for name in strata if name != target}
    return {name: found.get(name, items - others * len(found)) for name in strata}


def told_size(
    by_stratum: Mapping[str, int], target: str, most: Decimal, budget: Decimal
) -> TestSetSize:
    """A size with what it tells and costs."""
    of_target = by_stratum[target]
    spread = _ACCURACY * (1 - _ACCURACY)
    half = _QUANTILE * float(spread / of_target) ** 0.5 if of_target > 0 else 1.0
    return TestSetSize(
        sum(by_stratum.values()), of_target, half, most, float(most / budget) if budget else 1.0
    )


def recommended_size(
    strata: Mapping[str, int],
    target: str,
    most: Callable[[Mapping[str, int]], Decimal],
    budget: Decimal,
) -> int:
    """The number of test items that is recommended.

    Parameters
    ----------
    strata : stratum for sale -> how many items it has
    target : the stratum that counts
    most : what answers cost at most, by how many there are of each stratum
    budget : for all labels

    Raises
    ------
    InputError
        If the items do not even allow the smallest usual test set.
    """
    for items in _USUAL:
        wanted = of_each_stratum(items, tuple(strata), target)
        fits = all(count <= _SHARE_OF_ITEMS * strata[name] for name, count in wanted.items())
        if fits and most(wanted) <= _SHARE_OF_BUDGET * budget:
            return items
    smallest = _USUAL[-1]
    wanted = of_each_stratum(smallest, tuple(strata), target)
    for name, count in wanted.items():
        if 2 * count > strata[name]:
            raise InputError(
                f"stratum '{name}' has {strata[name]:,} items, and a test set of {smallest} takes "
                f"{count} of them; say how many are tested (--test-items), bring more items, or "
                "name test items of their own by --test."
            )
    return smallest


def size_lines(sizes: Sequence[TestSetSize], chosen: int, target: str, currency: str) -> list[str]:
    """The sizes as lines of a table, for people."""
    told = [
        f"Test items, how far an accuracy of 80 % on {target} items is known with them, and what "
        "their answers cost at most:"
    ]
    for own in sizes:
        mark = "  <- this collection" if own.items == chosen else ""
        told.append(
            f"  {own.items:>5,} ({own.of_target:,} {target}): within {100 * own.half_width:.1f} "
            f"points, {own.most:,.2f} {currency}, {100 * own.share:.0f} % of the budget{mark}"
        )
    return told
