"""Where a campaign stands: what was bought, what money is left, what is still for sale."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from annotation.terms.cost import (
    LabelTerms,
    affordable,
    affordable_by_shares,
    money_left,
)

Counts = NDArray[np.int64]


@lru_cache(maxsize=64)
def _compositions(total: int, parts: int) -> Counts:
    """All ways to write a number as a sum of so many, in order: (ways, parts)."""
    ways = [own for own in product(range(total + 1), repeat=parts) if sum(own) == total]
    return np.array(ways)


@dataclass(frozen=True)
class Position:
    """A campaign between two purchases.

    Attributes
    ----------
    strata : for sale, in order of hardness
    terms : stratum -> terms of sale
    capacity : stratum -> labels that can be bought in all, those bought already included
    bought : stratum -> labels bought so far
    money : what is left to spend
    """

    strata: tuple[str, ...]
    terms: Mapping[str, LabelTerms]
    capacity: Mapping[str, int]
    bought: Mapping[str, int]
    money: Decimal

    @property
    def counts(self) -> Counts:
        """Labels bought, (strata,)."""
        return np.array([self.bought.get(name, 0) for name in self.strata])

    def buyable(self, shares: Mapping[str, Fraction]) -> dict[str, int]:
        """How many labels of each stratum these shares of the money buy, as items allow."""
        return {
            name: min(
                affordable(self.money, self.terms[name].cost, share),
                self.capacity[name] - self.bought.get(name, 0),
            )
            for name, share in shares.items()
            if share
        }

    def _ladder(self, name: str, steps: int) -> Counts:
        """Labels that 0, 1, ... parts of the money buy, as items allow: (steps + 1,)."""
        most = self.capacity[name] - self.bought.get(name, 0)
        found = affordable_by_shares(self.money, self.terms[name].cost, steps)
        return np.array([min(count, most) for count in found])

    def _bought_out(self) -> list[Counts]:
        """All there is of some strata and the rest of the money on another: each (1, strata)."""
        left = {name: self.capacity[name] - self.bought.get(name, 0) for name in self.strata}
        found: list[Counts] = []
        for whole in product((False, True), repeat=len(self.strata)):
            mix = {name: left[name] * own for name, own in zip(self.strata, whole, strict=True)}
            rest = money_left(self.money, mix, self.terms)
            if rest < 0 or not any(mix.values()):
                continue
            if all(whole):
                found.append(np.array([[*mix.values()]]))
            for name, own in zip(self.strata, whole, strict=True):
                more = affordable(rest, self.terms[name].cost)
                if not own and more < left[name]:  # else there is a mix that buys it out, too
                    found.append(np.array([[*(mix | {name: more}).values()]]))
        return found

    def after(self, purchase: Mapping[str, int]) -> "Position":
        """The position after one more purchase."""
        bought = {name: self.bought.get(name, 0) + purchase.get(name, 0) for name in self.strata}
        left = money_left(self.money, purchase, self.terms)
        return Position(self.strata, self.terms, self.capacity, bought, left)

    def final_mixes(self, steps: int) -> tuple[Counts, Counts]:
        """What may be trained on at the end, and what has to be bought for it.

        Both are (mixes, strata). All money, and none of it, is spent in shares of 1 / `steps`;
        labels of a stratum that was bought before may be left out of training, where no more of
        them are bought. Where the money buys all that there is of a stratum, the rest goes to the
        others whole, too.
        """
        ladders = [self._ladder(name, steps) for name in self.strata]
        shares = _compositions(steps, len(self.strata))
        columns = zip(ladders, shares.T, strict=True)
        spent = np.column_stack([ladder[share] for ladder, share in columns])
        nothing = np.zeros((1, len(self.strata)), dtype=np.int64)
        purchases = np.unique(np.vstack([nothing, spent, *self._bought_out()]), axis=0)
        used, paid = [], []
        here = self.counts
        for left_out in product((False, True), repeat=len(self.strata)):
            out = np.array(left_out)
            if (out & (here == 0)).any():
                continue
            fits = ~(purchases[:, out] > 0).any(1)
            used.append(np.where(out, 0, here + purchases[fits]))
            paid.append(purchases[fits])
        mixes, purchases = np.concatenate(used), np.concatenate(paid)
        some = mixes.sum(1) > 0
        return mixes[some], purchases[some]
