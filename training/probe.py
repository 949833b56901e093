"""Linear probes: softmax regression on frozen features, penalty chosen by cross-validation.

Two heads. Where items have choices of their own, one vector w shared by all choices scores each
choice's features, and the softmax runs over the item's choices (Hase et al. 2024, section 3).
Where all items share their choices, one vector and one intercept per class score the item's
features: plain multinomial regression.

The objective is  mean negative log-likelihood + penalty / 2 * ||w||^2  on features scaled to zero
mean and unit variance on the training rows, then divided by sqrt(width). It is convex; L-BFGS
stops at a gradient of at most `GRADIENT_TOLERANCE` in every coordinate. With fewer rows than
features it is solved in the span of the rows, which loses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

GRADIENT_TOLERANCE = 1e-5
PENALTIES: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
FOLDS = 5


@dataclass(frozen=True)
class LinearProbe:
    """A fitted probe. `weights` (heads, width), `intercepts` (heads,); heads is 1 if shared."""

    mean: Array
    scale: Array
    weights: Array
    intercepts: Array
    penalty: float

    def scores(self, features: NDArray[np.float32], mask: NDArray[np.bool_]) -> Array:
        """Score of every choice, (items, choices); -inf where `mask` is False."""
        scaled = (features - self.mean) / self.scale
        return _masked(_scores(scaled, self.weights, self.intercepts), mask)


def fit_probe(
    features: NDArray[np.float32],
    labels: Labels,
    mask: NDArray[np.bool_],
    penalties: Sequence[float] = PENALTIES,
) -> LinearProbe:
    """Fit a probe, its penalty chosen by cross-validated likelihood of the training labels.

    Parameters
    ----------
    features : (items, choices, width); choices is 1 for a per-class head
    labels : (items,), the choice each item was labelled with
    mask : (items, classes), which choices an item has
    penalties : tried from large to small; a single one is used as it stands

    Raises ValueError if there are no items or the features are not finite.
    """
    if labels.size == 0:
        raise ValueError("'labels' should not be empty.")
    if not np.isfinite(features).all():
        raise ValueError("'features' should be finite.")
    rows: NDArray[np.float32] = features.reshape(-1, features.shape[-1])
    if features.shape[1] > 1:
        rows = rows[mask.ravel()]  # slots of choices that an item lacks hold no features
    mean = rows.mean(0, dtype=np.float64)
    deviation = rows.std(0, dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1.0) * np.sqrt(features.shape[-1])
    scaled = (features - mean) / scale  # (items, choices, width), float64
    reduced, basis = _reduce(scaled)
    ordered = sorted(penalties, reverse=True)
    penalty = ordered[0]
    if len(ordered) > 1 and labels.size >= 2:
        penalty = _choose_penalty(reduced, labels, mask, ordered)
    weights, intercepts = _fit_path(reduced, labels, mask, [p for p in ordered if p >= penalty])[-1]
    full = weights if basis is None else weights @ basis.T
    return LinearProbe(mean, scale, full, intercepts, penalty)


def _reduce(scaled: Array) -> tuple[Array, Array | None]:
    """Coordinates of the rows in their own span, and that span's basis (width, rank)."""
    rows = scaled.reshape(-1, scaled.shape[-1])
    if rows.shape[0] >= rows.shape[1]:
        return scaled, None
    basis, _ = np.linalg.qr(rows.T)  # (width, rows)
    return (rows @ basis).reshape(*scaled.shape[:2], basis.shape[1]), basis


def _choose_penalty(
    features: Array, labels: Labels, mask: NDArray[np.bool_], penalties: Sequence[float]
) -> float:
    fold = np.arange(labels.size) % min(FOLDS, labels.size)
    # Labels come stratum by stratum: deal them out so that every fold holds every stratum.
    losses = np.zeros(len(penalties))
    for held_out in range(int(fold.max()) + 1):
        train, test = fold != held_out, fold == held_out
        path = _fit_path(features[train], labels[train], mask[train], penalties)
        for index, (weights, intercepts) in enumerate(path):
            scores = _masked(_scores(features[test], weights, intercepts), mask[test])
            log_probabilities = log_softmax(scores, axis=1)
            losses[index] -= log_probabilities[np.arange(test.sum()), labels[test]].sum()
    return penalties[int(np.argmin(losses))]


def _fit_path(
    features: Array, labels: Labels, mask: NDArray[np.bool_], penalties: Sequence[float]
) -> list[tuple[Array, Array]]:
    """Fits for falling penalties, each started from the one before."""
    shared = features.shape[1] > 1
    heads = 1 if shared else mask.shape[1]
    width = features.shape[2]
    parameters = np.zeros(heads * (width + (0 if shared else 1)))
    target = np.zeros(mask.shape)
    target[np.arange(labels.size), labels] = 1.0
    fits = []
    for penalty in penalties:

        def objective(flat: Array, penalty: float = penalty) -> tuple[float, Array]:
            weights, intercepts = _unpack(flat, heads, width)
            scores = _masked(_scores(features, weights, intercepts), mask)
            log_probabilities = log_softmax(scores, axis=1)
            loss = -np.where(target > 0, log_probabilities, 0.0).sum() / labels.size
            loss += penalty / 2 * float((weights**2).sum())
            error = (np.exp(log_probabilities) - target) / labels.size  # (items, classes)
            if shared:
                gradient = np.einsum("ik,ikd->d", error, features)[None] + penalty * weights
                return loss, gradient.ravel()
            gradient = error.T @ features[:, 0] + penalty * weights
            return loss, np.concatenate([gradient.ravel(), error.sum(0)])

        solution = minimize(
            objective,
            parameters,
            jac=True,
            method="L-BFGS-B",
            options={"gtol": GRADIENT_TOLERANCE, "ftol": 0.0, "maxiter": 2000},
        )
        parameters = solution.x
        fits.append(_unpack(parameters.copy(), heads, width))
    return fits


def _unpack(flat: Array, heads: int, width: int) -> tuple[Array, Array]:
    weights = flat[: heads * width].reshape(heads, width)
    intercepts = flat[heads * width :] if flat.size > heads * width else np.zeros(heads)
    return weights, intercepts


def _scores(features: Array, weights: Array, intercepts: Array) -> Array:
    if features.shape[1] > 1:
        return np.asarray(features @ weights[0])  # (items, choices)
    return np.asarray(features[:, 0] @ weights.T + intercepts)  # (items, classes)


def _masked(scores: Array, mask: NDArray[np.bool_]) -> Array:
    return np.where(mask, scores, -np.inf)
