"""Many probes trained on purchases and tested on the target's test set, batched."""

import hashlib
from collections.abc import Sequence
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Correct
from annotation.errors import InputError
from annotation.groups import turns
from annotation.labelling.labels import Labels, joined
from annotation.ties import OF_PROBES, pick
from budget.backtest.evidence import annotators_of, campaign_in, lender_of
from budget.backtest.halves import TaughtHalves
from budget.campaign.campaign import Campaign
from budget.market.simple_rules import Mix
from budget.worlds.world import LabelledItems, World
from training.probes.probe import LinearProbe, ProbeJob, fit_probes, score_probes

PenaltyRule = Literal["cross_validated", "per_size"]
"""How a probe's penalty is found.

- "cross_validated": by cross-validation on the purchase's own noisy labels, for every probe.
- "per_size": once per world and size of purchase, rounded to a power of two: the median choice of
  cross-validation on a few purchases of equal spending, made with the world's own error rates.
"""
PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_CHOOSING_SEEDS = range(10_000, 10_006)  # markets apart from those that are played
_SCORED_AT_ONCE = 2**25  # scores, 256 MiB


class ProbeTrainer:
    """Trains a world's probes; what a purchase gives does not depend on what else is trained.

    `lender` lends labels of test items; `looker` tells what probes of halves of the test set see.
    """

    def __init__(self, world: World, rule: PenaltyRule) -> None:
        self._world = world
        self._items: LabelledItems = world.items
        self._groups = turns(world.items.groups)
        self._rule = rule
        self._penalties: dict[int, float] = {}  # by rounded size
        self._known: dict[bytes, NDArray[np.uint8]] = {}  # packed, by what was trained on
        self.annotators = annotators_of(world)
        self.lender = lender_of(world, self.annotators)
        self.looker = TaughtHalves(world, self.lender, self.correct)
        self.trained = 0

    def campaign(self, seed: int) -> Campaign:
        """A campaign whose purchases are trained on here."""
        return campaign_in(self._world, seed, self.annotators)

    def correct(self, sets: Sequence[Labels]) -> Correct:
        """Whether each test item is answered right, (sets, test items).

        Of choices that tie one is drawn; a set without labels answers with any. Policies that buy
        the same pilot ask for the same trainings: each is done once.
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

    def _train(self, sets: Sequence[Labels]) -> Correct:
        items = self._items
        answers, draws = items.answers[items.test], items.tie_draws[items.test]
        nothing_known = np.where(items.mask[items.test], 0.0, -np.inf)
        out = np.empty((len(sets), items.test.size), dtype=bool)
        groups: dict[tuple[float, ...], list[int]] = {}
        for index, one in enumerate(sets):
            if one.labels.size == 0:
                out[index] = pick(nothing_known, draws, OF_PROBES) == answers
            else:
                groups.setdefault(self._penalties_for(one.labels.size), []).append(index)
        for penalties, members in groups.items():
            step = max(1, _SCORED_AT_ONCE // (items.test.size * items.mask.shape[1]))
            for start in range(0, len(members), step):
                part = members[start : start + step]
                scores = self._scores([sets[index] for index in part], penalties)
                out[part] = pick(scores, draws, OF_PROBES) == answers
        self.trained += len(sets)
        return out

    def _scores(self, sets: Sequence[Labels], penalties: Sequence[float]) -> NDArray[np.float64]:
        items = self._items
        probes = self._fit(sets, penalties)
        return score_probes(probes, items.features[items.test], items.mask[items.test])

    def _jobs(self, sets: Sequence[Labels]) -> list[ProbeJob]:
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
        sets = [
            joined([self.annotators.labels(name, count, seed) for name, count in mix.items()])
            for seed in _CHOOSING_SEEDS
        ]
        return float(np.median([probe.penalty for probe in self._fit(sets, PENALTIES)]))

    def _fit(self, sets: Sequence[Labels], penalties: Sequence[float]) -> list[LinearProbe]:
        items, jobs = self._items, self._jobs(sets)
        return fit_probes(items.features, items.mask, jobs, penalties, groups=self._groups)


def _key(one: Labels) -> bytes:
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
