"""What more judgments of an item are worth: labels of one, three and five of the judgments.

Of every item that has enough judgments, some are drawn at random and a majority of them is taken,
as if no more had been asked for: all draws that there are, each as probable as it is. All numbers
of judgments are tried on the same items, so that their differences are not between items. Where
enough answers are known, these tell which labels are right; else all judgments of the item together
do, which makes many judgments look better than they are: what is drawn is among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, prod

import numpy as np

from annotation.arrays import Array, IntArray, Positions
from annotation.intervals import CONFIDENCE, Interval, share_interval
from annotation.team.confusion import KnownBy
from annotation.truth.coding import NO_GOLD, Coded

TRIED = (1, 3, 5)
FEWEST = 20  # items, below which nothing is told


@dataclass(frozen=True)
class MajorityOf:
    """Labels that are majorities of so many judgments, in one stratum.

    Attributes
    ----------
    stratum, items : where, and on how many items it was tried
    judgments : of which each label is the majority; of equals one is drawn
    known_by : how right labels are known, see the module
    wrong : share of wrong labels, for items like these
    fewer : how much larger it is with the next smaller number, on the same items; None for one
    """

    stratum: str
    items: int
    judgments: int
    known_by: KnownBy
    wrong: Interval
    fewer: Interval | None


def majorities(
    coded: Coded, posteriors: Array, confidence: float = CONFIDENCE
) -> tuple[MajorityOf, ...]:
    """What majorities of 1, 3 and 5 judgments get wrong, stratum by stratum.

    Nothing of a stratum where fewer than 20 items have three judgments or more.

    Parameters
    ----------
    coded : the judgments
    posteriors : (items, most choices), of all judgments together
    confidence : of the intervals
    """
    most = int(coded.choice_counts.max())
    counts = np.zeros((len(coded.item_ids), most), dtype=np.int64)
    np.add.at(counts, (coded.item, coded.label), 1)
    found: list[MajorityOf] = []
    for stratum, name in enumerate(coded.strata):
        here = coded.stratum == stratum
        known = here & (coded.gold != NO_GOLD)
        ways: tuple[tuple[KnownBy, Array], ...] = (("gold", known), ("agreement", here))
        for known_by, own in ways:
            items = _enough(counts, own)
            if items is not None:
                right = _right(coded, posteriors, items, known_by == "gold")
                found += _tried(name, known_by, counts[items], right, confidence)
                break
    return tuple(found)


def _enough(counts: IntArray, own: Array) -> Positions | None:
    """Items with as many judgments as enough items have; None where there are too few."""
    judged = counts.sum(axis=1)
    for least in (5, 3):
        items = np.flatnonzero(own & (judged >= least))
        if items.size >= FEWEST:
            return np.asarray(items)
    return None


def _right(coded: Coded, posteriors: Array, items: Positions, by_gold: bool) -> Array:
    """Probability of every choice to be right, (items, choices)."""
    if not by_gold:
        return np.asarray(posteriors[items])
    found = np.zeros((items.size, posteriors.shape[1]))
    found[np.arange(items.size), coded.gold[items]] = 1.0
    return found


def _tried(
    stratum: str, known_by: KnownBy, counts: IntArray, right: Array, confidence: float
) -> Sequence[MajorityOf]:
    there = counts.sum(axis=1).min()
    places = np.arange(len(counts))
    found: list[MajorityOf] = []
    before: Array | None = None
    for number in TRIED:
        if number > there:
            break
        wrong = _wrong(counts, right, number)
        fewer = None if before is None else _mean(before - wrong, confidence)
        share = share_interval(wrong, places, places, "these", confidence)
        found.append(MajorityOf(stratum, len(counts), number, known_by, share, fewer))
        before = wrong
    return found


def _wrong(counts: IntArray, right: Array, number: int) -> Array:
    """Probability that the majority of so many drawn judgments is wrong, (items,)."""
    found = np.empty(len(counts))
    for place, own in enumerate(counts.tolist()):
        said = [code for code, count in enumerate(own) if count]
        chances = _chances(tuple(own[code] for code in said), number)
        pairs = zip(said, chances, strict=True)
        found[place] = 1 - sum(chance * right[place, code] for code, chance in pairs)
    return np.clip(found, 0.0, 1.0)


@lru_cache(maxsize=100_000)
def _chances(counts: tuple[int, ...], number: int) -> tuple[float, ...]:
    """How probable each label is that a majority of so many drawn judgments gives, exactly.

    `counts` of judgments by label; they are drawn without replacement.
    """
    found = [Fraction(0)] * len(counts)
    for drawn in product(*(range(min(count, number) + 1) for count in counts)):
        if sum(drawn) != number:
            continue
        ways = prod(comb(count, own) for count, own in zip(counts, drawn, strict=True))
        most = [place for place, own in enumerate(drawn) if own == max(drawn)]
        for place in most:
            found[place] += Fraction(ways, len(most))
    every = comb(sum(counts), number)
    return tuple(float(own / every) for own in found)


def _mean(values: Array, confidence: float) -> Interval:
    from scipy import stats

    mean = float(values.mean())
    half = float(stats.t.ppf(0.5 + confidence / 2, values.size - 1)) * float(
        values.std(ddof=1) / values.size**0.5
    )
    return Interval(mean, mean - half, mean + half)
