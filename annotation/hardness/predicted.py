"""Predicted hardness: a measure of items that nobody has rated, with an interval.

A ridge regression on features of the items (hidden states of a model, or anything else) learns the
measure from the items that have it. Predictions are drawn to the measure's mean, so that beside
measured values few of them are extreme: what compares both takes `one_scale`, where a rated item
has the prediction of a regression that never saw its group.

Intervals are CV+ (Barber, Candes, Ramdas and Tibshirani 2021, Annals of Statistics 49, 486-507):
regressions that leave out one fold each are compared with that fold's items, and the differences
are put about their predictions of a new item. They hold in finite samples, whatever the regression
is worth, as long as rated and new items are exchangeable: where the rated ones were picked by hand,
they need not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.groups import group_folds
from annotation.hardness.ridge import fit_ridge

FEWEST_RATED = 20
FOLDS = 10
_VALUES_AT_ONCE = 2**22  # new items x rated items, 32 MiB
_ROUNDING = 1e-9
_BEYOND_CHANCE = 1.645  # standard errors of a rank correlation, of one side


@dataclass(frozen=True)
class PredictedHardness:
    """A measure for all items.

    Attributes
    ----------
    values : (items,), the measure where it is known, else its prediction
    low, high : (items,), the interval; the measure itself where it is known
    out_of_fold : (items,), what is predicted for rated items by regressions that never saw them;
        NaN for the others
    coverage : nominal, of the intervals
    spearman : rank correlation of measure and out-of-fold prediction; NaN where one is constant
    explained : share of the measure's variance that out-of-fold predictions explain, at most 1;
        0 or less says that features tell nothing
    rated : how many items the measure is known of
    """

    values: Array
    low: Array
    high: Array
    out_of_fold: Array
    coverage: float
    spearman: float
    explained: float
    rated: int

    @property
    def one_scale(self) -> Array:
        """A prediction for every item, (items,): out of fold for the rated ones."""
        return np.where(np.isnan(self.out_of_fold), self.values, self.out_of_fold)

    @property
    def tells(self) -> bool:
        """Whether the features tell anything: predictions of rated items are better than chance.

        They explain some of the variance, and agree in rank with the measure by more than chance
        does in 95 of 100 measures that features tell nothing about.
        """
        return bool(self.explained > 0 and self.spearman * np.sqrt(self.rated - 1) > _BEYOND_CHANCE)


def predict_hardness(
    features: NDArray[np.floating],
    measured: Array,
    groups: Sequence[object] | None = None,
    coverage: float = 0.9,
    folds: int = FOLDS,
    seed: int = 0,
) -> PredictedHardness:
    """Predict a measure where it is unknown.

    Parameters
    ----------
    features
        (items, width).
    measured
        The measure, NaN where it is unknown, (items,).
    groups
        Cluster of every item, (items,): clusters stay within a fold, so that an interval for an
        item of a new cluster is honest. None: every item is its own.
    coverage
        Share of new items whose measure should be inside their interval, in (0, 1). CV+ promises
        1 - 2 (1 - coverage) at worst, and about `coverage` in practice.
    folds
        Regressions; fewer where there are fewer groups.
    seed
        Of the folds.

    Raises
    ------
    InputError
        If fewer than 20 items are rated, too few for such a coverage, or all are of one group.
    ValueError
        If shapes differ, features are not finite, or the coverage is not within 0 and 1.
    """
    if features.ndim != 2 or measured.shape != (len(features),):
        raise ValueError(
            "'features' should be (items, width) and 'measured' (items,); got "
            f"{features.shape} and {measured.shape}."
        )
    if not np.isfinite(features).all():
        raise ValueError("'features' should be finite.")
    if not 0 < coverage < 1:
        raise ValueError(f"'coverage' should be within 0 and 1; got {coverage}.")
    known = ~np.isnan(measured)
    rated = int(known.sum())
    if rated < FEWEST_RATED:
        raise InputError(
            f"predicted hardness learns from items with a known measure: {rated} have it, at least "
            f"{FEWEST_RATED} are needed."
        )
    names = np.arange(len(measured)) if groups is None else np.asarray(groups, dtype=str)
    folds = min(folds, np.unique(names[known]).size)
    if folds < 2:
        raise InputError(
            "predicted hardness is checked on groups of items left out in turn, and all rated "
            f"items are of one group ('{names[known][0]}'); rate items of others."
        )
    rows, truth = np.asarray(features[known], dtype=np.float64), measured[known]
    new = np.asarray(features[~known], dtype=np.float64)
    rated_names = names[known]
    fold_of = group_folds(rated_names.tolist(), folds, seed)
    out_of_fold = np.empty(rated)
    by_fold = np.empty((folds, len(new)))  # each regression's predictions of new items
    for fold in range(folds):
        out = fold_of == fold
        regression = fit_ridge(rows[~out], truth[~out], rated_names[~out].tolist())
        out_of_fold[out] = regression.predict(rows[out])
        by_fold[fold] = regression.predict(new)
    residuals = np.abs(truth - out_of_fold)
    low, high = _cv_plus(by_fold, fold_of, residuals, coverage)
    predicted = fit_ridge(rows, truth, rated_names.tolist()).predict(new)
    values, lows, highs = (measured.copy() for _ in range(3))
    values[~known] = predicted
    lows[~known], highs[~known] = np.minimum(low, predicted), np.maximum(high, predicted)
    held_out = np.full(len(measured), np.nan)
    held_out[known] = out_of_fold
    variance = float(truth.var())
    varies = variance > 0 and float(np.ptp(out_of_fold)) > 0
    return PredictedHardness(
        values=values,
        low=lows,
        high=highs,
        out_of_fold=held_out,
        coverage=coverage,
        spearman=float(spearmanr(truth, out_of_fold).statistic) if varies else float("nan"),
        explained=1 - float(np.mean(residuals**2)) / variance if variance > 0 else 0.0,
        rated=rated,
    )


def _cv_plus(
    by_fold: Array, fold_of: NDArray[np.int64], residuals: Array, coverage: float
) -> tuple[Array, Array]:
    """Ends of the intervals of new items, (new,) each; `by_fold` (folds, new)."""
    rated = residuals.size
    # Of the lower end, counted from 1; (1 - 0.9) * 20 is a hair below 2.
    rank = int(np.floor((1 - coverage) * (rated + 1) + _ROUNDING))
    low, high = np.empty(by_fold.shape[1]), np.empty(by_fold.shape[1])
    if rank < 1:
        raise InputError(
            f"predicted hardness: intervals of coverage {coverage:g} need at least "
            f"{int(np.ceil(1 / (1 - coverage) - _ROUNDING)) - 1} rated items; got {rated}."
        )
    step = max(1, _VALUES_AT_ONCE // rated)
    for start in range(0, by_fold.shape[1], step):
        block = slice(start, start + step)
        centres = by_fold[fold_of, block]  # (rated, new)
        low[block] = np.partition(centres - residuals[:, None], rank - 1, axis=0)[rank - 1]
        highest = np.partition(centres + residuals[:, None], rated - rank, axis=0)
        high[block] = highest[rated - rank]
    return low, high
