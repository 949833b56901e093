"""Ridge regression whose penalty is chosen by leaving out one row at a time, in closed form."""

from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array

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


def fit_ridge(features: Array, values: Array) -> Ridge:
    """Fit values by features scaled to unit variance, the intercept without a penalty.

    The penalty of `PENALTIES` with the least squared error of predictions of rows left out one at
    a time is chosen; among equals the largest.

    Parameters
    ----------
    features
        (rows, width); a constant one counts for nothing.
    values
        (rows,), at least two.
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
    best, least = PENALTIES[-1], np.inf
    for penalty in sorted(PENALTIES, reverse=True):
        kept_share = eigenvalues / (eigenvalues + penalty * unit)
        leverage = (vectors**2) @ kept_share + 1 / rows
        residual = centred - vectors @ (kept_share * along)
        error = float(np.mean((residual / np.maximum(1 - leverage, 1e-6)) ** 2))
        if error < least:
            best, least = penalty, error
    shrunk = vectors @ (along / (eigenvalues + best * unit))
    return Ridge(mean, scale, scaled.T @ shrunk, intercept, float(best))
