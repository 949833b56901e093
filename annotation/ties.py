"""Pick the choice with the largest score; of choices that tie, one that is drawn.

A model that cannot tell choices apart gives them equal scores. To take the first of them would make
it right wherever the right answer stands first.
"""

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray, mixed

# Scores that differ by less are one score, relative to 1 and the larger of both. Models compute in
# float32, in another order for every choice; probes read their features in float64.
OF_PROBES = 1e-7
OF_MODELS = 1e-6
# Probabilities that judgments give to choices, added up in float64 in one order or another.
OF_POSTERIORS = 1e-9


def tied(scores: Array, tolerance: float) -> NDArray[np.bool_]:
    """Which choices have the largest score of their item, (..., items, choices)."""
    best = scores.max(-1, keepdims=True)
    return np.asarray(scores >= best - tolerance * (1 + np.abs(best)))


def pick(scores: Array, draws: Array, tolerance: float) -> IntArray:
    """The choice with the largest score, (..., items); of choices that tie, the largest draw.

    Parameters
    ----------
    scores : (..., items, choices), -inf where an item has no such choice
    draws : (items, choices), see `tie_draws`
    tolerance : what `scores` may be apart and tie, `OF_PROBES`, `OF_MODELS`
        or `OF_POSTERIORS`
    """
    width = scores.shape[-1]
    return np.asarray(np.where(tied(scores, tolerance), draws[:, :width], -1.0).argmax(-1))


def tie_draws(content: NDArray[np.uint64], choices: int) -> Array:
    """Numbers from 0 to 1 that say which of the choices that tie is taken, (items, choices).

    `content` (items,) is a hash of each item, so that the order of items makes no difference.
    """
    places = np.arange(1, choices + 1, dtype=np.uint64)
    return np.asarray(mixed(places[None, :], content[:, None]) / np.float64(2**64))


def share_right(scores: Array, answers: IntArray, tolerance: float) -> Array:
    """How right the largest score is, (items,): of k choices that tie, the right one counts 1/k."""
    best = tied(scores, tolerance)
    return np.asarray(best[np.arange(len(answers)), answers] / best.sum(-1))


def all_tied_share(scores: Array, tolerance: float) -> float:
    """Share of items whose choices, all of them, have one score: nothing tells them apart."""
    there = ~np.isneginf(scores)
    return float((tied(scores, tolerance) == there).all(-1).mean())
