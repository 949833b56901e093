"""A probe finds a planted direction, and finds it better with more labels."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from training.probe import LinearProbe, fit_probe

WIDTH = 24
SEEDS = range(12)


def planted(
    items: int, seed: int, shared: bool
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
    """Features, noisy labels, mask and the planted direction, (width,) or (classes, width)."""
    rng = np.random.default_rng([seed, shared])
    choices = 3
    direction = rng.normal(size=(choices, WIDTH) if shared else WIDTH)
    features = rng.normal(size=(items, 1 if shared else choices, WIDTH))
    scores = features[:, 0] @ direction.T if shared else features @ direction
    labels = (0.6 * scores + rng.gumbel(size=scores.shape)).argmax(1)
    mask = np.ones((items, choices), dtype=bool)
    return features.astype(np.float32), labels, mask, direction


def cosine(fitted: LinearProbe, direction: NDArray[np.float64]) -> float:
    """Cosine of fitted and planted direction, in the features' own units."""
    found = fitted.weights / fitted.scale
    if direction.ndim == 2:  # only differences between classes matter
        found, direction = found - found.mean(0), direction - direction.mean(0)
    found, direction = found.ravel(), direction.ravel()
    return float(found @ direction / np.linalg.norm(found) / np.linalg.norm(direction))


@pytest.mark.parametrize("shared", [False, True], ids=["own choices", "shared choices"])
def test_more_labels_find_the_direction_better(shared: bool) -> None:
    counts = (10, 40, 160, 640)
    found = np.empty((len(SEEDS), len(counts)))
    for row, seed in enumerate(SEEDS):
        features, labels, mask, direction = planted(max(counts), seed, shared)
        for column, count in enumerate(counts):
            fitted = fit_probe(features[:count], labels[:count], mask[:count])
            found[row, column] = cosine(fitted, direction)
    means = found.mean(0)
    assert all(later > earlier + 0.02 for earlier, later in pairwise(means))
    assert means[0] > 0.1
    assert found[:, -1].min() > 0.9


@pytest.mark.parametrize("shared", [False, True], ids=["own choices", "shared choices"])
def test_labels_of_nothing_are_shrunk_away(shared: bool) -> None:
    """Cross-validation takes a larger penalty for noise than for a signal, on the whole."""
    signal, noise = [], []
    for seed in SEEDS:
        features, labels, mask, _ = planted(80, seed, shared)
        signal.append(fit_probe(features, labels, mask).penalty)
        shuffled = np.random.default_rng(seed).permutation(labels)
        noise.append(fit_probe(features, shuffled, mask).penalty)
    assert np.mean(np.log(noise)) > np.mean(np.log(signal)) + 1
