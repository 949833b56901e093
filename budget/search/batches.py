"""What a purchase would teach: the value of information, one round ahead.

For every batch that could be bought next, outcomes are drawn from the surface's own posterior:
what its labels, trained on in parts and together, would score. A regression on the outcomes says
which final purchase one would choose then; the mean of its accuracy is what the batch is worth,
with what it cost already paid: money spent on it cannot be spent again. This is the expected
value of sample information (Raiffa and Schlaifer 1961), one step of lookahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.market.market import Market
from budget.surface.luck import luck_covariance
from budget.surface.response import ResponseSurface

SHARES = (Fraction(1, 25), Fraction(2, 25), Fraction(4, 25), Fraction(3, 10), Fraction(1, 2))
LEAST_GAIN = 1e-4  # accuracy below which a batch is taken to teach nothing
_STEPS = {1: 4, 2: 12, 3: 5}  # of final purchases in a lookahead
_STEPS_BEYOND = 3
_SEEDS = 5  # subsamples a part would be trained on
_LEAST = 3  # labels of a batch, and of a part
_FRACTIONS = (0.5, 1.0)


@dataclass(frozen=True)
class Batch:
    """A purchase to learn from.

    `labels` by stratum; `value` is the accuracy to expect if the rest is decided after it, and
    `gain` what that is above deciding now.
    """

    labels: dict[str, int]
    value: float
    gain: float


def rank_batches(surface: ResponseSurface, market: Market, rng: np.random.Generator) -> list[Batch]:
    """Batches that could be bought next, the most valuable first; none if nothing can be bought.

    `surface` is the posterior so far; a prior before anything was bought.
    """
    steps = _STEPS.get(len(market.strata), _STEPS_BEYOND)
    mixes, purchases = market.final_mixes(steps)
    if not len(mixes):
        return []
    clean = surface.clean_shares()
    accuracy = surface.accuracy(mixes.astype(float), np.broadcast_to(clean, mixes.shape))
    now = accuracy.mean(0)
    toward = purchases[int(now.argmax())]
    batches = _batches(market, toward)
    if not batches:
        return []
    after = [market.after(labels) for labels in batches]
    finals = [own.final_mixes(steps)[0] for own in after]
    parts = [_parts(own.counts) for own in after]
    everything = np.concatenate([*finals, *parts]).astype(float)
    predicted = surface.accuracy(everything, np.broadcast_to(clean, everything.shape))
    cuts = np.cumsum([len(own) for own in [*finals, *parts]])[:-1]
    columns = np.split(predicted, cuts, axis=1)
    values = []
    for index, own in enumerate(after):
        final, part = columns[index], columns[len(after) + index]
        outcomes = _outcomes(surface, part, parts[index], own.counts, rng)
        values.append(_value_of_deciding_after(outcomes, final))
    # The same draws stand behind every value, so that what they have in common cancels.
    best = float(now.max())
    decided_now = _value_of_deciding_after(np.empty((len(accuracy), 0)), accuracy)
    ranked = [
        Batch(labels, best + value - decided_now, value - decided_now)
        for labels, value in zip(batches, values, strict=True)
    ]
    return sorted(ranked, key=lambda batch: -batch.value)


def choose_batch(
    ranked: Sequence[Batch], surface: ResponseSurface, market: Market, rounds_left: int
) -> Batch:
    """What to buy in the first of `rounds_left` rounds, the last of which spends the rest.

    The first of `ranked`; where that teaches nothing, a part of what is best now. Without labels if
    nothing is to be bought.
    """
    if ranked and ranked[0].gain >= LEAST_GAIN:
        return ranked[0]
    labels = on_the_way(surface, market, 1 / rounds_left)
    return Batch(labels, ranked[0].value - ranked[0].gain if ranked else 0.0, 0.0)


def on_the_way(surface: ResponseSurface, market: Market, share: float) -> dict[str, int]:
    """A share of each stratum's labels in the purchase that is best now.

    Buying it first costs nothing where the best purchase stays the same, and shows where it does
    not.
    """
    mixes, purchases = market.final_mixes(_STEPS.get(len(market.strata), _STEPS_BEYOND))
    if not len(mixes):
        return {}
    clean = np.broadcast_to(surface.clean_shares(), mixes.shape)
    best = purchases[int(surface.accuracy(mixes.astype(float), clean).mean(0).argmax())]
    part = {n: int(k * share) for n, k in zip(market.strata, best, strict=True)}
    return {name: count for name, count in part.items() if count}


def _outcomes(
    surface: ResponseSurface,
    predicted: Array,
    parts: NDArray[np.int64],
    bought: NDArray[np.int64],
    rng: np.random.Generator,
) -> Array:
    """What the parts would score under each draw of the surface, with noise: (draws, parts)."""
    seeds = np.full(len(parts), float(_SEEDS))
    clean = surface.clean_shares()
    covariance = luck_covariance(
        parts.astype(float), bought.astype(float), clean, seeds, surface.luck
    )
    covariance[np.diag_indices(len(parts))] += surface.item_deviation**2
    noise = rng.standard_normal(predicted.shape) @ np.linalg.cholesky(covariance).T
    return np.asarray(predicted + noise)


def _value_of_deciding_after(outcomes: Array, accuracy: Array) -> float:
    """Mean accuracy of the final mix that one would choose after seeing outcomes.

    `outcomes` (draws, parts), `accuracy` (draws, mixes). What each mix is worth after an outcome
    is a regression on it (Strong, Oakley, Brennan 2014), fitted on one half of the draws; the mix
    that is best by it is scored with the accuracy of the other half's own draws, so that noise in
    the regression cannot be taken for information.
    """
    features = _features(outcomes)
    half = len(accuracy) // 2
    total = 0.0
    for fitted, scored in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        x = features[fitted]
        penalty = 1e-2 * len(x) * np.eye(x.shape[1])
        penalty[0, 0] = 0
        weights = np.linalg.solve(x.T @ x + penalty, x.T @ accuracy[fitted])
        chosen = (features[scored] @ weights).argmax(1)
        total += float(np.take_along_axis(accuracy[scored], chosen[:, None], 1).sum())
    return total / len(accuracy)


def _features(outcomes: Array) -> Array:
    """1, the outcomes, and products of those of whole parts, standardised: (draws, features)."""
    constant = np.ones((len(outcomes), 1))
    if outcomes.shape[1] == 0:
        return constant
    spread = outcomes.std(0)
    standard = (outcomes - outcomes.mean(0)) / np.where(spread > 0, spread, 1)
    whole = standard[:, (standard.shape[1] // 2) :]
    first, second = np.triu_indices(whole.shape[1])
    return np.hstack([constant, standard, whole[:, first] * whole[:, second]])


def _batches(market: Market, toward: NDArray[np.int64]) -> list[dict[str, int]]:
    """Shares of the money on each stratum, on pairs, on all, and as the plan would spend it."""
    names = market.strata
    ways: list[dict[str, Fraction]] = [{name: Fraction(1)} for name in names]
    groups: Sequence[tuple[str, ...]] = [*combinations(names, 2)]
    if len(names) > 2:
        groups = [*groups, names]
    ways += [{name: Fraction(1, len(group)) for name in group} for group in groups]
    spent = [
        Fraction(market.terms[name].cost) * int(count)
        for name, count in zip(names, toward, strict=True)
    ]
    if sum(spent) > 0:
        ways.append({n: own / sum(spent) for n, own in zip(names, spent, strict=True)})
    found: dict[tuple[tuple[str, int], ...], dict[str, int]] = {}
    for share in SHARES:
        for way in ways:
            labels = market.buyable({name: share * own for name, own in way.items()})
            labels = {name: count for name, count in labels.items() if count}
            if sum(labels.values()) >= _LEAST:
                found.setdefault(tuple(sorted(labels.items())), labels)
    return list(found.values())


def _parts(bought: NDArray[np.int64]) -> NDArray[np.int64]:
    """Mixes to train on: each stratum alone and all together, whole and in part."""
    kept = training_parts(bought, _FRACTIONS)
    return kept if len(kept) else bought[None]


def training_parts(bought: NDArray[np.int64], fractions: Sequence[float]) -> NDArray[np.int64]:
    """Mixes (parts, strata) of what was bought: each stratum alone and all, at each fraction."""
    strata = len(bought)
    found: dict[tuple[int, ...], None] = {}
    for fraction in fractions:
        for kept in [*np.eye(strata, dtype=bool), np.ones(strata, dtype=bool)]:
            most = np.maximum(np.minimum(bought, 2), np.round(fraction * bought)).astype(int)
            part = tuple(int(n) for n in np.where(kept, most, 0))
            if sum(part) >= _LEAST:
                found[part] = None
    return np.array(list(found), dtype=np.int64).reshape(-1, strata)
