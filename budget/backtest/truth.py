"""The truth of a world: mean target accuracy over many markets, on a dense grid of mixes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from annotation.arrays import Array
from annotation.labelling.labels import joined
from annotation.terms.cost import affordable
from budget.backtest.evidence import Trainer
from budget.market.simple_rules import Mix
from budget.worlds.world import World

STEPS = {2: 20, 3: 10}  # of the money's shares: 21 mixes of two strata, 66 of three
_STEPS_BEYOND = 6
_AT_ONCE = 128  # trainings between two signs of life


@dataclass(frozen=True)
class Truth:
    """Measured accuracies of a grid; `accuracy` (mixes, seeds)."""

    mixes: list[Mix]
    accuracy: Array

    @property
    def best(self) -> int:
        """The mix with the largest mean; of equals the first, which loses nothing to the others."""
        return int(self.accuracy.mean(1).argmax())

    @property
    def all_best(self) -> list[int]:
        """The mixes that share the largest mean: what is said of the best is said of them all."""
        means = self.mean()
        return [int(place) for place in np.flatnonzero(means == means.max())]

    def mean(self) -> Array:
        """(mixes,)."""
        return np.asarray(self.accuracy.mean(1))

    def optimism(self) -> float:
        """By how much the best mean may owe its place to luck.

        The best mix of one half of the seeds is scored on the other half, both ways; what is
        lost against the best mean of all is an upper estimate of the luck.
        """
        even, odd = self.accuracy[:, ::2], self.accuracy[:, 1::2]
        if odd.shape[1] == 0:
            return 0.0
        crossed = [
            there.mean(1)[here.mean(1) == here.mean(1).max()].mean()  # of equals, all of them
            for here, there in ((even, odd), (odd, even))
        ]
        return float(self.mean().max() - np.mean(crossed))


def grid_mixes(world: World) -> list[Mix]:
    """Mixes on a simplex of money shares, each within the budget and the pools; none twice."""
    items = world.items
    steps = STEPS.get(len(items.strata), _STEPS_BEYOND)
    found: dict[tuple[int, ...], Mix] = {}
    for shares in product(range(steps + 1), repeat=len(items.strata)):
        if sum(shares) != steps:
            continue
        mix = {
            name: min(
                affordable(world.budget, world.terms[name].cost, Fraction(share, steps)),
                int(items.pools[name].size),
            )
            for name, share in zip(items.strata, shares, strict=True)
        }
        found.setdefault(tuple(mix.values()), mix)
    return list(found.values())


class Scores:
    """Accuracies of mixes in markets, each trained once: a mix and a seed fix what is bought."""

    def __init__(self, world: World, trainer: Trainer) -> None:
        self._world = world
        self._trainer = trainer
        self._known: dict[tuple[int, tuple[int, ...]], float] = {}

    def know(self, mixes: Sequence[Mix], seeds: Sequence[int], accuracy: Array) -> None:
        """Take over accuracies (mixes, seeds) that were measured before."""
        for mix, row in zip(mixes, accuracy, strict=True):
            for seed, value in zip(seeds, row, strict=True):
                self._known[seed, self._counts(mix)] = float(value)

    def measure(self, wanted: Sequence[tuple[Mix, int]]) -> Iterator[int]:
        """Train what is not known yet of (mix, seed) pairs; yields how many were, as it goes."""
        pairs = {(seed, self._counts(mix)): mix for mix, seed in wanted}
        missing = [(pair, mix) for pair, mix in pairs.items() if pair not in self._known]
        # Purchases of a like size batch well.
        missing.sort(key=lambda own: sum(own[1].values()))
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            sets = [
                joined(
                    [
                        self._trainer.annotators.labels(name, mix.get(name, 0), seed)
                        for name in self._world.items.strata
                    ]
                )
                for (seed, _), mix in part
            ]
            means = self._trainer.correct(sets).mean(1)
            for (pair, _), value in zip(part, means, strict=True):
                self._known[pair] = float(value)
            yield len(part)

    def of(self, mix: Mix, seed: int) -> float:
        """The accuracy of a mix in a market.

        Raises KeyError if it was not measured.
        """
        return self._known[seed, self._counts(mix)]

    def _counts(self, mix: Mix) -> tuple[int, ...]:
        return tuple(mix.get(name, 0) for name in self._world.items.strata)
