"""The luck of a purchase: which items it holds, and where their labels err.

Every label pushes accuracy by a chance amount of its own. In a mix of N labels with clean shares
c the push of one label has the variance

    luck^2 / ((sum of n c)^2 + 32 N)

so a purchase of N clean labels varies like luck / sqrt(N + 32). Measured on 66 tasks, 3 to 800
labels: luck is about .27 whatever the error rates; the 32 keeps small purchases from
varying without bounds. Labels that two trainings share push both.
"""

import numpy as np
from numpy.typing import NDArray

from budget.surface.observation import Observation

Array = NDArray[np.float64]
LUCK = 0.27
_OFFSET = 32.0
_MOST = 0.08  # standard deviation of an accuracy by luck
_PRIOR_SEEDS = 10.0  # what LUCK counts against the seeds of the pilot


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


def fresh_luck(counts: Array, had: Array, clean: Array, luck: float = LUCK) -> Array:
    """Variance (mixes,) of accuracy by the labels of a mix beyond those that were had before.

    `counts` (mixes, strata), `had` (strata,) or (1, strata), `clean` (strata,).
    """
    fresh = np.maximum(counts - had, 0).sum(1)
    return np.asarray(np.minimum(luck**2 * _pushes(counts, clean) * fresh, _MOST**2))


def estimate_luck(
    observations: list[Observation], counts: Array, bought: Array, clean: Array
) -> float:
    """Luck as the seeds of a pilot show it, drawn towards `LUCK` where they are few.

    Seeds differ by their subsamples and by chance on every test item; the latter is taken off.
    """
    unit = _pushes(counts, clean) * (counts * (1 - counts / np.maximum(bought, 1))).sum(1)
    total, weight = LUCK**2 * _PRIOR_SEEDS, _PRIOR_SEEDS
    for observation, expected in zip(observations, unit, strict=True):
        seeds = len(observation.correct)
        if seeds < 2 or observation.pilot_share >= 0.9 or expected <= 0:
            continue
        shown = observation.correct.mean(1).var(ddof=1)
        chance = observation.correct.var(0, ddof=1).mean() / observation.correct.shape[1]
        total += (seeds - 1) * max(shown - chance, shown / 4) / expected
        weight += seeds - 1
    return float(np.sqrt(total / weight))
