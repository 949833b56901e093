"""Posteriors that are known: in closed form, or on a grid."""

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.surface.sampler import sample_posterior

Array = NDArray[np.float64]


def gaussian(size: int, narrowness: float, seed: int) -> tuple[Array, Array]:
    """Mean (size,) and precision (size, size) of a likelihood, its axes askew."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((size, size)))[0]
    widths = np.geomspace(1, narrowness, size)
    return 1.5 * rng.standard_normal(size), axes @ np.diag(widths**-2) @ axes.T


@pytest.mark.parametrize(("size", "narrowness"), [(1, 1.0), (3, 0.3), (8, 0.1)])
def test_a_normal_posterior(size: int, narrowness: float) -> None:
    mean, precision = gaussian(size, narrowness, seed=size)

    def log_likelihood(points: Array) -> Array:
        away = points - mean
        return np.asarray(-0.5 * ((away @ precision) * away).sum(1))

    covariance = np.linalg.inv(precision + np.eye(size))
    expected = covariance @ precision @ mean
    draws, effective = sample_posterior(log_likelihood, size, 4000, np.random.default_rng(0))
    assert draws.shape == (4000, size)
    assert effective > 400
    root = np.linalg.inv(np.linalg.cholesky(covariance))
    standard = (draws - expected) @ root.T
    np.testing.assert_allclose(standard.mean(0), 0, atol=0.15)
    np.testing.assert_allclose(np.cov(standard.T).reshape(size, size), np.eye(size), atol=0.25)


def test_a_bent_posterior() -> None:
    """A banana, against moments on a dense grid."""

    def log_likelihood(points: Array) -> Array:
        x, y = points.T
        return np.asarray(-0.5 * ((y - x**2 + 1) / 0.2) ** 2)

    axis = np.linspace(-5, 5, 1201)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    weights = np.exp(log_likelihood(grid) - 0.5 * (grid**2).sum(1))
    weights /= weights.sum()
    mean = weights @ grid
    covariance = (grid - mean).T @ ((grid - mean) * weights[:, None])
    draws, _ = sample_posterior(log_likelihood, 2, 4000, np.random.default_rng(0))
    spread = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(draws.mean(0), mean, atol=0.12 * spread.max())
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.15 * covariance.max())
    # Both arms are there, and little lies between them.
    assert 0.35 < (draws[:, 0] > 0).mean() < 0.65


def test_nothing_measured_is_the_prior() -> None:
    draws, effective = sample_posterior(
        lambda points: np.zeros(len(points)), 4, 4000, np.random.default_rng(0)
    )
    assert effective > 1000
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.08)
    np.testing.assert_allclose(np.cov(draws.T), np.eye(4), atol=0.1)


def test_a_posterior_far_out_is_found() -> None:
    """Four deviations out and a tenth as wide: the first round has next to no point there."""

    def log_likelihood(points: Array) -> Array:
        return np.asarray(-0.5 * (((points - 3) / 0.1) ** 2).sum(1))

    draws, effective = sample_posterior(log_likelihood, 3, 2000, np.random.default_rng(0))
    # Precision 100 + 1: mean 300 / 101, deviation 1 / sqrt(101).
    assert effective > 200
    np.testing.assert_allclose(draws.mean(0), 300 / 101, atol=0.02)
    np.testing.assert_allclose(draws.std(0), 101**-0.5, rtol=0.15)


def test_the_same_generator_gives_the_same_draws() -> None:
    def draw(seed: int) -> Array:
        mean, precision = gaussian(3, 0.3, seed=1)
        return sample_posterior(
            lambda p: -0.5 * (((p - mean) @ precision) * (p - mean)).sum(1),
            3,
            300,
            np.random.default_rng(seed),
        )[0]

    assert np.array_equal(draw(5), draw(5))
    assert not np.array_equal(draw(5), draw(6))
