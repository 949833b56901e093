"""What a world sells in one market: its items in the order they are handed out, with their labels.

Everything is drawn beforehand, per seed and stratum from streams of their own: a smaller purchase
is the beginning of a larger one, whatever else is bought, and a lower error rate errs on a subset
of a higher one's items. So any two mixes in the same market compare in pairs.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.terms.noise import draw_labels
from budget.worlds.world import World

Positions = NDArray[np.int64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingSet:
    """Bought items and their noisy labels, both (labels,), easy before hard."""

    positions: Positions
    labels: Labels


class Offers:
    """One market's goods: `positions` and noisy `labels` of every stratum, in order of sale."""

    def __init__(self, world: World, seed: int) -> None:
        items = world.items
        self.strata = items.strata
        self.positions: dict[str, Positions] = {}
        self.labels: dict[str, Labels] = {}
        for name, pool in items.pools.items():
            order = generator(world.name, "order", seed, name).permutation(pool)
            self.positions[name] = order
            self.labels[name] = draw_labels(
                items.answers[order],
                items.choice_counts[order],
                world.terms[name].error_rate,
                world.terms[name].error_kind,
                generator(world.name, "errors", seed, name),
            )

    def first(self, counts: Mapping[str, int]) -> TrainingSet:
        """The purchase of so many labels of each stratum.

        Raises ValueError if there are not so many.
        """
        return self.choose({name: np.arange(count) for name, count in counts.items()})

    def choose(self, places: Mapping[str, NDArray[np.int64]]) -> TrainingSet:
        """Items by their places in the order of sale.

        Raises ValueError if a stratum has no such places.
        """
        positions, labels = [], []
        for name in self.strata:
            own = np.asarray(places.get(name, ()), dtype=np.int64)
            there = self.positions[name].size
            if own.size and (own.min() < 0 or own.max() >= there):
                raise ValueError(f"stratum '{name}' has places 0 to {there - 1}; got {own}.")
            positions.append(self.positions[name][own])
            labels.append(self.labels[name][own])
        return TrainingSet(np.concatenate(positions), np.concatenate(labels))


def generator(world: str, purpose: str, seed: int, stratum: str) -> np.random.Generator:
    """A stream of its own for every world, purpose, seed and stratum.

    Worlds of the same items must not share the luck of a market: intervals over worlds would be
    too narrow.
    """
    digest = hashlib.sha256(f"backtest {world}/{purpose}/{stratum}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
