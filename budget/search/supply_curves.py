"""Ways to fill one stratum with labels: which supplier first, who follows, and how many.

A curve is an order of offers, each filled to what its supplier has before the next one starts, so
that what is bought for little money is part of what is bought for more. Which curves a stratum has
does not depend on the budget, nor on other strata.

Judged alone, a stratum learns most from the offer with the largest clean^2 / price: pull and
chance of n labels grow as (n clean)^2 and n. Among labels of other strata an offer counts by
(a clean - 1) / price, where a says how much its labels pull against the average label: dear and
clean ones gain where a is small, cheap ones where it is large. The offers that are best for some
a, at some size of purchase, lead a curve each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.market.whole_money import Ledger, Segment, Whole

_PULLS = (1.3, 2.0, 4.0)  # a, against the cleanness of the offer that is best alone
_ITEM_PRICES = (0.0, 0.5, 2.0, 8.0)  # added to a label's, against the usual one
_SIZES = (4, 32, 256, 2048, 16384)  # labels at which offers are judged
_MOST_FOLLOWING = 3
_SMALLEST_STEP = 4


@dataclass(frozen=True)
class Curve:
    """Offers of one stratum in the order in which they are filled, each of another supplier."""

    segments: tuple[Segment, ...]
    items: int
    dtype: type

    def fill(
        self, left: Whole, most: Whole | None = None
    ) -> tuple[list[Whole], Whole, NDArray[np.bool_]]:
        """As many labels as resources allow.

        Parameters
        ----------
        left : (rows, resources) what there is of money and hours
        most : (rows,) labels at which to stop; None for no such limit

        Returns
        -------
        Labels of each segment, each (rows,); what is left then, (rows, resources); and whether it
        was money that ended the purchase, (rows,).
        """
        rows = len(left)
        left = left.copy()
        room: Whole = np.full(rows, self.items, dtype=self.dtype)
        if most is not None:
            room = np.minimum(room, most)
        stopped: NDArray[np.bool_] = np.zeros(rows, dtype=bool)
        parts: list[Whole] = []
        for segment in self.segments:
            wanted = np.minimum(room, segment.most)
            if segment.role:
                wanted = np.minimum(wanted, left[:, segment.role] // segment.work)
            wanted = np.where(stopped | (wanted < segment.offer.least), 0, wanted)
            labels = segment.affordable(left[:, 0], wanted)
            labels = np.where(labels < segment.offer.least, 0, labels).astype(self.dtype)
            # What money ends must not go on with another offer: a larger budget would undo it.
            stopped |= labels < wanted
            room = room - labels
            left[:, 0] -= segment.money(labels)
            if segment.role:
                left[:, segment.role] -= labels * segment.work
            parts.append(labels)
        return parts, left, stopped


def curves_of(ledger: Ledger, segments: Sequence[Segment], items: int, most: int) -> list[Curve]:
    """At most `most` curves of a stratum, the one that is best alone first."""
    usable = [own for own in segments if own.most >= own.offer.least]
    if not usable:
        return []
    leaders = list(dict.fromkeys(_leaders(usable)))[:most]
    followers = sorted(usable, key=lambda own: -_alone(own, min(_SIZES[2], own.most)))
    found = []
    for leader in leaders:
        order, suppliers = [leader], {leader.offer.supplier}
        for segment in followers:
            full = sum(own.most for own in order) >= items and not any(own.role for own in order)
            if full or len(order) > _MOST_FOLLOWING:
                break
            if segment.offer.supplier not in suppliers:
                order.append(segment)
                suppliers.add(segment.offer.supplier)
        found.append(Curve(tuple(order), items, ledger.dtype))
    return found


def _price(segment: Segment, labels: int) -> float:
    """Money per label of a purchase of so many."""
    labels = max(labels, segment.offer.least)
    # A row of its own: numpy takes the large whole number of a lone object for one of 64 bits.
    money = segment.money(np.array([labels], dtype=object))[0]
    return float(money) / labels


def _alone(segment: Segment, labels: int) -> float:
    price = _price(segment, labels)
    return segment.offer.clean**2 / price if price else np.inf


def _leaders(segments: Sequence[Segment]) -> list[Segment]:
    """Offers that are best for some purchase, the one that most often is first."""
    wins = [0] * len(segments)
    clean = np.array([own.offer.clean for own in segments])
    # Where hours are short, offers that take none of some role, or little of it, count too.
    groups = [[True] * len(segments)]
    for role in sorted({own.role for own in segments if own.role}):
        groups.append([own.role != role for own in segments])
    for size in _SIZES:
        small_enough = np.array([own.offer.least <= size for own in segments])
        money = np.array([_price(own, min(size, own.most)) for own in segments])
        work = np.array([float(own.work) for own in segments])
        for group in groups:
            there = small_enough & group
            if there.any():
                _count_wins(wins, clean, money, there)
                if work.any():
                    _count_wins(wins, clean, work, there)
    order = sorted(range(len(segments)), key=lambda own: -wins[own])
    first = max(range(len(segments)), key=lambda k: _alone(segments[k], _SIZES[2]))
    return [segments[own] for own in [first, *order] if wins[own] or own == first]


def _count_wins(wins: list[int], clean: Array, price: Array, there: NDArray[np.bool_]) -> None:
    """Add to `wins` of the offers that are best for some pull, and for some price of an item."""
    usual = float(np.median(price[there])) or 1.0
    relative = price / usual + 1e-9  # what costs nothing is compared by cleanness
    scores = [clean**2 / (relative + item) for item in _ITEM_PRICES]
    scores.append(clean**2 - 1e-3 * relative)  # items are all that counts
    best = int(np.where(there, scores[0], -np.inf).argmax())
    scores += [(a * clean / max(clean[best], 1e-9) - 1) / relative for a in _PULLS]
    for score in scores:
        wins[int(np.where(there, score, -np.inf).argmax())] += 1


def rungs(bought: int, most: int, density: float, marks: Sequence[int]) -> list[int]:
    """Numbers of labels to add, from 0 to `most`: geometric in all labels, and `marks`.

    `density` rungs double the labels of a stratum.
    """
    found, labels = {0, most, *(mark for mark in marks if 0 < mark < most)}, 0
    growth = 2 ** (1 / density) - 1
    while True:
        labels += max(_SMALLEST_STEP, round(growth * (bought + labels)))
        if labels >= most:
            return sorted(found)
        found.add(labels)
