from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls

from budget.backtest.policies.additive_power_laws import (
    _DECAYS,
    AdditivePowerLaws,
    fit_additive_power_laws,
)

GRID = np.array([[0, 0], [3, 0], [15, 0], [63, 0], [0, 3], [0, 15], [0, 63], [15, 15], [63, 63]])


def test_a_law_by_hand() -> None:
    laws = AdditivePowerLaws(
        base=np.array([0.5]),
        gains=np.array([[0.4, 0.2]]),
        decays=np.array([[0.5, 1.0]]),
        residual=np.zeros(1),
    )
    # 3 labels: 1 - 4 ** -.5 = .5; 1 label: 1 - 2 ** -1 = .5
    counts = np.array([[0, 0], [3, 0], [3, 1]])
    np.testing.assert_allclose(laws.predict(counts), [[0.5, 0.7, 0.8]])


def test_points_of_a_law_give_the_law() -> None:
    law = AdditivePowerLaws(
        np.array([0.5]), np.array([[0.3, 0.1]]), np.array([[0.35, 1.0]]), np.zeros(1)
    )
    # Each point is there often: no resample misses one.
    counts = np.repeat(GRID, 20, axis=0)
    accuracy = law.predict(counts)[0]
    laws = fit_additive_power_laws(counts, accuracy, 4, np.random.default_rng(0))
    np.testing.assert_allclose(laws.gains, np.tile([0.3, 0.1], (4, 1)), atol=1e-5)
    np.testing.assert_array_equal(laws.decays, np.tile([0.35, 1.0], (4, 1)))
    far = np.array([[2000, 500]])
    np.testing.assert_allclose(laws.predict(far), np.tile(law.predict(far), (4, 1)), atol=1e-5)
    assert laws.residual.max() < 1e-5


def slowest_fit(counts: NDArray[np.int64], accuracy: NDArray[np.float64]) -> float:
    """Least sum of squares over all decays, gains of at least 0, a free base."""
    least = np.inf
    for decays in product(_DECAYS[2], repeat=counts.shape[1]):
        risen = 1 - (1.0 + counts) ** -np.array(decays)
        # A free base is one that may be added or taken off.
        columns = np.column_stack([np.ones(len(counts)), -np.ones(len(counts)), risen])
        least = min(least, nnls(columns, accuracy)[1] ** 2)
    return least


@pytest.mark.parametrize("seed", range(3))
def test_no_slow_fit_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Easy labels harm here: their gain has to be held at 0 in most resamples.
    accuracy = 0.5 + 0.06 * np.log1p(GRID[:, 1]) - 0.01 * np.log1p(GRID[:, 0])
    accuracy = accuracy + rng.normal(0, 0.02, len(GRID))
    draws, points = 5, len(GRID)
    laws = fit_additive_power_laws(GRID, accuracy, draws, np.random.default_rng(seed))
    repeats = np.random.default_rng(seed).multinomial(points, np.full(points, 1 / points), draws)
    for draw in range(draws):
        counts, own = np.repeat(GRID, repeats[draw], axis=0), np.repeat(accuracy, repeats[draw])
        fitted = laws.predict(counts)[draw]
        squares = float(((own - fitted) ** 2).sum())
        assert squares == pytest.approx(slowest_fit(counts, own), rel=1e-3, abs=1e-8)
        assert laws.residual[draw] == pytest.approx(np.sqrt(squares / points), rel=1e-3, abs=1e-5)
    assert (laws.gains >= 0).all()
    assert (laws.gains[:, 0] == 0).any()


def test_more_labels_never_lower_a_law() -> None:
    rng = np.random.default_rng(1)
    accuracy = rng.uniform(0.3, 0.9, len(GRID))
    laws = fit_additive_power_laws(GRID, accuracy, 50, rng)
    rising = laws.predict(np.array([[0, 0], [5, 0], [5, 9], [400, 9], [400, 900]]))
    assert (np.diff(rising, axis=1) >= 0).all()


def test_a_stratum_without_labels_adds_nothing() -> None:
    counts = GRID * [1, 0]
    laws = fit_additive_power_laws(counts, 0.5 + counts[:, 0] / 200, 20, np.random.default_rng(0))
    assert (laws.gains[:, 1] == 0).all()
    assert (laws.gains[:, 0] > 0).any()


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="'accuracy' should be"):
        fit_additive_power_laws(GRID, np.zeros(3), 5, np.random.default_rng(0))
