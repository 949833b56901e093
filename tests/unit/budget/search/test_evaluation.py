from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.search import evaluation
from budget.search.evaluation import MeanAccuracy
from budget.surface.fit import fit_surface
from budget.surface.response import ResponseSurface

Array = NDArray[np.float64]
STRATA = ("easy", "medium", "hard")


@pytest.fixture
def surface() -> ResponseSurface:
    """Draws of the prior, with a target between the others."""
    return fit_surface([], STRATA, "medium", None, 0.25, np.array([], dtype=object), draws=500)


def mixes(count: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    counts = np.exp(rng.normal(4, 2, (count, 3))).round()
    counts[rng.random((count, 3)) < 0.3] = 0
    counts[0] = 0
    return counts, rng.uniform(0, 1, (count, 3))


def test_an_almost_straight_surface_loses_no_digits(
    make_surface: Callable[..., ResponseSurface],
) -> None:
    surface = make_surface({"easy": 0.5})
    # .3 + .6 n / (n + 100) after n target labels
    found = MeanAccuracy(surface).mean(np.array([[0.0, 50.0]]), np.ones((1, 2)))
    assert found[0] == pytest.approx(0.5, abs=1e-7)


def test_a_race_finds_the_best_and_its_mean(
    surface: ResponseSurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "_ALL_AT_ONCE", 1000)
    counts, clean = mixes(3000)
    accuracy = MeanAccuracy(surface)
    everything, raced = accuracy.mean(counts, clean), accuracy.race(counts, clean)
    left = np.isfinite(raced)
    assert 0 < left.sum() < 300
    assert raced.argmax() == everything.argmax()
    assert np.allclose(raced[left], everything[left], atol=1e-12)


def test_equal_mixes_all_reach_the_end_of_the_race(
    surface: ResponseSurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "_ALL_AT_ONCE", 1000)
    counts = np.tile([10.0, 20.0, 30.0], (50, 1))
    assert np.isfinite(MeanAccuracy(surface).race(counts, np.ones((50, 3)))).all()
