"""Fit the response surface to what a purchase has shown.

The noise of a measured accuracy has three parts. What test items do to all mixes alike says
nothing about the surface's shape: it is one offset of the whole surface. What they do to one mix
alone is noise of its own, and so is what one training does and another on the same labels does
not. The luck of which items were bought is shared by all subsamples of a purchase, and that of
which were borrowed by all that borrow from one test set (`luck`). The covariance that holds it is
fixed before the fit, by the model and not by the points, so that it cannot pull the surface away
from them (Peelle's puzzle). Where the surface still misses the points by more than the noise, the
noise is widened by the ratio (Birge).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from budget.surface.luck import (
    KnownLuck,
    bounded_push,
    estimate_luck,
    luck_covariance,
    training_variance,
)
from budget.surface.observation import Observation
from budget.surface.parameters import ParameterSpace, Prior
from budget.surface.response import ResponseSurface, surface_accuracy
from budget.surface.sampler import sample_posterior

Array = NDArray[np.float64]
# What the surface cannot follow even without noise, as a standard deviation of accuracy: what fits
# of whole learning curves leave beyond their noise (docs/planner.md).
DISCREPANCY = 0.004
# What it is told of that while it is fitted. Where it misses one mix it misses its neighbours, so
# that many exact points of one curve are worth less than as many that err apart.
MISFIT = 0.01
# Share of one mix's own test item noise that its neighbours on the surface do not have: items that
# come out right after n labels mostly do so after n + 1.
_ITEM_SHARE = 0.15


def fit_surface(
    observations: Sequence[Observation],
    strata: Sequence[str],
    target: str,
    unsupervised: NDArray[np.bool_] | None,
    chance: float,
    groups: NDArray[np.object_],
    draws: int = 1000,
    seed: int = 0,
    pilot: Mapping[str, int] | None = None,
    clean: Mapping[str, float] | None = None,
    prior: Prior | None = None,
) -> ResponseSurface:
    """Draw the posterior of the surface, given the trials of what was bought.

    Parameters
    ----------
    observations : one per mix; none gives the prior. Borrowed labels count as the target's.
    strata, target : strata for sale in order of hardness, and the one that counts
    unsupervised : (target test items,) zero-shot correctness if labels start from it; None if
        they start from chance
    chance : accuracy of guessing
    groups : (target test items,) clusters
    pilot : labels bought so far; None if the largest observations hold all of them
    clean : stratum -> share of clean labels, 1 - redraw rate; 1 where not named
    """
    space = ParameterSpace(tuple(strata), target, prior or Prior())
    rng = np.random.default_rng([seed, 0x50FA])
    floor = chance if unsupervised is None else float(unsupervised.mean())
    place = space.strata.index(target)
    shares = np.array([(clean or {}).get(name, 1.0) for name in strata])
    parts = np.array([[o.labels.get(name, 0) for name in strata] for o in observations])
    parts = parts.reshape(-1, len(strata)).astype(np.float64)
    bought = parts.max(0, initial=0)
    if pilot is not None:
        bought = np.array([float(pilot.get(name, 0)) for name in strata])
    seen = list(observations)
    borrowed = np.array([float(o.borrowed) for o in seen])
    counts = parts.copy()
    counts[:, place] += borrowed  # labels of the target like any others
    luck = estimate_luck(seen, parts, bought, shares)
    own, common = item_noise(seen, groups)
    own *= _ITEM_SHARE
    bought_alone = [o for o in seen if not o.borrowed]
    if len(bought_alone) > 1:  # small lent parts have little in common with anything
        common = item_noise(bought_alone, groups)[1]
    seeds = np.array([float(len(o.correct)) for o in seen])
    # What was borrowed is a sample of a finite set of its own, the test items.
    covariance = luck_covariance(
        np.column_stack([parts, borrowed]),
        np.append(bought, groups.size),
        np.append(shares, shares[place]),
        seeds,
        luck,
    )
    between_trainings = training_variance(seen)
    noise = np.diag(covariance) + own + between_trainings / seeds
    covariance[np.diag_indices(len(seen))] = noise + MISFIT**2
    measured = np.array([o.accuracy for o in seen])

    def predict(points: Array) -> Array:
        clean_rows = np.broadcast_to(shares, counts.shape)
        return surface_accuracy(space.natural(points, floor), place, counts, clean_rows)

    points = _posterior(predict, measured, covariance, space.size, draws, rng)
    offset = rng.normal(0, np.sqrt(common), (draws, 1))
    predicted = predict(points)
    fitted = predicted.mean(0)
    known = None
    if seen:
        inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        push = bounded_push(counts, shares, luck)
        known = KnownLuck(parts, push, bought, inverse, (measured - predicted) @ inverse)
    return ResponseSurface(
        strata=tuple(strata),
        target=target,
        draws=np.hstack([space.natural(points, floor), offset]),
        root_mean_square_residual=float(np.sqrt(np.mean((measured - fitted) ** 2)))
        if seen
        else 0.0,
        root_mean_square_noise=float(np.sqrt(np.mean(noise) + DISCREPANCY**2)) if seen else 0.0,
        clean=dict(zip(strata, shares.tolist(), strict=True)),
        luck=luck,
        item_deviation=float(np.sqrt(np.mean(own) + DISCREPANCY**2)) if seen else DISCREPANCY,
        training_deviation=float(np.sqrt(between_trainings)),
        known_luck=known,
    )


def _posterior(
    predict: Callable[[Array], Array],
    measured: Array,
    covariance: Array,
    size: int,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Draws (draws, size) in standard normal coordinates."""
    if measured.size == 0:
        return rng.standard_normal((draws, size))
    whitener = np.linalg.inv(np.linalg.cholesky(covariance))
    best = np.inf

    def squares(points: Array) -> Array:
        return np.asarray((((measured - predict(points)) @ whitener.T) ** 2).sum(1))

    def log_likelihood(points: Array) -> Array:
        nonlocal best
        found = squares(points)
        best = min(best, float(found.min()))
        return -0.5 * found

    points, _ = sample_posterior(log_likelihood, size, draws, rng)
    ratio = best / measured.size
    if ratio > 1:
        points, _ = sample_posterior(lambda p: -0.5 * squares(p) / ratio, size, draws, rng)
    return points


def item_noise(
    observations: Sequence[Observation], groups: NDArray[np.object_]
) -> tuple[Array, float]:
    """Variance by test items of each accuracy alone, (observations,), and the one of all alike."""
    if not observations:
        return np.empty(0), 0.0
    by_item = np.stack([o.by_item for o in observations])  # (conditions, items)
    centred = by_item - by_item.mean(1, keepdims=True)
    names, cluster = np.unique(groups.astype(str), return_inverse=True)
    sums = centred
    if names.size < groups.size:
        sums = np.stack([np.bincount(cluster, row) for row in centred])  # (conditions, clusters)
    covariance = sums @ sums.T / by_item.shape[1] ** 2
    off_diagonal = covariance[~np.eye(len(covariance), dtype=bool)]
    common = max(0.0, float(off_diagonal.mean())) if off_diagonal.size else 0.0
    return np.maximum(np.diag(covariance) - common, 0.0), common
