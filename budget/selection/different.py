"""Items that differ from each other and from those that were judged already."""

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Positions

_MOST_COMPARED = 5_000  # items on either side; beyond that a sample tells as much
_CHUNK = 1_000


def different_items(
    features: NDArray[np.floating],
    candidates: Positions,
    judged: Positions,
    count: int,
    rng: np.random.Generator,
) -> Positions:
    """So many of the candidates, or all: each drawn by its squared distance to what is there.

    That is how k-means++ draws its centres (Arthur and Vassilvitskii 2007), with the judged items
    for the first of them. Positions are into `features` (items, width).
    """
    if count >= candidates.size:
        return candidates
    candidates = _sample(candidates, max(count, _MOST_COMPARED), rng)
    judged = _sample(judged, _MOST_COMPARED, rng)
    rows = features[candidates].astype(np.float64)
    rows -= rows.mean(axis=0)  # no distance changes; less is lost to rounding
    shift = features[candidates].astype(np.float64).mean(axis=0)
    distances = np.full(candidates.size, np.inf)
    for start in range(0, judged.size, _CHUNK):
        others = features[judged[start : start + _CHUNK]].astype(np.float64) - shift
        distances = np.minimum(distances, _squared(rows, others).min(axis=1))
    taken = np.zeros(candidates.size, dtype=bool)
    chosen = np.empty(count, dtype=np.int64)
    for place in range(count):
        weights = np.where(taken, 0.0, np.where(np.isfinite(distances), distances, 1.0))
        if not weights.sum() > 0:  # only copies of what is there are left
            weights = (~taken).astype(np.float64)
        chosen[place] = rng.choice(candidates.size, p=weights / weights.sum())
        taken[chosen[place]] = True
        distances = np.minimum(distances, _squared(rows, rows[chosen[place]][None])[:, 0])
    return np.asarray(candidates[chosen])


def _squared(rows: Array, others: Array) -> Array:
    """Squared distances, (rows, others)."""
    products = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * rows @ others.T
    return np.asarray(np.maximum(products, 0.0))


def _sample(positions: Positions, most: int, rng: np.random.Generator) -> Positions:
    return positions if positions.size <= most else rng.choice(positions, most, replace=False)
