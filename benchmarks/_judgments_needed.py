"""How many judgments one way needs for the accuracy that another reaches."""

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array

LEVELS = 20
DRAWS = 1000
SHARED = 0.9  # of the draws, those in which both curves reach a common accuracy


def needed(ours: Array, theirs: Array, spent: Array) -> float:
    """Judgments that `ours` takes over those that `theirs` takes, for the same accuracy.

    The geometric mean over accuracies that both curves reach, evenly spaced. Curves (checkpoints,)
    are made to rise (isotonic regression) and are interpolated. NaN where they share no accuracy.
    """
    rising, other = _isotonic(ours), _isotonic(theirs)
    low, high = max(rising[0], other[0]), min(rising[-1], other[-1])
    if not high > low:
        return float("nan")
    levels = np.linspace(low, high, LEVELS + 1)[1:]
    logs = np.log(_first_at(rising, spent, levels)) - np.log(_first_at(other, spent, levels))
    return float(np.exp(logs.mean()))


def interval(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], spent: Array, seed: int = 0
) -> tuple[float, float, float] | None:
    """`needed` with a 95 % interval: a paired bootstrap over seeds and over test items.

    `ours`, `theirs` (checkpoints, seeds, test items), whether an item was answered right. None
    where the curves share no accuracy, in the mean or in one draw of ten.
    """
    rng = np.random.default_rng(seed)
    _, seeds, items = ours.shape
    draws = []
    for _ in range(DRAWS):
        by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds)) / seeds
        by_item = rng.multinomial(items, np.full(items, 1 / items)) / items
        mine, others = ((each @ by_item) @ by_seed for each in (ours, theirs))
        draws.append(needed(mine, others, spent))
    found = needed(ours.mean((1, 2)), theirs.mean((1, 2)), spent)
    if not np.isfinite(found) or np.isfinite(draws).mean() < SHARED:
        return None
    low, high = np.nanquantile(draws, (0.025, 0.975))
    return found, float(low), float(high)


def gain(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], seed: int = 0
) -> tuple[float, float, float]:
    """Difference of accuracy, mean over checkpoints, with the same interval."""
    rng = np.random.default_rng(seed)
    difference = ours.mean(axis=0) - theirs.mean(axis=0)  # (seeds, test items)
    seeds, items = difference.shape
    by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
    by_item = rng.multinomial(items, np.full(items, 1 / items), DRAWS) / items
    draws = np.einsum("ds,si,di->d", by_seed, difference, by_item, optimize=True)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(difference.mean()), float(low), float(high)


def _isotonic(curve: Array) -> Array:
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(curve).x)


def _first_at(curve: Array, spent: Array, levels: Array) -> Array:
    """Where a rising curve first reaches each level, (levels,)."""
    after = np.clip(np.searchsorted(curve, levels), 1, curve.size - 1)
    below, above = curve[after - 1], curve[after]
    share = np.clip((levels - below) / np.maximum(above - below, 1e-12), 0, 1)
    return np.asarray(spent[after - 1] + share * (spent[after] - spent[after - 1]))
