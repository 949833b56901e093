"""The luck of a purchase: which items it holds, and where their labels err.

Every label pushes accuracy by a chance amount of its own. In a mix of N labels with clean shares
c the push of one label has the variance

    luck^2 / ((sum of n c)^2 + 32 N)

so a purchase of N clean labels varies like luck / sqrt(N + 32). Measured on 66 tasks, 3 to 800
labels: luck is about .27 whatever the error rates; the 32 keeps small purchases from
varying without bounds. Labels that two trainings share push both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array
from budget.surface.observation import Observation

LUCK = 0.27
_OFFSET = 32.0
_MOST = 0.08  # standard deviation of an accuracy by luck
_PRIOR_SEEDS = 10.0  # what LUCK counts against the seeds of the pilot


def luck_variance(labels: int) -> float:
    """Variance of accuracy by the luck of so many clean labels."""
    return LUCK**2 / (labels + _OFFSET)


def _pushes(counts: Array, clean: Array) -> Array:
    """Variance of one label's push, for a luck of 1: (mixes,)."""
    total = counts.sum(1)
    return np.asarray(1 / np.maximum((counts @ clean) ** 2 + _OFFSET * total, 1e-9))


def luck_covariance(
    counts: Array, bought: Array, clean: Array, seeds: Array, luck: float = LUCK
) -> Array:
    """Covariance (mixes, mixes) of accuracies that are means over subsamples of one purchase.

    Parameters
    ----------
    counts : (mixes, strata) labels trained on
    bought : (strata,) labels of the purchase that all subsamples are drawn from
    clean : (strata,) share of clean labels
    seeds : (mixes,) subsamples of each mix
    """
    push = luck * np.sqrt(_pushes(counts, clean))
    of_all = np.maximum(bought, 1)
    shared = np.einsum("is,js,s->ij", counts, counts, 1 / of_all)
    covariance = push[:, None] * push * shared
    own = push**2 * (counts * (1 - counts / of_all)).sum(1) / seeds
    covariance[np.diag_indices(len(counts))] += own
    deviation = np.sqrt(np.diag(covariance))
    shrink = np.minimum(1, _MOST / np.maximum(deviation, 1e-12))
    return np.asarray(covariance * shrink[:, None] * shrink)


@dataclass(frozen=True)
class KnownLuck:
    """What a fit found out about the luck of labels that are bought already.

    Whoever trains on these labels again keeps their luck: it belongs to the prediction of every
    purchase that goes on from here, and not to that of a fresh one.

    Attributes
    ----------
    parts : (observations, strata) labels trained on, subsamples of what was bought
    push : (observations,) standard deviation of one label's push in each, see `bounded_push`
    bought : (strata,)
    inverse : (observations, observations) of the covariance of the measured accuracies
    pull : (draws, observations) inverse times what each draw of the surface leaves unexplained
    """

    parts: Array
    push: Array
    bought: Array
    inverse: Array
    pull: Array

    def shared(self, counts: Array, clean: Array, luck: float) -> Array:
        """Covariance of the luck of mixes and observations, (mixes, observations).

        Of what was bought a mix holds all, as far as its counts go.
        """
        push = bounded_push(counts, clean, luck)
        common = np.minimum(counts, self.bought) / np.maximum(self.bought, 1)
        return np.asarray(push[:, None] * self.push * (common @ self.parts.T))

    def expected(self, counts: Array, clean: Array, luck: float) -> Array:
        """Accuracy (draws, mixes) that the luck of the labels had adds to each draw's surface."""
        return np.asarray(self.pull @ self.shared(counts, clean, luck).T)

    def variance(self, counts: Array, clean: Array, luck: float) -> Array:
        """What stays unknown of the luck of the labels had, (mixes,)."""
        shared = self.shared(counts, clean, luck)
        held = np.minimum(counts, self.bought).sum(1)
        own = bounded_push(counts, clean, luck) ** 2 * held
        return np.asarray(np.maximum(own - ((shared @ self.inverse) * shared).sum(1), 0))


def bounded_push(counts: Array, clean: Array, luck: float) -> Array:
    """Standard deviation of one label's push, so that all together stay within the bound."""
    push = luck * np.sqrt(_pushes(counts, clean))
    deviation = push * np.sqrt(counts.sum(1))
    return np.asarray(push * np.minimum(1, _MOST / np.maximum(deviation, 1e-12)))


def fresh_luck(counts: Array, had: Array, clean: Array, luck: float = LUCK) -> Array:
    """Variance (mixes,) of accuracy by the labels of a mix beyond those that were had before.

    `counts` (mixes, strata), `had` (strata,) or (1, strata), `clean` (strata,).
    """
    fresh = np.maximum(counts - had, 0).sum(1)
    return np.asarray(np.minimum(luck**2 * _pushes(counts, clean) * fresh, _MOST**2))


def training_variance(observations: Sequence[Observation]) -> float:
    """Variance of accuracy between trainings on the very same labels; 0 where none was repeated.

    A probe always gives the same; an adapter's start, order and drop-out do not.
    """
    whole = [
        o for o in observations if o.pilot_share >= 1 and len(o.correct) > 1 and not o.borrowed
    ]
    if not whole:
        return 0.0
    return float(np.mean([o.correct.mean(1).var(ddof=1) for o in whole]))


def estimate_luck(
    observations: list[Observation], counts: Array, bought: Array, clean: Array
) -> float:
    """Luck as the seeds of a pilot show it, drawn towards `LUCK` where they are few.

    Seeds differ by their subsamples and by chance on every test item; the latter is taken off.
    Where labels are borrowed, seeds are scored on different items: those are left out.
    """
    unit = _pushes(counts, clean) * (counts * (1 - counts / np.maximum(bought, 1))).sum(1)
    total, weight = LUCK**2 * _PRIOR_SEEDS, _PRIOR_SEEDS
    for observation, expected in zip(observations, unit, strict=True):
        seeds = len(observation.correct)
        if seeds < 2 or observation.pilot_share >= 0.9 or expected <= 0 or observation.borrowed:
            continue
        shown = observation.correct.mean(1).var(ddof=1)
        chance = observation.correct.var(0, ddof=1).mean() / observation.test_items
        total += (seeds - 1) * max(shown - chance, shown / 4) / expected
        weight += seeds - 1
    return float(np.sqrt(total / weight))
