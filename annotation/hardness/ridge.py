"""Ridge regression whose penalty is chosen by leaving out rows or groups, in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.groups import group_numbers

# Times the mean eigenvalue of the features' scatter.
PENALTIES = tuple(10.0**power for power in np.arange(-5.0, 4.1, 0.5))


@dataclass(frozen=True)
class Ridge:
    """A fitted regression: features are scaled by `mean` and `scale`, (width,) each."""

    mean: Array
    scale: Array
    weights: Array
    intercept: float
    penalty: float

    def predict(self, features: Array) -> Array:
        """Predictions, (rows,)."""
        scaled: Array = (features - self.mean) / self.scale @ self.weights
        return scaled + self.intercept


def fit_ridge(features: Array, values: Array, groups: Sequence[object] | None = None) -> Ridge:
    """Fit values by features scaled to unit variance, the intercept without a penalty.

    The penalty of `PENALTIES` with the least squared error of predictions of rows left out one
    group at a time is chosen; among equals the largest.

    Parameters
    ----------
    features
        (rows, width); a constant one counts for nothing.
    values
        (rows,), at least two.
    groups
        Cluster of every row, (rows,). Rows of a cluster resemble each other, so that one would be
        told by the others of its own, and too small a penalty chosen. None, or one cluster alone:
        rows are left out one at a time.
    """
    mean, spread = features.mean(0), features.std(0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = (features - mean) / scale
    intercept = float(values.mean())
    centred = values - intercept
    rows, width = scaled.shape
    if rows <= width:  # scaled = vectors * sqrt(eigenvalues) * directions
        eigenvalues, vectors = np.linalg.eigh(scaled @ scaled.T)
    else:
        eigenvalues, directions = np.linalg.eigh(scaled.T @ scaled)
        kept = eigenvalues > 1e-12 * max(float(eigenvalues[-1]), 1e-300)
        eigenvalues = eigenvalues[kept]
        vectors = scaled @ directions[:, kept] / np.sqrt(eigenvalues)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    along = vectors.T @ centred
    unit = max(float(eigenvalues.sum()) / rows, 1e-300)
    together = _blocks(np.arange(rows) if groups is None else group_numbers(groups))
    best, least = PENALTIES[-1], np.inf
    for penalty in sorted(PENALTIES, reverse=True):
        kept_share = eigenvalues / (eigenvalues + penalty * unit)
        residual = centred - vectors @ (kept_share * along)
        error = sum(_left_out(vectors, kept_share, residual, block) for block in together) / rows
        if error < least:
            best, least = penalty, error
    shrunk = vectors @ (along / (eigenvalues + best * unit))
    return Ridge(mean, scale, scaled.T @ shrunk, intercept, float(best))


def _blocks(group: IntArray) -> list[IntArray]:
    """Rows of every group, (groups of a size, size) for each size; `group` (rows,) from 0."""
    sizes = np.bincount(group)
    if sizes.size < 2:
        return [np.arange(group.size)[:, None]]
    by_group = np.argsort(group, kind="stable")
    starts = np.cumsum(sizes) - sizes
    return [
        by_group[starts[sizes == size][:, None] + np.arange(size)]
        for size in np.unique(sizes).tolist()
    ]


def _left_out(vectors: Array, kept_share: Array, residual: Array, block: IntArray) -> float:
    """Sum of squared errors of the rows of a block when each of its groups is left out.

    Of a group with rows G the errors are (I - H_GG)^-1 r_G, where H is what turns values into
    fitted ones, and r are the residuals of the fit to all rows.
    """
    own = vectors[block]  # (groups, size, rank)
    fitted = own * kept_share @ own.transpose(0, 2, 1) + 1 / len(residual)
    size = block.shape[1]
    if size == 1:
        rest = np.maximum(1 - fitted[:, :, 0], 1e-6)
        return float(((residual[block] / rest) ** 2).sum())
    errors = np.linalg.solve(np.eye(size) - fitted, residual[block][:, :, None])
    return float((errors**2).sum())
