"""Many probes trained on purchases and tested on the target's test set, batched."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.noise import redraw_rates
from budget.backtest.lending import Lender, Rehearsing
from budget.backtest.market import Market
from budget.backtest.offers import Offers, TrainingSet, generator
from budget.policies import Mix
from budget.surface.separation import READING_SEEDS, reading_size
from budget.worlds.world import LabelledItems, World
from training.probes.probe import LinearProbe, ProbeJob, fit_probes, score_probes
from training.probes.reading import MOST_READ, Reading, read
from training.probes.rehearsed import Rehearsed
from training.probes.rehearsing import Guessed, Guesser, Known, imagined_purchase

Correct = NDArray[np.bool_]
PenaltyRule = Literal["cross_validated", "per_size"]
"""How a probe's penalty is found.

- "cross_validated": by cross-validation on the purchase's own noisy labels, for every probe.
- "per_size": once per world and size of purchase, rounded to a power of two: the median choice of
  cross-validation on a few purchases of equal spending, made with the world's own error rates.
"""
PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_READING_PENALTY = 0.1
_CHOOSING_SEEDS = range(10_000, 10_006)  # markets apart from those that are played
_SCORED_AT_ONCE = 2**25  # scores, 256 MiB


class ProbeTrainer:
    """Trains a world's probes; what a purchase gives does not depend on what else is trained."""

    def __init__(self, world: World, rule: PenaltyRule) -> None:
        self._world = world
        self._items: LabelledItems = world.items
        self._rule = rule
        self._penalties: dict[int, float] = {}  # by rounded size
        self._known: dict[bytes, NDArray[np.uint8]] = {}  # packed, by what was trained on
        self._guesses: dict[tuple[int, str, bytes, bytes], tuple[Guessed, float]] = {}
        self.lender = Lender(world)
        self.trained = 0

    def correct(self, sets: Sequence[TrainingSet]) -> Correct:
        """Whether each test item is answered right, (sets, test items).

        A set without labels answers every item with its first choice. Policies that buy the same
        pilot ask for the same trainings: each is done once.
        """
        keys = [_key(one) for one in sets]
        new = {key: one for key, one in zip(keys, sets, strict=True) if key not in self._known}
        if new:
            correct = self._train(list(new.values()))
            self._known.update(zip(new, np.packbits(correct, axis=1), strict=True))
        items = self._items.test.size
        packed = [self._known[key] for key in keys]
        if not packed:
            return np.empty((0, items), dtype=bool)
        return np.unpackbits(np.stack(packed), axis=1, count=items).astype(bool)

    @cached_property
    def readings(self) -> list[Reading]:
        """What probes of the test set's right answers read in unlabelled items for sale.

        Each is trained on one half of the test items and compares the other with the pools. None
        where the test set is too small. No answer of an item for sale is used, not even to choose
        the penalty: what is read hardly depends on it, so that it is always the same.
        """
        unlabelled = {n: own for n, own in self._unlabelled.items() if n != self._items.target}
        if not unlabelled:
            return []
        return [self._read(*own, unlabelled) for own in self._taught]

    @cached_property
    def _taught(self) -> list[tuple[LinearProbe, TrainingSet]]:
        """Probes of the right answers to one half of the test items; none if they are too few."""
        items, seeds = self._items, range(READING_SEEDS)
        size = reading_size(items.test.size)
        if not size:
            return []
        sets = [self.lender.lend_right(size, seed) for seed in seeds]
        probes = fit_probes(items.features, items.mask, self._jobs(sets), (_READING_PENALTY,))
        return list(zip(probes, sets, strict=True))

    def rehearse(self, market: Market, wanted: Rehearsing) -> list[list[Rehearsed]]:
        """What purchases come to whose labels are guessed from all that was bought: mix by seed.

        Each seed is taught one half of the test items and scored on the other (`readings`).
        """
        known = {name: self._known_of(market, name) for name in market.strata}
        by_seed = [
            self._rehearse(seed, known, [dict(mix) for mix in wanted.mixes])
            for seed in range(len(self._taught))
        ]
        return [list(own) for own in zip(*by_seed, strict=True)]

    def _rehearse(
        self, seed: int, known: dict[str, Known], mixes: list[dict[str, int]]
    ) -> list[Rehearsed]:
        items, (_, taught) = self._items, self._taught[seed]
        guessed = {
            name: self._guessed(seed, name, known[name])
            for name in dict.fromkeys(name for mix in mixes for name in mix)
        }
        sets = [
            TrainingSet(
                *imagined_purchase(
                    {name: own for name, (own, _) in guessed.items()},
                    mix,
                    self._world.terms,
                    items.choice_counts,
                    lambda name: generator(self._world.name, "rehearse", seed, name),
                )
            )
            for mix in mixes
        ]
        scored = ~np.isin(items.test, taught.positions)
        correct = self.correct(sets)[:, scored].mean(1)
        return [
            Rehearsed(
                float(accuracy),
                max(guessed[name][0].surprise for name in mix),
                guessed[items.target][1] if items.target in mix else 0.0,
            )
            for mix, accuracy in zip(mixes, correct, strict=True)
        ]

    def _guessed(self, seed: int, name: str, known: Known) -> tuple[Guessed, float]:
        """Guesses, and their overconfidence where they are of the target; each made once."""
        key = (seed, name, known.rows.tobytes(), known.labels.tobytes())
        if key not in self._guesses:
            items, (_, taught) = self._items, self._taught[seed]
            guesser = self._guessers[seed]
            found = guesser.guess(self._unlabelled[name], known)
            over = 0.0
            if name == items.target:
                others = np.setdiff1d(items.test, taught.positions)
                over = guesser.overconfidence(found, others, items.answers[others])
            self._guesses[key] = (found, over)
        return self._guesses[key]

    @cached_property
    def _guessers(self) -> list[Guesser]:
        items = self._items
        return [
            Guesser(
                items.features,
                items.mask,
                own.positions,
                own.labels,
                probe,
                self._unlabelled[items.target],
            )
            for probe, own in self._taught
        ]

    def _known_of(self, market: Market, name: str) -> Known:
        bought, terms = market.bought_of(name), self._world.terms[name]
        counts = self._items.choice_counts[bought.positions]
        rates = redraw_rates(terms.error_rate, terms.error_kind, counts)
        order = np.argsort(bought.positions)
        return Known(bought.positions[order], bought.labels[order], rates[order])

    def _read(
        self, probe: LinearProbe, taught: TrainingSet, unlabelled: dict[str, NDArray[np.int64]]
    ) -> Reading:
        items = self._items

        def scores(positions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
            mask = items.mask[positions]
            return probe.scores(items.features[positions], mask), mask

        others = np.setdiff1d(items.test, taught.positions)
        return read(
            *scores(others),
            items.answers[others],
            {name: scores(own) for name, own in unlabelled.items()},
            items.features.shape[1] == 1,
        )

    @cached_property
    def _unlabelled(self) -> dict[str, NDArray[np.int64]]:
        """Items of every stratum, as many as are read of it."""
        rng = generator(self._world.name, "read", 0, "")
        pools = {name: own for name, own in self._items.pools.items() if own.size}
        return {name: rng.permutation(own)[:MOST_READ] for name, own in pools.items()}

    def _train(self, sets: Sequence[TrainingSet]) -> Correct:
        items = self._items
        answers = items.answers[items.test]
        out = np.empty((len(sets), items.test.size), dtype=bool)
        groups: dict[tuple[float, ...], list[int]] = {}
        for index, one in enumerate(sets):
            if one.labels.size == 0:
                out[index] = answers == items.mask[items.test].argmax(1)
            else:
                groups.setdefault(self._penalties_for(one.labels.size), []).append(index)
        for penalties, members in groups.items():
            step = max(1, _SCORED_AT_ONCE // (items.test.size * items.mask.shape[1]))
            for start in range(0, len(members), step):
                part = members[start : start + step]
                scores = self._scores([sets[index] for index in part], penalties)
                out[part] = scores.argmax(2) == answers
        self.trained += len(sets)
        return out

    def _scores(
        self, sets: Sequence[TrainingSet], penalties: Sequence[float]
    ) -> NDArray[np.float64]:
        items = self._items
        probes = fit_probes(items.features, items.mask, self._jobs(sets), penalties)
        return score_probes(probes, items.features[items.test], items.mask[items.test])

    def _jobs(self, sets: Sequence[TrainingSet]) -> list[ProbeJob]:
        one_hot = np.eye(self._items.mask.shape[1])
        return [ProbeJob(own.positions, one_hot[own.labels]) for own in sets]

    def _penalties_for(self, size: int) -> tuple[float, ...]:
        if self._rule == "cross_validated":
            return PENALTIES
        rounded = 2 ** round(np.log2(size))
        if rounded not in self._penalties:
            self._penalties[rounded] = self._choose(rounded)
        return (self._penalties[rounded],)

    def _choose(self, size: int) -> float:
        mix = _equal_spending(self._world, size)
        sets = [Offers(self._world, seed).first(mix) for seed in _CHOOSING_SEEDS]
        items = self._items
        probes = fit_probes(items.features, items.mask, self._jobs(sets), PENALTIES)
        return float(np.median([probe.penalty for probe in probes]))


def _key(one: TrainingSet) -> bytes:
    digest = hashlib.sha256(one.positions.tobytes())
    digest.update(one.labels.tobytes())
    return digest.digest()


def _equal_spending(world: World, size: int) -> Mix:
    """So many labels, as near as the pools allow, with the same money on every stratum."""
    inverse = {name: 1 / float(terms.cost) for name, terms in world.terms.items()}
    total = sum(inverse.values())
    return {
        name: min(max(1, round(size * share / total)), world.items.pools[name].size)
        for name, share in inverse.items()
    }


def penalty_rule(name: str) -> PenaltyRule:
    """A penalty rule by name.

    Raises InputError if there is none of that name.
    """
    if name not in get_args(PenaltyRule):
        known = ", ".join(get_args(PenaltyRule))
        raise InputError(f"penalty rule '{name}' is unknown; choose one of {known}.")
    return cast(PenaltyRule, name)
