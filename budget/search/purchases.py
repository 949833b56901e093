"""Purchases in full: what is bought of every stratum, along which curve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotation.arrays import Array
from budget.market.whole_money import Ledger, Whole
from budget.search.evaluation import MeanAccuracy
from budget.search.options import Stratum

_FRACTIONS = 16  # of the most labels, tried first


@dataclass(frozen=True)
class Purchase:
    """One purchase.

    Attributes
    ----------
    curves : per stratum, which of its curves is bought from
    labels : per stratum, labels of each segment of that curve
    left_out : per stratum, whether labels bought earlier stay out of training
    free : the stratum whose number of labels may be changed
    """

    curves: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...]
    left_out: tuple[bool, ...]
    free: int


class Purchases:
    """Counts, clean shares and use of resources of purchases from the same strata."""

    def __init__(
        self, strata: Sequence[Stratum], ledger: Ledger, accuracy: MeanAccuracy, limits: Whole
    ) -> None:
        self._strata, self._ledger, self._accuracy = strata, ledger, accuracy
        self._limits = limits

    def mixes(self, purchases: Sequence[Purchase]) -> tuple[Array, Array]:
        """Labels trained on and their clean shares, both (purchases, strata)."""
        counts = np.zeros((len(purchases), len(self._strata)))
        clean = np.ones_like(counts)
        for row, own in enumerate(purchases):
            for place, stratum in enumerate(self._strata):
                if own.left_out[place]:
                    continue
                curve = stratum.curves[own.curves[place]] if own.labels[place] else None
                labels = [np.array([number]) for number in own.labels[place]]
                count, share = stratum.mixed(curve, labels)
                counts[row, place], clean[row, place] = count[0], share[0]
        return counts, clean

    def usage(self, own: Purchase, without: int | None = None) -> Whole:
        """Money and hours (resources,) of a purchase, one stratum's new labels left out."""
        total = self._ledger.zeros(1 + len(self._ledger.roles))
        for place, stratum in enumerate(self._strata):
            if not own.left_out[place]:
                total[0] += stratum.bought * self._ledger.training
            if place != without and own.labels[place]:
                segments = stratum.curves[own.curves[place]].segments
                labels = [self._ledger.zeros(1) + number for number in own.labels[place]]
                parts = zip(segments, labels, strict=False)
                total = total + self._ledger.usage(parts, 1)[0]
        return np.asarray(total)

    def refined(self, purchases: Sequence[Purchase]) -> list[Purchase]:
        """Each purchase with the best number of labels of one stratum.

        That stratum is the free one, where fewer labels are better than all that can be paid;
        where not money but the market ended its labels, every other stratum is tried. The others
        hold numbers that no budget changes, so the best purchase of a smaller budget is not lost
        to a bigger one.
        """
        tasks: dict[tuple[int, int], list[Purchase]] = {}
        for own in purchases:
            for place, stratum in enumerate(self._strata):
                if own.left_out[place] or not stratum.curves:
                    continue
                if place == own.free or not self._ended_by_money(own):
                    tasks.setdefault((place, own.curves[place]), []).append(own)
        found = []
        for (place, curve), group in tasks.items():
            found += self._best_numbers(place, curve, group)
        return found

    def _ended_by_money(self, own: Purchase) -> bool:
        curves = self._strata[own.free].curves
        if not curves:
            return False
        left = (self._limits - self.usage(own, own.free))[None]
        return bool(curves[own.curves[own.free]].fill(left)[2][0])

    def _best_numbers(self, place: int, index: int, group: list[Purchase]) -> list[Purchase]:
        """Purchases with the best number of labels of one stratum along one curve.

        First fractions of the most that can be had, then between the neighbours of the best one.
        """
        stratum = self._strata[place]
        curve = stratum.curves[index]
        left = np.stack([self._limits - self.usage(own, place) for own in group])
        counts, clean = self.mixes(group)

        def value(most: Whole) -> Array:
            labels, _, _ = curve.fill(left, most)
            counts[:, place], clean[:, place] = stratum.mixed(curve, labels)
            return self._accuracy.mean(counts, clean)

        def bought(numbers: Whole) -> list[Purchase]:
            labels, _, _ = curve.fill(left, numbers)
            found = []
            for row, own in enumerate(group):
                per_stratum = [*own.labels]
                per_stratum[place] = tuple(int(part[row]) for part in labels)
                found.append(replace(own, labels=tuple(per_stratum)))
            return found

        most = np.asarray(sum(curve.fill(left)[0]))
        whole = [own for own in bought(most) if own.free != place]
        nearly = most * (_FRACTIONS - 1) // _FRACTIONS
        harmed = np.flatnonzero((most > 1) & (value(most) < value(nearly)))
        if not harmed.size:
            return whole
        group, left, most = [group[k] for k in harmed], left[harmed], most[harmed]
        counts, clean = counts[harmed], clean[harmed]
        tried = [most * k // _FRACTIONS for k in range(_FRACTIONS + 1)]
        best = np.stack([value(n) for n in tried]).argmax(0)
        table, rows = np.stack([tried[0], *tried, tried[-1]]), np.arange(len(group))
        low, high = table[best, rows], table[best + 2, rows]
        for _ in range(int(max(most.max(), 1)).bit_length()):
            middle = (low + high) // 2
            after = np.minimum(middle + 1, high)
            up = value(after) > value(middle)
            low, high = np.where(up, after, low), np.where(up, high, middle)
        return whole + bought(high)
