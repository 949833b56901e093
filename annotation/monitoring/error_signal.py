"""Whether each judgment is wrong, as far as gold answers or the other annotators tell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.truth.aggregation import aggregate
from annotation.truth.coding import NO_GOLD, Coded

_LEVELS = 28
_LEAST_TOLD = 0.1  # of what an answer says about an error; below, it says nothing
_PRIOR = 10.0  # judgments that an annotator's accuracy is shrunk by to that of his stratum
_ODDS = np.array([2.5, 4.0, 7.0])  # by which the odds of an error rise


@dataclass(frozen=True)
class ErrorSignal:
    """Disagreement with the gold answer, or with what the others say, and what it tells.

    All (judgments,) of `Coded`. `disagrees`: the label is another than the right answer, where
    that is known, else than the most probable one by the judgments of the others. An annotator who
    errs with probability e disagrees with probability `base + slope e`: with a gold answer base is
    0 and slope is 1, and the less sure the others are, the larger the base and the smaller the
    slope. `tells`: whether there is anything to go by. `is_gold`: whether that is a gold answer.
    """

    disagrees: NDArray[np.bool_]
    base: Array
    slope: Array
    tells: NDArray[np.bool_]
    is_gold: NDArray[np.bool_]


def error_signal(coded: Coded) -> ErrorSignal:
    """Hold every judgment against the gold answer, or against the others' judgments.

    What the others say is their posterior under the one-coin model (Zhang et al. 2016, JMLR 17):
    every annotator has an accuracy in a stratum, and errs to all other choices alike. The
    judgment itself is left out of it.
    """
    gold = coded.gold[coded.item]
    is_gold = gold != NO_GOLD
    choices = coded.choice_counts[coded.item].astype(np.float64)
    sure, right = _others(coded)
    right = np.where(is_gold, gold, right)
    sure = np.where(is_gold, 1.0, sure)
    slope = sure - (1 - sure) / np.maximum(choices - 1, 1)
    return ErrorSignal(
        disagrees=coded.label != right,
        base=1 - sure,
        slope=slope,
        tells=slope > _LEAST_TOLD,
        is_gold=is_gold,
    )


def _others(coded: Coded) -> tuple[Array, IntArray]:
    """The most probable answer by the others, its probability first; both (judgments,)."""
    several = np.bincount(coded.item, minlength=len(coded.item_ids))[coded.item] > 1
    sure = np.zeros(coded.item.size)
    right = np.zeros(coded.item.size, dtype=np.int64)
    if not several.any():
        return sure, right
    posteriors = aggregate(coded, "one_coin").posteriors
    weight = _weights(coded, posteriors)
    most = posteriors.shape[1]
    votes = np.zeros(posteriors.shape)
    np.add.at(votes, (coded.item, coded.label), weight)
    if coded.kind == "shared":
        votes += np.log(np.maximum(posteriors.mean(axis=0), 1e-6))
    votes[np.arange(most) >= coded.choice_counts[:, None]] = -np.inf
    for start in range(0, coded.item.size, 65_536):
        part = slice(start, start + 65_536)
        own = votes[coded.item[part]]
        own[np.arange(len(own)), coded.label[part]] -= weight[part]
        own = np.exp(own - own.max(axis=1, keepdims=True))
        right[part] = own.argmax(axis=1)
        sure[part] = own.max(axis=1) / own.sum(axis=1)
    sure[~several] = 0.0
    return sure, right


def _weights(coded: Coded, posteriors: Array) -> Array:
    """By how much every judgment raises the log-odds of its label, (judgments,)."""
    strata = len(coded.strata)
    agrees = posteriors[coded.item, coded.label]
    stratum = coded.judged_stratum
    judged = np.maximum(np.bincount(stratum, minlength=strata), 1)
    usual = np.bincount(stratum, agrees, strata) / judged
    place = coded.annotator * strata + stratum
    cells = len(coded.annotators) * strata
    seen = np.bincount(place, minlength=cells)
    of_cell = np.tile(usual, len(coded.annotators))
    accuracy = (np.bincount(place, agrees, cells) + _PRIOR * of_cell) / (seen + _PRIOR)
    choices = coded.choice_counts[coded.item].astype(np.float64)
    own = np.clip(accuracy[place], 1 / choices + 0.01, 0.99)
    return np.asarray(np.log(own * np.maximum(choices - 1, 1) / (1 - own)))


class ErrorModel:
    """Error rates on a grid, and rises of their odds; see `annotation.monitoring.change_chart`."""

    directions, sizes = 1, _ODDS.size

    def __init__(self, signal: ErrorSignal) -> None:
        self._signal = signal
        odds = np.geomspace(0.005, 30.0, _LEVELS)
        self.levels = odds / (1 + odds)
        risen = odds[:, None, None] * _ODDS
        self._after = risen / (1 + risen)

    def before(self, rows: IntArray) -> Array:
        return self._log_likelihood(rows, self.levels)

    def after(self, rows: IntArray) -> Array:
        return self._log_likelihood(rows, self._after)

    def _log_likelihood(self, rows: IntArray, rates: Array) -> Array:
        shape = (-1, *(1,) * rates.ndim)
        signal = self._signal
        base, slope = (each[rows].reshape(shape) for each in (signal.base, signal.slope))
        chance = np.clip(base + slope * rates, 1e-6, 1 - 1e-6)
        disagrees = signal.disagrees[rows].reshape(shape)
        return np.asarray(np.log(np.where(disagrees, chance, 1 - chance)))

    def rate(self, rows: IntArray) -> float:
        """The error rate that explains observations best."""
        rates = np.arange(201) / 200
        return float(rates[self._log_likelihood(rows, rates).sum(axis=0).argmax()])

    def usual_rate(self, rows: IntArray, believed: Array) -> float:
        """The mean error rate after observations, where every level was so probable before."""
        weight = self.before(rows).sum(axis=0) + np.log(believed)
        weight = np.exp(weight - weight.max())
        return float(weight @ self.levels / weight.sum())
