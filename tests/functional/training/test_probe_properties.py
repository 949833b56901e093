"""A probe finds a planted direction, better with more labels and with its errors corrected for."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from training.probes.paper_probe import fit_paper_probes
from training.probes.probe import GRADIENT_TOLERANCE, LinearProbe, ProbeJob, fit_probe, fit_probes

WIDTH = 24
SEEDS = range(8)  # means of eight: what is asserted of them is three standard errors off or more


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


@pytest.mark.parametrize("shared", [False, True], ids=["own choices", "shared choices"])
def test_correction_for_redrawn_labels_helps(shared: bool) -> None:
    """With half the labels redrawn, chances of clean labels are the better for being told so."""
    gains = []
    for seed in SEEDS:
        features, labels, mask, _ = planted(900, seed, shared)
        rng = np.random.default_rng(seed)
        redrawn = np.where(rng.random(600) < 0.5, rng.integers(0, 3, 600), labels[:600])
        rows, targets = np.arange(600), np.eye(3)[redrawn]
        jobs = [ProbeJob(rows, targets), ProbeJob(rows, targets, np.full(600, 0.5))]
        plain, corrected = (
            log_softmax(probe.scores(features[600:], mask[600:]), axis=1)[
                np.arange(300), labels[600:]
            ]
            for probe in fit_probes(features, mask, jobs)
        )
        gains.append((corrected - plain).mean())
    assert np.mean(gains) > 3 * np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert np.mean(gains) > 0.05


def test_the_papers_probe_finds_the_direction_too() -> None:
    found = []
    for seed in SEEDS:
        features, labels, mask, direction = planted(640, seed, False)
        jobs = [ProbeJob(np.arange(n), np.eye(3)[labels[:n]]) for n in (10, 640)]
        found.append([cosine(own, direction) for own in fit_paper_probes(features, mask, jobs)])
    few, many = np.mean(found, axis=0)
    assert many > 0.8
    assert 0.1 < few < many - 0.2


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.integers(1, 40),
    st.integers(2, 5),
    st.booleans(),
    st.sampled_from([10.0, 0.3, 1e-3]),
)
def test_any_fit_ends_where_the_slope_does(
    seed: int, items: int, width: int, choices: int, own_choices: bool, penalty: float
) -> None:
    """Whatever the shape, masks, copies, constant features, targets and rates."""
    rng = np.random.default_rng(seed)
    mask = np.arange(choices)[None, :] < rng.integers(1, choices + 1, items)[:, None]
    mask = rng.permuted(mask, axis=1)
    features = rng.normal(rng.normal(), 1.0, (items, choices if own_choices else 1, width))
    features[:, :, rng.random(width) < 0.1] = 2.0
    inputs: NDArray[np.float32] = features.astype(np.float32)
    rows = rng.integers(0, items, items)
    targets = mask[rows] * rng.dirichlet(np.full(choices, 0.3), items).clip(1e-9)
    targets /= targets.sum(1, keepdims=True)
    rates = rng.choice([0.0, 0.2, 1.0], items)
    probe = fit_probes(inputs, mask, [ProbeJob(rows, targets, rates)], [penalty])[0]
    scaled = (inputs[rows] - probe.mean) / probe.scale
    chances = softmax(probe.scores(inputs, mask)[rows], axis=1)
    counts = mask[rows].sum(1, keepdims=True)
    corrected = (1 - rates)[:, None] * chances + rates[:, None] / counts
    parts = targets * (1 - rates)[:, None] * chances / np.where(mask[rows], corrected, 1.0)
    slopes = (chances * parts.sum(1, keepdims=True) - parts) / items
    if own_choices:
        scaled[~mask[rows]] = 0.0  # not a choice: whatever stands there is not scaled data
        gradient = np.einsum("ik,ikd->d", slopes, scaled)[None] + penalty * probe.weights
        of_intercepts = np.zeros(1)
    else:
        gradient = slopes.T @ scaled[:, 0] + penalty * probe.weights
        of_intercepts = slopes.sum(0)
    length = np.sqrt((gradient**2).sum() + (of_intercepts**2).sum())
    assert length <= 1.01 * GRADIENT_TOLERANCE
