"""The loss's value and gradient, against autograd and numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from training.probes.loss import NO_CHOICE, ProbeTargets, pick

SETS, ITEMS, CLASSES, FITS = 2, 3, 4, 5


def draw_labels(corrected: bool) -> ProbeTargets:
    """Items with four, two and three choices; rates of 0 and 1 among others."""
    rng = np.random.default_rng(0)
    counts = np.tile(np.array([4, 2, 3]), (SETS, 1))
    real = np.arange(CLASSES)[None, None, :] < counts[:, :, None]
    targets = np.where(real[..., None], rng.random((SETS, ITEMS, CLASSES, FITS)), 0.0)
    targets /= targets.sum(2, keepdims=True)
    absent = torch.from_numpy(np.where(real, 0.0, NO_CHOICE)[..., None])
    choices = torch.from_numpy(counts[:, :, None, None].astype(float))
    labels = ProbeTargets(torch.from_numpy(targets), choices, absent)
    if not corrected:
        return labels
    rates = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0], dtype=torch.float64)
    rates = rates.expand(SETS, ITEMS, 1, FITS)
    return ProbeTargets(labels.targets, choices, absent, (1 - rates).log(), (rates / choices).log())


@pytest.mark.parametrize("corrected", [False, True], ids=["plain", "corrected"])
def test_gradient_equals_autograd(corrected: bool) -> None:
    labels = draw_labels(corrected)
    others = torch.randn(SETS, ITEMS, CLASSES - 1, FITS, dtype=torch.float64) * 3
    scores = labels.scores(others).requires_grad_()
    losses, slopes, chances = labels.losses(scores)
    losses.sum().backward()
    assert scores.grad is not None
    torch.testing.assert_close(slopes, scores.grad, rtol=0, atol=1e-12)
    torch.testing.assert_close(chances.sum(2), torch.ones_like(losses))
    assert labels.absent is not None
    assert (chances * (labels.absent < 0) == 0).all()


def test_losses_by_hand() -> None:
    """Scores 0, log 3: chances 1/4, 3/4. With a share of .4 redrawn, .6 x 1/4 + .2 = .35."""
    target = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]], dtype=torch.float64)[None, None]
    choices = torch.full((1, 1, 1, 1), 2.0, dtype=torch.float64)
    scores = torch.tensor([0.0, math.log(3)], dtype=torch.float64).view(1, 1, 2, 1)
    plain, _, _ = ProbeTargets(target, choices).losses(scores.expand(1, 1, 2, 3))
    expected = [math.log(4), -math.log(0.75), math.log(4) / 2 - math.log(0.75) / 2]
    np.testing.assert_allclose(plain[0, 0].numpy(), expected)
    kept, floor = torch.log(choices * 0.3), torch.log(choices * 0.1)
    corrected, _, _ = ProbeTargets(target, choices, None, kept, floor).losses(
        scores.expand(1, 1, 2, 3)
    )
    expected = [-math.log(0.35), -math.log(0.65), -math.log(0.35 * 0.65) / 2]
    np.testing.assert_allclose(corrected[0, 0].numpy(), expected)


@pytest.mark.parametrize("corrected", [False, True], ids=["plain", "corrected"])
def test_certainty_is_finite(corrected: bool) -> None:
    labels = draw_labels(corrected)
    others = torch.full((SETS, ITEMS, CLASSES - 1, FITS), 1e5, dtype=torch.float64)
    losses, slopes, _ = labels.losses(labels.scores(others))
    assert losses.isfinite().all()
    assert slopes.isfinite().all()


def test_pick_takes_other_columns_of_every_set() -> None:
    values = torch.arange(2 * 3 * 4).view(2, 3, 4)
    columns = torch.tensor([[3, 0], [1, 1]])
    picked = pick(values, columns)
    assert picked.tolist() == [
        [[3, 0], [7, 4], [11, 8]],
        [[13, 13], [17, 17], [21, 21]],
    ]
    torch.testing.assert_close(pick(values[:1], columns[:1]), picked[:1])
