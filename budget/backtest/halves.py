"""What probes of the right answers to halves of the test items tell of the items for sale."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from annotation.terms.clean_share import redraw_rates
from budget.backtest.lending import Lender
from budget.backtest.offers import TrainingSet, generator
from budget.campaign.play import Rehearsing
from budget.market.market import Market
from budget.worlds.world import LabelledItems, World
from training.probes.probe import LinearProbe, ProbeJob, fit_probes
from training.unlabelled.reading import MOST_READ, Reading, read
from training.unlabelled.rehearser import Rehearser
from training.unlabelled.rehearsing import Guesser, Known
from training.unlabelled.told import READING_SEEDS, Rehearsed, reading_size

Positions = NDArray[np.int64]
_PENALTY = 0.1  # always the same: what is seen hardly depends on it


class TaughtHalves:
    """Probes are taught random halves of a world's test items, and look at what is for sale.

    Each seed draws its own half. Nothing is seen where the test set is too small. Neither what is
    read nor what is guessed uses an answer of an item for sale. `correct` trains on sets as on
    those of any lesson, and says which test items come out right.
    """

    def __init__(
        self,
        world: World,
        lender: Lender,
        correct: Callable[[Sequence[TrainingSet]], NDArray[np.bool_]],
    ) -> None:
        self._world = world
        self._items: LabelledItems = world.items
        self._lender, self._correct = lender, correct

    @cached_property
    def readings(self) -> list[Reading]:
        """What each probe reads in items for sale, next to the half it was not taught."""
        items = self._items
        unlabelled = {n: own for n, own in self._unlabelled.items() if n != items.target}
        if not unlabelled:
            return []
        return [
            read(
                *self._scores(probe, others),
                items.answers[others],
                {name: self._scores(probe, own) for name, own in unlabelled.items()},
                items.features.shape[1] == 1,
            )
            for (probe, _), others in zip(self._taught, self._others, strict=True)
        ]

    def rehearse(self, asked: Sequence[tuple[Market, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """What purchases come to whose labels are guessed from all that a market sold.

        For every asking market and every mix that it wants, one by seed, each scored on the test
        items that the seed was not taught.
        """
        imagined = [
            (seed, dict(mix), {name: self._known(market, name) for name, _ in mix})
            for market, wanted in asked
            for mix in wanted.mixes
            for seed in range(len(self._taught))
        ]
        sets = [
            TrainingSet(
                *self._rehearsers[seed].imagine(
                    mix, known, self._world.terms, partial(self._luck, seed)
                )
            )
            for seed, mix, known in imagined
        ]
        found = iter(
            Rehearsed(
                float(correct[self._untaught[seed]].mean()),
                *self._rehearsers[seed].doubts(mix, known),
            )
            for (seed, mix, known), correct in zip(imagined, self._correct(sets), strict=True)
        )
        return [[[next(found) for _ in self._taught] for _ in wanted.mixes] for _, wanted in asked]

    def _luck(self, seed: int, stratum: str) -> np.random.Generator:
        return generator(self._world.name, "rehearse", seed, stratum)

    @cached_property
    def _taught(self) -> list[tuple[LinearProbe, TrainingSet]]:
        """Probes of the right answers to one half of the test items; none if they are too few."""
        items = self._items
        size = reading_size(items.test.size)
        if not size:
            return []
        sets = [self._lender.lend_right(size, seed) for seed in range(READING_SEEDS)]
        classes = np.eye(items.mask.shape[1])
        jobs = [ProbeJob(own.positions, classes[own.labels]) for own in sets]
        probes = fit_probes(items.features, items.mask, jobs, (_PENALTY,))
        return list(zip(probes, sets, strict=True))

    @cached_property
    def _untaught(self) -> list[NDArray[np.bool_]]:
        """Of each seed, the test items that were not taught, (test items,)."""
        return [~np.isin(self._items.test, taught.positions) for _, taught in self._taught]

    @cached_property
    def _rehearsers(self) -> list[Rehearser]:
        items = self._items
        return [
            Rehearser(
                Guesser(
                    items.features,
                    items.mask,
                    taught=taught.positions,
                    answers=taught.labels,
                    probe=probe,
                    alike=self._unlabelled[items.target],
                ),
                self._unlabelled.__getitem__,
                choices=items.choice_counts,
                target=items.target,
                others=others,
                answers=items.answers[others],
            )
            for (probe, taught), others in zip(self._taught, self._others, strict=True)
        ]

    @cached_property
    def _others(self) -> list[Positions]:
        """Of each seed, the positions of the test items that were not taught."""
        return [np.sort(self._items.test[untaught]) for untaught in self._untaught]

    def _known(self, market: Market, name: str) -> Known:
        bought, terms = market.bought_of(name), self._world.terms[name]
        counts = self._items.choice_counts[bought.positions]
        rates = redraw_rates(terms.error_rate, terms.error_kind, counts)
        order = np.argsort(bought.positions)
        return Known(bought.positions[order], bought.labels[order], rates[order])

    def _scores(
        self, probe: LinearProbe, positions: Positions
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        mask = self._items.mask[positions]
        return probe.scores(self._items.features[positions], mask), mask

    @cached_property
    def _unlabelled(self) -> dict[str, Positions]:
        """Items of every stratum, as many as are read of it."""
        rng = generator(self._world.name, "read", 0, "")
        pools = {name: own for name, own in self._items.pools.items() if own.size}
        return {name: rng.permutation(own)[:MOST_READ] for name, own in pools.items()}
