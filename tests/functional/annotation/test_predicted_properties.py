"""Intervals of predicted hardness hold what they promise, whatever the regression is worth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.hardness.predicted import predict_hardness

Array = NDArray[np.float64]
RUNS = 200


def items(seed: int, kind: str) -> tuple[Array, Array, list[str]]:
    """Features, hardness and groups of 120 items of which 60 will be rated."""
    rng = np.random.default_rng(seed)
    groups = [f"g{number}" for number in range(120)]
    features = rng.normal(size=(120, 15))
    signal = features[:, :5].sum(1)
    if kind == "noise that grows":
        hardness = signal + rng.normal(size=120) * np.exp(0.5 * features[:, 0])
    elif kind == "nothing to learn":
        hardness = rng.exponential(size=120)
    elif kind == "grades":
        hardness = np.clip(np.round(5 + signal / 2 + rng.normal(size=120)), 3, 8)
    else:  # passages of five items whose hardness and features are alike
        passage = rng.permutation(np.repeat(np.arange(24), 5))
        groups = [f"g{number}" for number in passage]
        features = features + rng.normal(0, 2, (24, 15))[passage]
        hardness = signal + rng.normal(0, 2, 24)[passage]
    return features, hardness, groups


@pytest.mark.parametrize("kind", ["noise that grows", "nothing to learn", "grades", "passages"])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_coverage(kind: str, coverage: float) -> None:
    inside = []
    for seed in range(RUNS):
        features, hardness, groups = items(seed, kind)
        if kind == "passages":  # whole passages are rated
            rated = np.isin(groups, sorted(set(groups))[::2])
        else:
            rated = np.random.default_rng(seed).permutation(120) < 60
        found = predict_hardness(
            features, np.where(rated, hardness, np.nan), groups, coverage, folds=6, seed=seed
        )
        new = ~rated
        inside.append(np.mean((hardness >= found.low)[new] & (hardness <= found.high)[new]))
    assert coverage - 0.03 < np.mean(inside) < coverage + 0.06


def test_better_features_give_shorter_intervals() -> None:
    widths = {}
    for noise in (0.1, 1.0, 4.0):
        rng = np.random.default_rng(0)
        features = rng.normal(size=(300, 10))
        hardness = features.sum(1) + rng.normal(0, noise, 300)
        measured = np.where(np.arange(300) < 150, hardness, np.nan)
        found = predict_hardness(features, measured)
        widths[noise] = float(np.median((found.high - found.low)[150:]))
        assert np.corrcoef(found.values[150:], hardness[150:])[0, 1] > 0.4
    assert widths[0.1] < widths[1.0] < widths[4.0]
