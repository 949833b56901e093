"""The fast formula against the plain one."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf

from budget.surface import kernel
from budget.surface.fit import fit_surface
from budget.surface.kernel import AccuracyKernel, fast_erf
from budget.surface.response import _agreement

Array = NDArray[np.float64]
STRATA = ("easy", "medium", "hard")


def test_the_error_function() -> None:
    x = np.concatenate([[0.0], np.logspace(-9, 1.5, 1000), -np.logspace(-9, 1.5, 1000)])
    found = fast_erf(x)
    assert found[0] == 0
    assert np.allclose(found, erf(x), rtol=1.5e-7, atol=0)


@pytest.mark.parametrize("target", STRATA)
@pytest.mark.parametrize("one_clean_share", [True, False])
def test_accuracies_are_those_of_the_plain_formula(
    target: str, one_clean_share: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_CELLS", 9000)  # several blocks, the last one short
    surface = fit_surface([], STRATA, target, None, 0.25, np.array([], dtype=object), draws=200)
    rng = np.random.default_rng(3)
    counts = np.exp(rng.normal(4, 2, (100, 3))).round()
    counts[rng.random((100, 3)) < 0.3] = 0
    counts[0] = 0
    clean = rng.uniform(0, 1, (1 if one_clean_share else 100, 3))
    clean = np.broadcast_to(clean, counts.shape)
    place = STRATA.index(target)
    draws = dict(zip(surface.parameter_names, surface.draws.T, strict=True))
    steepness = draws["steepness"][:, None] / np.sqrt(2)
    learnt = erf(steepness * _agreement(surface.draws, place, counts, clean)) / erf(steepness)
    reach = (draws["ceiling"] - draws["floor"])[:, None]
    plain = draws["floor"][:, None] + reach * learnt
    found = AccuracyKernel(surface.draws, 3, place).accuracy(counts, clean)
    np.testing.assert_allclose(found, plain, atol=2e-7)
