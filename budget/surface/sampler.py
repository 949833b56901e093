"""Draws from a posterior whose prior is standard normal: adaptive multiple importance sampling.

Cornuet, Marin, Mira, Robert 2012, "Adaptive multiple importance sampling": every round draws from
a Student t fitted to all draws so far; all draws are weighted against the mixture of all rounds'
proposals. No gradients, no tuning, and the likelihood is evaluated for thousands of points at once.
"""

from collections.abc import Callable

import numpy as np

from annotation.arrays import Array

_FREEDOM = 6.0  # of the Student t: tails that a normal posterior cannot escape from
_FIRST, _LATER = 2500, 1200  # points of the first round, drawn about the prior, and of each later
_LEAST_ROUNDS, _MOST_ROUNDS = 2, 10
_ENOUGH = 500.0  # effective points at which to stop
_TO_ADAPT = 60.0  # effective points that a proposal is fitted to, by tempering the weights
_WIDER = 1.2  # of the prior's and of every fitted covariance


class _Proposal:
    def __init__(self, points: int, mean: Array, covariance: Array) -> None:
        self.points = points
        self._mean = mean
        self._root = np.linalg.cholesky(covariance)
        self._inverse = np.linalg.inv(self._root)
        self._log_scale = float(np.log(np.diag(self._root)).sum())

    def draw(self, rng: np.random.Generator) -> Array:
        size = self._mean.size
        scale = np.sqrt(rng.chisquare(_FREEDOM, (self.points, 1)) / _FREEDOM)
        return np.asarray(
            self._mean + rng.standard_normal((self.points, size)) / scale @ self._root.T
        )

    def log_density(self, points: Array) -> Array:
        """Up to a constant that all proposals share."""
        standard = (points - self._mean) @ self._inverse.T
        square = (standard**2).sum(1)
        half = (_FREEDOM + self._mean.size) / 2
        return np.asarray(-half * np.log1p(square / _FREEDOM) - self._log_scale)


def sample_posterior(
    log_likelihood: Callable[[Array], Array], size: int, draws: int, rng: np.random.Generator
) -> tuple[Array, float]:
    """Equally weighted draws (draws, size) and the effective number of points behind them.

    `log_likelihood` takes (points, size) and returns (points,).
    """
    mean: Array = np.zeros(size)
    covariance: Array = _WIDER * np.eye(size)
    proposals: list[_Proposal] = []
    points: Array = np.empty((0, size))
    target: Array = np.empty(0)
    densities: Array = np.empty((0, 0))  # (proposals, points), logs
    weights: Array = np.empty(0)
    effective = 0.0
    for turn in range(_MOST_ROUNDS):
        proposal = _Proposal(_LATER if turn else _FIRST, mean, covariance)
        new = proposal.draw(rng)
        target = np.concatenate([target, log_likelihood(new) - 0.5 * (new**2).sum(1)])
        of_old = proposal.log_density(points) if turn else np.empty(0)
        points = np.concatenate([points, new])
        of_new = np.stack([own.log_density(new) for own in [*proposals, proposal]])
        proposals.append(proposal)
        old = np.vstack([densities, of_old[None]]) if turn else np.empty((1, 0))
        densities = np.hstack([old, of_new])
        shares = np.log([float(own.points) for own in proposals])[:, None]
        log_weights = target - np.logaddexp.reduce(densities + shares, axis=0)
        log_weights -= log_weights.max()
        weights = np.exp(log_weights)
        weights /= weights.sum()
        effective = 1 / float(weights @ weights)
        if effective > _ENOUGH and turn + 1 >= _LEAST_ROUNDS:
            break
        mean, covariance = _moments(points, _tempered(log_weights))
    places = (rng.random() + np.arange(draws)) / draws
    chosen = np.searchsorted(np.cumsum(weights), places).clip(max=len(weights) - 1)
    # In no order: whoever splits the draws must not split the rounds that they come from.
    return points[rng.permutation(chosen)], effective


def _tempered(log_weights: Array) -> Array:
    """Weights to fit a proposal to, flattened until enough points carry them."""
    power = 1.0
    while True:
        weights = np.exp(power * log_weights)
        weights /= weights.sum()
        if 1 / (weights @ weights) >= _TO_ADAPT or power < 0.01:
            return np.asarray(weights)
        power *= 0.7


def _moments(points: Array, weights: Array) -> tuple[Array, Array]:
    mean = weights @ points
    centred = points - mean
    covariance = _WIDER * (centred * weights[:, None]).T @ centred
    return mean, covariance + 1e-4 * np.eye(len(mean))
