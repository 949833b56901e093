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

from annotation.arrays import Array
from budget.surface.luck import (
    KnownLuck,
    bounded_push,
    estimate_luck,
    luck_covariance,
    training_variance,
)
from budget.surface.observation import Observation
from budget.surface.parameters import SHARED, ParameterSpace, Prior
from budget.surface.rehearsal import Rehearsal
from budget.surface.response import ResponseSurface, surface_accuracy
from budget.surface.sampler import sample_posterior
from budget.surface.separation import Separation

# What the surface cannot follow even without noise, as a standard deviation of accuracy: what fits
# of whole learning curves leave beyond their noise (docs/method/response-surface.md).
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
    separations: Mapping[str, Separation] | None = None,
    rehearsals: Sequence[Rehearsal] = (),
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
    separations : stratum -> what its unlabelled items say of the signal that its labels hold
        along the target's direction; strata that are not named say nothing
    rehearsals : what purchases scored whose labels were guessed
    """
    space = ParameterSpace(tuple(strata), target, prior or Prior())
    rng = np.random.default_rng([seed, 0x50FA])
    floor = chance if unsupervised is None else float(unsupervised.mean())
    place = space.strata.index(target)
    shares = np.array([(clean or {}).get(name, 1.0) for name in strata])
    parts = _counts([o.labels for o in observations], strata)
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

    def natural(points: Array) -> Array:
        return space.natural(points, floor)

    def predict(draws: Array) -> Array:
        clean_rows = np.broadcast_to(shares, counts.shape)
        return surface_accuracy(draws, place, counts, clean_rows)

    def disagree(draws: Array) -> Array:
        read = _squares_of_separations(space, draws, separations or {})
        return read + _squares_of_rehearsals(space, draws, shares, rehearsals)

    whitener = np.linalg.inv(np.linalg.cholesky(covariance)) if seen else np.empty((0, 0))

    def squares(draws: Array) -> Array:
        return np.asarray((((measured - predict(draws)) @ whitener.T) ** 2).sum(1))

    if seen or separations or rehearsals:
        points = _posterior(natural, squares, disagree, len(seen), space.size, draws, rng)
    else:
        points = rng.standard_normal((draws, space.size))
    offset = rng.normal(0, np.sqrt(common), (draws, 1))
    predicted = predict(natural(points))
    fitted = predicted.mean(0)
    known = None
    if seen:
        inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        push = bounded_push(counts, shares, luck)
        known = KnownLuck(parts, push, bought, inverse, (measured - predicted) @ inverse)
    return ResponseSurface(
        strata=tuple(strata),
        target=target,
        draws=np.hstack([natural(points), offset]),
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


def _squares_of_separations(
    space: ParameterSpace, natural: Array, separations: Mapping[str, Separation]
) -> Array:
    """How far draws are from what unlabelled items say, (draws,): standardised, squared, summed."""
    first, count = 1 + len(SHARED), len(space.others)
    out = np.zeros(len(natural))
    for place, name in enumerate(space.others):
        if name in separations:
            said = separations[name]
            along = natural[:, first + place] * natural[:, first + count + place]
            out += ((np.maximum(along, 0) ** 2 - said.square) / said.deviation) ** 2
    return out


def _squares_of_rehearsals(
    space: ParameterSpace, natural: Array, shares: Array, rehearsals: Sequence[Rehearsal]
) -> Array:
    """How far draws are from what was rehearsed, (draws,): standardised, squared, summed."""
    if not rehearsals:
        return np.zeros(len(natural))
    counts = _counts([own.labels for own in rehearsals], space.strata)
    clean = np.broadcast_to(shares, counts.shape)
    place = space.strata.index(space.target)
    scored = surface_accuracy(natural, place, counts, clean)
    said = np.array([own.accuracy for own in rehearsals])
    deviations = np.array([own.deviation for own in rehearsals])
    return np.asarray((((scored - said) / deviations) ** 2).sum(1))


def _counts(mixes: Sequence[Mapping[str, int]], strata: Sequence[str]) -> Array:
    """Labels (mixes, strata)."""
    counts = [[mix.get(name, 0) for name in strata] for mix in mixes]
    return np.array(counts, dtype=np.float64).reshape(-1, len(strata))


def _posterior(
    natural: Callable[[Array], Array],
    squares: Callable[[Array], Array],
    disagree: Callable[[Array], Array],
    measured: int,
    size: int,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Draws (draws, size) in standard normal coordinates.

    `squares` and `disagree` take natural parameters and return how far these are from what was
    `measured`, so many points, and from what was read and rehearsed.
    """
    best = np.inf

    def log_likelihood(points: Array) -> Array:
        nonlocal best
        parameters = natural(points)
        found = squares(parameters)
        best = min(best, float(found.min()))
        return -0.5 * (found + disagree(parameters))

    def widened(points: Array) -> Array:
        parameters = natural(points)
        return -0.5 * (squares(parameters) / ratio + disagree(parameters))

    points, _ = sample_posterior(log_likelihood, size, draws, rng)
    ratio = best / max(measured, 1)
    if ratio > 1:
        points, _ = sample_posterior(widened, size, draws, rng)
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
