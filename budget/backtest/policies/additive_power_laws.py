"""Additive power laws through measured accuracies, many at once: one per bootstrap resample.

    accuracy = base + sum over strata of gain_k * (1 - (1 + n_k) ** -decay_k),    gain_k >= 0

This is the multi-source law of Mahmood et al. (NeurIPS 2022, section 6 and appendix D), which is
theta_0 + sum over sources of theta_k0 * n_k ** theta_k1, written with 1 + n_k so that a source
without labels adds nothing, and held to rise with every label, as the paper assumes of scores.
Exponents are negative here: curves level off.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array

# Decays tried for every stratum. Their combinations multiply: the more strata, the fewer.
_DECAYS = {
    1: (0.02, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5),
    2: (0.02, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5),
    3: (0.05, 0.25, 0.5, 1.0),
}
_DECAYS_BEYOND = (0.2, 0.7)
_RIDGE = 1e-9  # of the largest diagonal element: keeps a resample of one size solvable


@dataclass(frozen=True)
class AdditivePowerLaws:
    """Fitted laws, one per draw.

    `base` (draws,), `gains` and `decays` (draws, strata), `residual` (draws,) root mean square
    difference to the points of the draw's resample.
    """

    base: Array
    gains: Array
    decays: Array
    residual: Array

    def predict(self, counts: NDArray[np.int64]) -> Array:
        """Accuracy, (draws, mixes), at labels (mixes, strata); not held to be at most 1."""
        grown = np.stack(
            [
                _risen(counts[:, k], self.decays[:, k, None]) * self.gains[:, k, None]
                for k in range(counts.shape[1])
            ]
        )
        return np.asarray(self.base[:, None] + grown.sum(0))


def _risen(counts: NDArray[np.int64], decay: Array) -> Array:
    return np.asarray(-np.expm1(-decay * np.log1p(counts)))


def fit_additive_power_laws(
    counts: NDArray[np.int64], accuracy: Array, draws: int, rng: np.random.Generator
) -> AdditivePowerLaws:
    """Least squares through bootstrap resamples of points.

    Every draw takes the best of a grid of decays, each with its best base and gains. A gain that
    would be negative is 0; so is that of a stratum without labels.

    Parameters
    ----------
    counts : (points, strata), labels trained on
    accuracy : (points,)
    draws : resamples, each of as many points

    Raises ValueError if shapes do not fit or there is no point.
    """
    points, strata = counts.shape
    if accuracy.shape != (points,) or points == 0:
        raise ValueError(f"'accuracy' should be ({points},), not empty; got {accuracy.shape}.")
    decays, columns = _models(counts)
    weights = rng.multinomial(points, np.full(points, 1 / points), size=draws) / points
    # Weighted moments about the mean of each resample.
    flat = columns.transpose(1, 0, 2).reshape(points, -1)  # (points, models * strata)
    mean_x = (weights @ flat).reshape(draws, -1, strata)
    mean_y = weights @ accuracy
    pairs = (columns[..., :, None] * columns[..., None, :]).transpose(1, 0, 2, 3)
    squares = (weights @ pairs.reshape(points, -1)).reshape(draws, -1, strata, strata)
    squares -= mean_x[..., :, None] * mean_x[..., None, :]
    products = (weights @ (flat * accuracy[:, None])).reshape(draws, -1, strata)
    products -= mean_x * mean_y[:, None, None]
    variance = weights @ accuracy**2 - mean_y**2
    absent = decays == 0  # (models, strata)
    diagonal = np.einsum("...kk->...k", squares)
    diagonal += np.where(absent, 1.0, _RIDGE * (1e-6 + diagonal.max(-1, keepdims=True)))
    gains = np.linalg.solve(squares, products[..., None])[..., 0]
    gains[:, absent] = 0.0
    explained = (gains * products).sum(-1)  # (draws, models)
    explained[(gains < 0).any(-1)] = -np.inf
    best = explained.argmax(1)
    rows = np.arange(draws)
    gain = gains[rows, best]
    return AdditivePowerLaws(
        base=mean_y - (gain * mean_x[rows, best]).sum(1),
        gains=gain,
        decays=decays[best],
        residual=np.sqrt(np.maximum(variance - explained[rows, best], 0.0)),
    )


def _models(counts: NDArray[np.int64]) -> tuple[Array, Array]:
    """Decays (models, strata), 0 for a stratum that adds nothing; columns (models, points, strata).

    With the strata that add nothing chosen freely, the best model without a negative gain is the
    least-squares fit under gains of at least 0.
    """
    strata = counts.shape[1]
    some = _DECAYS.get(strata, _DECAYS_BEYOND)
    choices = [(0.0, *some) if counts[:, k].any() else (0.0,) for k in range(strata)]
    decays = np.array(list(product(*choices)))
    columns = np.stack([_risen(counts[:, k], decays[:, k, None]) for k in range(strata)], axis=2)
    return decays, columns
