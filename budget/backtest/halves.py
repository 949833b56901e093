"""What probes of the right answers to halves of the test items tell of the items for sale."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import IntArray, generator
from annotation.labelling.labels import Labels
from budget.backtest.evidence import stream_of
from budget.campaign.campaign import Campaign
from budget.campaign.play import Rehearsing
from budget.worlds.world import World
from training.probes.probe import ProbeJob, fit_probes
from training.unlabelled.halves import Bench, TaughtHalf, known_of
from training.unlabelled.lending import Lender
from training.unlabelled.reading import MOST_READ, Reading
from training.unlabelled.rehearsal import Known, Rehearser
from training.unlabelled.told import LEAST_READ, READING_SEEDS, Rehearsed, reading_size

_PENALTY = 0.1  # always the same: what is seen hardly depends on it


class TaughtHalves:
    """Probes are taught random halves of a world's test items, and look at what is for sale.

    Each seed draws its own half. Nothing is seen where the test set is too small. `correct` trains
    on labels as on those of any lesson, and says which test items come out right.
    """

    def __init__(
        self,
        world: World,
        lender: Lender,
        correct: Callable[[Sequence[Labels]], NDArray[np.bool_]],
    ) -> None:
        self._world, self._items = world, world.items
        self._lender, self._correct = lender, correct

    @cached_property
    def readings(self) -> list[Reading]:
        """What each probe reads in items for sale, next to the half it was not taught."""
        target = self._items.target
        unlabelled = {name: own for name, own in self._unlabelled.items() if name != target}
        return [half.read(unlabelled) for half in self._halves] if unlabelled else []

    def rehearse(self, asked: Sequence[tuple[Campaign, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """What purchases come to whose labels are guessed from all that a campaign bought.

        For every asking campaign and every mix that it wants, one by seed, each scored on the test
        items that the seed was not taught.
        """
        imagined = [
            (seed, dict(mix), {name: self._known(campaign, name) for name, _ in mix})
            for campaign, wanted in asked
            for mix in wanted.mixes
            for seed in range(len(self._halves))
        ]
        sets = [self._imagined(*own) for own in imagined]
        found = iter(
            Rehearsed(
                float(correct[self._untaught[seed]].mean()),
                *self._rehearser(seed).doubts(mix, known),
            )
            for (seed, mix, known), correct in zip(imagined, self._correct(sets), strict=True)
        )
        return [[[next(found) for _ in self._halves] for _ in wanted.mixes] for _, wanted in asked]

    def _imagined(self, seed: int, mix: dict[str, int], known: dict[str, Known]) -> Labels:
        rows, labels = self._rehearser(seed).imagine(
            mix, known, self._world.terms, partial(self._luck, seed)
        )
        return Labels(rows, labels[:, None], np.zeros(rows.size))

    def _luck(self, seed: int, stratum: str) -> np.random.Generator:
        return generator(f"{stream_of(self._world)}rehearse", seed, stratum)

    def _rehearser(self, seed: int) -> Rehearser:
        return self._halves[seed].rehearser

    @cached_property
    def _taught(self) -> list[tuple[IntArray, IntArray]]:
        """Positions and right answers of each seed's half; none if the test items are too few."""
        size = reading_size(self._items.test.size)
        seeds = range(READING_SEEDS) if size else range(0)
        if any(self._lender.scored(size, seed).sum() < LEAST_READ for seed in seeds):
            return []
        return [self._lender.lend_right(size, seed) for seed in seeds]

    @cached_property
    def _halves(self) -> list[TaughtHalf]:
        items, classes = self._items, np.eye(self._items.mask.shape[1])
        if not self._taught:
            return []
        jobs = [ProbeJob(positions, classes[answers]) for positions, answers in self._taught]
        probes = fit_probes(items.features, items.mask, jobs, (_PENALTY,))
        bench = Bench(
            items.features,
            items.mask,
            items.answers,
            items.target,
            self._unlabelled.__getitem__,
            items.features.shape[1] == 1,
        )
        return [
            TaughtHalf(bench, probe, positions, np.sort(items.test[untaught]))
            for probe, (positions, _), untaught in zip(
                probes, self._taught, self._untaught, strict=True
            )
        ]

    @cached_property
    def _untaught(self) -> list[NDArray[np.bool_]]:
        """Of each seed, the test items of groups that were not taught, (test items,)."""
        return [self._lender.scored(own.size, seed) for seed, (own, _) in enumerate(self._taught)]

    def _known(self, campaign: Campaign, name: str) -> Known:
        bought = campaign.bought_of(name)
        return known_of(bought, bought.positions)

    @cached_property
    def _unlabelled(self) -> dict[str, IntArray]:
        """Items of every stratum, as many as are read of it."""
        rng = generator(f"{stream_of(self._world)}read", 0, "")
        pools = {name: own for name, own in self._items.pools.items() if own.size}
        return {name: rng.permutation(own)[:MOST_READ] for name, own in pools.items()}
