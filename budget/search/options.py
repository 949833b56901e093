"""What one stratum may be filled with when another takes the rest of the money."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.market.market import Market
from budget.market.whole_money import Ledger, Whole
from budget.search.supply_curves import Curve, curves_of, rungs

# Curves per stratum by the number of strata; beyond, one.
_CURVES = {1: 8, 2: 5, 3: 4, 4: 2, 5: 2}
_DENSITIES = (8.0, 6.0, 4.0, 3.0, 2.0, 1.5, 1.0, 0.75, 0.5, 0.35, 0.25)
_OCTAVES = 12  # of labels that a ladder is taken to span
_MOST_CANDIDATES = 120_000


@dataclass(frozen=True)
class Options:
    """Ways to fill one stratum, none of which depends on the budget.

    Attributes
    ----------
    counts, clean : (options,) labels to train on, earlier ones included, and their clean share
    usage : (options, resources) money and hours; training on the labels is in the money
    curve : (options,) index of the curve bought from
    labels : one (options,) array per place in a curve: labels bought of that segment
    left_out : (options,) whether labels bought earlier stay out of training
    """

    counts: Array
    clean: Array
    usage: Whole
    curve: NDArray[np.int64]
    labels: tuple[Whole, ...]
    left_out: NDArray[np.bool_]

    def affordable(self, limits: Whole) -> NDArray[np.int64]:
        """Indices of the options within resources."""
        return np.flatnonzero((self.usage <= limits).all(1))


class Stratum:
    """One stratum of a market: its curves, and its options at a density of rungs."""

    def __init__(self, market: Market, ledger: Ledger, name: str) -> None:
        self.name = name
        self.bought = market.bought.get(name, 0)
        self.bought_clean = market.bought_clean.get(name, 1.0)
        self.items = market.items[name]
        self._ledger = ledger
        most = _CURVES.get(len(market.strata), 1)
        self.curves = curves_of(ledger, ledger.segments(name), self.items, most)

    def mixed(self, curve: Curve | None, labels: Sequence[Whole]) -> tuple[Array, Array]:
        """Labels in all, and their clean share, (rows,), after buying `labels` along a curve."""
        count = np.full(len(labels[0]) if labels else 1, float(self.bought))
        clean = count * self.bought_clean
        for segment, own in zip(curve.segments if curve else (), labels, strict=False):
            count = count + own.astype(float)
            clean = clean + own.astype(float) * segment.offer.clean
        return count, np.where(count > 0, clean / np.maximum(count, 1), 1.0)

    def options(self, density: float, limits: Whole) -> Options:
        """Nothing more, leaving earlier labels out of training, and rungs of every curve.

        Rungs beyond the resources are left out.
        """
        ledger, width = self._ledger, max((len(own.segments) for own in self.curves), default=0)
        resources = 1 + len(ledger.roles)
        nothing = [ledger.zeros(1)] * width
        count, clean = self.mixed(None, ())
        usage = ledger.zeros(1, resources)
        usage[:, 0] = self.bought * ledger.training
        rows: list[tuple[Array, Array, Whole, int, list[Whole]]]
        rows = [(count, clean, usage, 0, nothing)]
        if self.bought:
            unused = ledger.zeros(1, resources)
            rows.append((np.zeros(1), np.ones(1), unused, 0, nothing))
        for index, curve in enumerate(self.curves):
            labels, used = self._rungs(curve, density, limits)
            count, clean = self.mixed(curve, labels)
            used[:, 0] += self.bought * ledger.training
            padding = [np.zeros_like(labels[0])] * (width - len(labels))
            rows.append((count, clean, used, index, [*labels, *padding]))
        sizes = [len(row[0]) for row in rows]
        left_out_rows = np.arange(sum(sizes)) == 1 if self.bought else np.zeros(sum(sizes), bool)
        return Options(
            np.concatenate([row[0] for row in rows]),
            np.concatenate([row[1] for row in rows]),
            np.concatenate([row[2] for row in rows]),
            np.repeat([row[3] for row in rows], sizes),
            tuple(np.concatenate([row[4][place] for row in rows]) for place in range(width)),
            left_out_rows,
        )

    def _rungs(self, curve: Curve, density: float, limits: Whole) -> tuple[list[Whole], Whole]:
        """Purchases along a curve at its rungs, and what they use."""
        full = 0
        marks = []
        for segment in curve.segments:
            marks += [full + segment.offer.least, full + segment.most]
            if segment.role:
                marks.append(full + int(limits[segment.role]) // segment.work)
            full += segment.most
        most = min(self.items, full)
        numbers = rungs(self.bought, most, density, marks)[1:]
        wanted: Whole = np.array(numbers, dtype=self._ledger.dtype)
        plenty = self._ledger.zeros(len(wanted), len(limits)) + limits
        labels, left, stopped = curve.fill(plenty, wanted)
        whole = sum(labels) == wanted if len(wanted) else stopped
        kept = np.flatnonzero(whole & ~stopped)
        return [own[kept] for own in labels], (plenty - left)[kept]


def density_for(strata: Sequence[Stratum]) -> float:
    """Rungs per doubling, as many as the number of strata and curves allows; never by budget."""
    for density in _DENSITIES:
        ladder = density * _OCTAVES
        options = [2 + max(1, len(own.curves)) * ladder for own in strata]
        candidates = sum(
            max(1, len(own.curves)) * float(np.prod([*options[:k], *options[k + 1 :]]))
            for k, own in enumerate(strata)
        )
        if candidates <= _MOST_CANDIDATES:
            return density
    return _DENSITIES[-1]
