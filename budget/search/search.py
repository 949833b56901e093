"""The best purchase within money, hours and items.

Every stratum but one takes an option from a list that does not depend on the budget; the one that
is free takes as many labels as are left to pay, or none, along one of its curves. So what can be
bought for less money is among what is compared for more, and a bigger budget cannot give a worse
plan. Where labels of the free stratum do harm from some number on, fewer are tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.market.market import Market
from budget.market.whole_money import Ledger, Whole
from budget.search.evaluation import TIE, MeanAccuracy
from budget.search.options import Options, Stratum, density_for
from budget.search.purchases import Purchase, Purchases

_REFINED = 12  # best candidates of which fewer labels are tried


@dataclass(frozen=True)
class Found:
    """The best purchase: per stratum, labels trained on and their clean share; mean accuracy."""

    purchase: Purchase
    used: tuple[int, ...]
    clean: tuple[float, ...]
    mean: float


@dataclass(frozen=True)
class _Candidates:
    """Purchases in which stratum `free` takes labels along one curve; rows are candidates."""

    free: int
    curve: int
    others: NDArray[np.int64]  # (rows, strata), options; unused in the free column
    labels: list[Whole]  # of the free curve's segments; empty where none are bought
    counts: Array  # (rows, strata)
    clean: Array  # (rows, strata)
    money: Whole  # (rows,) units spent


class Search:
    """The candidates of one market, compared by one surface."""

    def __init__(self, market: Market, accuracy: MeanAccuracy) -> None:
        self.ledger = Ledger(market)
        self.strata = [Stratum(market, self.ledger, name) for name in market.strata]
        self._density = density_for(self.strata)
        self._accuracy = accuracy

    def best(self, limits: Whole) -> Found | None:
        """The purchase of largest mean accuracy; of equals the cheapest.

        `limits` (resources,) units of money and hours. None if they do not even pay for training
        on what was bought already.
        """
        options = [own.options(self._density, limits) for own in self.strata]
        groups = []
        for free in range(len(self.strata)):
            groups += self._candidates(free, options, limits)
        if not groups:
            return None
        counts = np.concatenate([group.counts for group in groups])
        clean = np.concatenate([group.clean for group in groups])
        money = np.concatenate([group.money for group in groups])
        means = self._accuracy.race(counts, clean)
        starts = np.cumsum([0, *(len(group.money) for group in groups)])

        def purchase(row: int) -> Purchase:
            index = int(np.searchsorted(starts, row, side="right")) - 1
            return _purchase(groups[index], row - int(starts[index]), options)

        top = np.argsort(-means, kind="stable")[:_REFINED]
        rows = Purchases(self.strata, self.ledger, self._accuracy, limits)
        more = rows.refined([purchase(int(row)) for row in top if np.isfinite(means[row])])
        if more:
            more_counts, more_clean = rows.mixes(more)
            counts, clean = np.vstack([counts, more_counts]), np.vstack([clean, more_clean])
            means = np.append(means, self._accuracy.mean(more_counts, more_clean))
            money = np.append(money, [rows.usage(own)[0] for own in more])
        equal = np.flatnonzero(means >= means.max() - TIE)
        chosen = int(min(equal, key=lambda row: (money[row], -means[row])))
        first = int(starts[-1])
        return Found(
            more[chosen - first] if chosen >= first else purchase(chosen),
            tuple(int(count) for count in counts[chosen]),
            tuple(float(share) for share in clean[chosen]),
            float(means[chosen]),
        )

    def _candidates(
        self, free: int, options: Sequence[Options], limits: Whole
    ) -> list[_Candidates]:
        """All options of the other strata, with nothing and with all the rest for the free one."""
        stratum = self.strata[free]
        rows: NDArray[np.int64] = np.zeros((1, 0), dtype=np.int64)
        used = self.ledger.zeros(1, len(limits))
        used[:, 0] = stratum.bought * self.ledger.training
        for place, own in enumerate(options):
            if place == free:
                rows = np.column_stack([rows, np.zeros(len(rows), dtype=np.int64)])
                continue
            chosen = own.affordable(limits)
            total = used[:, None] + own.usage[chosen][None]  # (rows, options, resources)
            first, second = np.nonzero((total <= limits).all(2))
            rows = np.column_stack([rows[first], chosen[second]])
            used = total[first, second]
        within = np.flatnonzero((used <= limits).all(1))
        rows, used = rows[within], used[within]
        if not len(rows):
            return []
        counts, clean = np.empty(rows.shape), np.empty(rows.shape)
        for place, own in enumerate(options):
            counts[:, place] = own.counts[rows[:, place]]
            clean[:, place] = own.clean[rows[:, place]]
        found = [_Candidates(free, 0, rows, [], counts, clean, used[:, 0])]
        for index, curve in enumerate(stratum.curves):
            labels, left, _ = curve.fill(limits - used)
            some = np.flatnonzero(sum(labels) > 0)
            labels = [own[some] for own in labels]
            own_counts, own_clean = counts[some], clean[some]
            own_counts[:, free], own_clean[:, free] = stratum.mixed(curve, labels)
            money = limits[0] - left[some, 0]
            found.append(_Candidates(free, index, rows[some], labels, own_counts, own_clean, money))
        return found


def _purchase(group: _Candidates, row: int, options: Sequence[Options]) -> Purchase:
    curves, labels, left_out = [], [], []
    for place, own in enumerate(options):
        option = int(group.others[row, place])
        if place == group.free:
            curves.append(group.curve)
            labels.append(tuple(int(part[row]) for part in group.labels))
            left_out.append(False)
        else:
            curves.append(int(own.curve[option]))
            labels.append(tuple(int(part[option]) for part in own.labels))
            left_out.append(bool(own.left_out[option]))
    return Purchase(tuple(curves), tuple(labels), tuple(left_out), group.free)
