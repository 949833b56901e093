"""Error rates by the hardness model, with intervals from its posterior."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logit

from annotation.arrays import Array
from annotation.intervals import (
    CONFIDENCE,
    NOTHING,
    Interval,
    Scope,
)
from annotation.truth.coding import Coded
from annotation.truth.hardness_fit import HardnessFit
from annotation.truth.hardness_model import LOG_WEIGHTS, Parameters

DRAWS = 1000
_WEIGHTS = np.exp(LOG_WEIGHTS)
_SMALLEST = 1e-6


class HardnessRates:
    """Expected share of wrong judgments on items like these, per stratum and annotator.

    A stratum's rate is that of its judgments: an annotator counts as often as he judged there.
    """

    def __init__(self, fit: HardnessFit, coded: Coded, draws: int = DRAWS, seed: int = 0) -> None:
        self.coded = coded
        many, strata = len(coded.annotators), len(coded.strata)
        key = coded.annotator * strata + coded.judged_stratum
        cells, of_cell = np.unique(key, return_inverse=True)
        self._annotator, self._stratum = cells // strata, cells % strata
        self._count = np.bincount(of_cell).astype(np.float64)
        # Of every cell, how far a redrawn answer is wrong on average over its items.
        chance = 1 - 1 / coded.choice_counts[coded.item]
        self._wrong = np.bincount(of_cell, chance) / self._count
        drawn = fit.draw(draws, seed)
        self._draws = np.array(
            [self._rates(Parameters.from_vector(vector, many)) for vector in drawn]
        )  # (draws, cells)

    def _rates(self, parameters: Parameters) -> Array:
        """Share of wrong judgments of every cell of annotator and stratum, (cells,)."""
        knows = parameters.knows(self._annotator, self._stratum) @ _WEIGHTS
        return np.asarray((1 - knows) * self._wrong)

    def stratum(self, stratum: int, scope: Scope, confidence: float = CONFIDENCE) -> Interval:
        """The error rate of a stratum; nothing where none of it was judged."""
        return self._interval(self._stratum == stratum, scope, confidence)

    def group(
        self,
        annotators: NDArray[np.bool_],
        stratum: int,
        scope: Scope,
        confidence: float = CONFIDENCE,
    ) -> Interval:
        """The error rate of some annotators in a stratum; `annotators` (annotators,)."""
        cells = (self._stratum == stratum) & annotators[self._annotator]
        return self._interval(cells, scope, confidence)

    def annotator(self, annotator: int, confidence: float = CONFIDENCE) -> Interval:
        """The error rate of an annotator over the strata as he judged them."""
        return self._interval(self._annotator == annotator, "these", confidence)

    def annotators(self, confidence: float = CONFIDENCE) -> list[Interval]:
        """The error rate of every annotator, in their order."""
        return [self.annotator(number, confidence) for number in range(len(self.coded.annotators))]

    def _interval(self, cells: NDArray[np.bool_], scope: Scope, confidence: float) -> Interval:
        weights = self._count[cells]
        if not weights.size:
            return NOTHING
        weights = weights / weights.sum()
        draws = self._draws[:, cells] @ weights
        # Not the rate at the most probable parameters: the rate is no straight line of abilities.
        estimate = float(draws.mean())
        ends = [0.5 - confidence / 2, 0.5 + confidence / 2]
        low, high = np.quantile(draws, ends)
        if scope == "like_these":
            low, high = self._widened(cells, weights, estimate, draws, confidence)
        return Interval(estimate, min(float(low), estimate), max(float(high), estimate))

    def _widened(
        self,
        cells: NDArray[np.bool_],
        weights: Array,
        estimate: float,
        draws: Array,
        confidence: float,
    ) -> tuple[float, float]:
        """The interval with annotators taken for a sample of their kind.

        To the posterior's variance comes that of a weighted mean over annotators who are drawn
        anew; the quantile is that of t with Satterthwaite's degrees of freedom.
        """
        many = weights.size
        if many == 1:
            return 0.0, 1.0
        rates = self._draws[:, cells]
        apart = ((rates - (rates @ weights)[:, None]) ** 2) @ weights**2
        between = float(apart.mean()) * many / (many - 1)
        variance = float(draws.var()) + between
        freedom = (many - 1) * (variance / between) ** 2 if between else np.inf
        inside = min(max(estimate, _SMALLEST), 1 - _SMALLEST)
        half = stats.t.ppf(0.5 + confidence / 2, freedom) * np.sqrt(variance)
        half /= inside * (1 - inside)
        ends = logit(inside) + np.array([-half, half])
        low, high = 1 / (1 + np.exp(-np.clip(ends, -50, 50)))
        return float(low), float(high)
