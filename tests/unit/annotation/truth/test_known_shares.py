"""Posteriors that agree with class shares known from elsewhere."""

import numpy as np
import pytest

from annotation.truth.known_shares import with_shares

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_mean_posterior_is_the_known_share(classes: int) -> None:
    posteriors = RNG.dirichlet(np.ones(classes), 200)
    shares = RNG.dirichlet(np.ones(classes))
    found = with_shares(posteriors, shares)
    np.testing.assert_allclose(found.mean(axis=0), shares, atol=1e-8)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    # One factor a class: odds of two classes change alike for every item.
    change = (found[:, 0] / found[:, 1]) / (posteriors[:, 0] / posteriors[:, 1])
    np.testing.assert_allclose(change, change[0], rtol=1e-6)


def test_shares_that_are_met_change_nothing() -> None:
    posteriors = RNG.dirichlet(np.ones(3), 50)
    assert with_shares(posteriors, posteriors.mean(axis=0)) is posteriors


def test_bayes_with_another_prior_is_what_comes_out() -> None:
    # Nine of ten are 'yes', three of ten answers wrong: posteriors at even odds, then as they are.
    said_yes = 0.9 * 0.7 + 0.1 * 0.3
    posteriors = np.array([[0.3, 0.7]] * round(1e4 * said_yes) + [[0.7, 0.3]] * round(3.4e3))
    found = with_shares(posteriors, np.array([0.1, 0.9]))
    assert found[0, 1] == pytest.approx(0.63 / said_yes, abs=1e-6)
    assert found[-1, 1] == pytest.approx(0.27 / 0.34, abs=1e-6)


def test_certain_items_stay_as_they_are() -> None:
    posteriors = np.array([[1.0, 0.0], [0.6, 0.4], [0.7, 0.3]])
    found = with_shares(posteriors, np.array([0.5, 0.5]))
    assert found[0].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(found.mean(axis=0), 0.5)
    only_certain = np.array([[1.0, 0.0]] * 3)
    np.testing.assert_allclose(with_shares(only_certain, np.array([0.5, 0.5])), only_certain)


def test_nothing_has_no_shares() -> None:
    assert with_shares(np.empty((0, 2)), np.array([0.5, 0.5])).shape == (0, 2)


@pytest.mark.parametrize("shares", [[0.5, 0.6], [-0.1, 1.1], [1.0]])
def test_shares_that_are_none_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="'shares'"):
        with_shares(np.array([[0.5, 0.5]]), np.array(shares))
