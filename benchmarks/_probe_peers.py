"""What the grid of probes is compared with: the paper's optimiser, and scikit-learn, fit by fit."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from training.probes.probe import FOLDS, GRADIENT_TOLERANCE

Array = NDArray[np.float64]
Features = NDArray[np.float32]
Labels = NDArray[np.int64]


def paper_weights(features: Features, labels: Labels, start: Array, scale_once: bool) -> Array:
    """Weights after the paper's 100 steps in plain torch, in float32 as there; (width,).

    Parameters
    ----------
    features : (items, choices, width)
    labels : (items,)
    start : (width,)
    scale_once : scale the features before the first step. The paper's code does it in every one.
    """
    inputs, answers = torch.from_numpy(features), torch.from_numpy(labels)
    rows = inputs.flatten(0, 1)
    mean, deviation = rows.mean(0), rows.std(0, correction=0)
    probe = torch.nn.Linear(inputs.shape[2], 1, bias=False)
    with torch.no_grad():
        probe.weight.copy_(torch.from_numpy(start)[None])
    optimiser = torch.optim.SGD(probe.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, total_iters=100)
    scaled = (inputs - mean) / deviation
    for _ in range(100):
        if not scale_once:
            scaled = (inputs - mean) / deviation
        chances = torch.softmax(probe(scaled)[..., 0], -1)
        loss = -chances.gather(1, answers[:, None]).log().mean() + probe.weight.norm()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(probe.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return probe.weight.detach()[0].double().numpy()


def scale(features: Features) -> Array:
    """Rows (items, width) as labelmix scales them, by scikit-learn."""
    scaled: Array = StandardScaler().fit_transform(features.astype(np.float64))
    scaled /= np.sqrt(features.shape[1])
    return scaled


def classify(rows: Array, labels: Labels, penalty: float) -> LogisticRegression:
    """The same objective with scikit-learn's L-BFGS, to labelmix's tolerance.

    With n rows, C = 1 / (n penalty). Of two classes it has one vector v where labelmix has -v / 2
    and v / 2, whose penalties add up to half of v's: C = 2 / (n penalty).
    """
    doubled = 2 if len(np.unique(labels)) == 2 else 1
    model = LogisticRegression(
        C=doubled / (len(rows) * penalty), tol=GRADIENT_TOLERANCE, max_iter=10_000
    )
    return model.fit(rows, labels)


def classify_by_folds(
    rows: Array, labels: Labels, penalties: Sequence[float]
) -> tuple[LogisticRegression, float]:
    """The penalty of the best likelihood on held-out labels, with warm starts; and its fit."""
    fold = np.arange(len(labels)) % FOLDS
    losses = np.zeros(len(penalties))
    model = LogisticRegression(tol=GRADIENT_TOLERANCE, max_iter=10_000, warm_start=True)
    for held_out in range(FOLDS):
        train, test = fold != held_out, fold == held_out
        model = LogisticRegression(tol=GRADIENT_TOLERANCE, max_iter=10_000, warm_start=True)
        for index, penalty in enumerate(penalties):
            model.set_params(C=2 / (train.sum() * penalty)).fit(rows[train], labels[train])
            chances = model.predict_proba(rows[test])
            losses[index] += log_loss(labels[test], chances, normalize=False, labels=[0, 1])
    best = penalties[int(np.argmin(losses))]
    return classify(rows, labels, best), best
