"""The probe's fit equals scikit-learn's and a plain minimisation, on the same scaled rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from training.probes.probe import FOLDS, GRADIENT_TOLERANCE, PENALTIES, LinearProbe, fit_probe

Array = NDArray[np.float64]


@dataclass
class Data:
    """Features (items, choices or 1, width), labels (items,), mask (items, classes)."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    mask: NDArray[np.bool_]

    def rows(self) -> NDArray[np.float32]:
        """Every row that belongs to a choice an item has, or to an item."""
        flat = self.features.reshape(-1, self.features.shape[-1])
        return flat if self.features.shape[1] == 1 else flat[self.mask.ravel()]

    def scaled(self) -> Array:
        rows = self.rows().astype(np.float64)
        width = self.features.shape[-1]
        out: Array = (self.features - rows.mean(0)) / (rows.std(0) * np.sqrt(width))
        return out

    def part(self, chosen: NDArray[Any]) -> "Data":
        return Data(self.features[chosen], self.labels[chosen], self.mask[chosen])


def own_choices(items: int, width: int, seed: int = 0, signal: float = 1.0) -> Data:
    """Items with two to four choices of their own; the label follows a direction, noisily."""
    rng = np.random.default_rng(seed)
    mask = np.arange(4)[None, :] < rng.integers(2, 5, items)[:, None]
    features = rng.normal(3.0, 2.0, (items, 4, width)) * rng.uniform(0.5, 5.0, width)
    features[~mask] = 0.0
    scores = signal * (features @ rng.normal(size=width)) / features[mask].std()
    noisy = np.where(mask, scores + rng.gumbel(size=mask.shape), -np.inf)
    return Data(features.astype(np.float32), noisy.argmax(1), mask)


def classes(items: int, width: int, count: int, seed: int = 0) -> Data:
    """Items that share `count` choices, every one of which occurs."""
    rng = np.random.default_rng(seed)
    features = rng.normal(1.0, 1.0, (items, 1, width)) * rng.uniform(0.5, 5.0, width)
    scores = features[:, 0] @ rng.normal(size=(width, count)) / width
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(1)
    labels[:count] = np.arange(count)
    return Data(features.astype(np.float32), labels, np.ones((items, count), dtype=bool))


def slow_loss(
    weights: torch.Tensor, intercepts: torch.Tensor, data: Data, scaled: Array, penalty: float
) -> torch.Tensor:
    """The objective as the module's docstring has it, item by item."""
    loss = torch.zeros((), dtype=torch.float64)
    for item, label in enumerate(data.labels):
        there = np.flatnonzero(data.mask[item])
        vectors = torch.from_numpy(scaled[item])
        if len(vectors) == 1:
            scores = torch.stack([vectors[0] @ weights[k] + intercepts[k] for k in there])
        else:
            scores = torch.stack([vectors[k] @ weights[0] for k in there])
        loss = loss - scores.log_softmax(0)[int(np.flatnonzero(there == label)[0])]
    return loss / len(data.labels) + penalty / 2 * (weights**2).sum()


def slow_fit(data: Data, scaled: Array, penalty: float) -> tuple[Array, Array]:
    """Minimise the objective over all coordinates, with no reduction and no warm start."""
    width = scaled.shape[-1]
    heads = data.mask.shape[1] if scaled.shape[1] == 1 else 1

    def objective(flat: Array) -> tuple[float, Array]:
        parameters = torch.tensor(flat, requires_grad=True)
        weights = parameters[: heads * width].reshape(heads, width)
        loss = slow_loss(weights, parameters[heads * width :], data, scaled, penalty)
        loss.backward()
        assert parameters.grad is not None
        return loss.item(), parameters.grad.numpy()

    start = np.zeros(heads * width + (heads if scaled.shape[1] == 1 else 0))
    found = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return found[: heads * width].reshape(heads, width), found[heads * width :]


def gradient(fitted: LinearProbe, data: Data) -> tuple[Array, Array]:
    """Gradient of the slow objective at the fit, of weights and intercepts."""
    weights = torch.tensor(fitted.weights, requires_grad=True)
    intercepts = torch.tensor(fitted.intercepts, requires_grad=True)
    scaled = (data.features - fitted.mean) / fitted.scale
    slow_loss(weights, intercepts, data, scaled, fitted.penalty).backward()
    assert weights.grad is not None
    grad = intercepts.grad
    return weights.grad.numpy(), np.zeros(1) if grad is None else grad.numpy()


def test_rows_are_scaled_to_no_mean_and_a_variance_of_one_over_width() -> None:
    for data in (own_choices(15, 6), classes(15, 6, 3)):
        fitted = fit_probe(data.features, data.labels, data.mask, [1.0])
        scaled = (data.rows() - fitted.mean) / fitted.scale
        np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-6)
        np.testing.assert_allclose(scaled.std(0), 1 / np.sqrt(6), rtol=1e-6)


@pytest.mark.parametrize("items", [60, 12], ids=["primal", "reduced"])
@pytest.mark.parametrize("penalty", [1.0, 0.03])
def test_classes_equal_scikit_learn(items: int, penalty: float) -> None:
    """With n rows, C = 1 / (penalty * n) makes scikit-learn's objective ours times C * n."""
    data = classes(items, 20, 3)
    fitted = fit_probe(data.features, data.labels, data.mask, [penalty])
    other = LogisticRegression(C=1 / (penalty * items), tol=1e-10, max_iter=10_000)
    other.fit(data.scaled()[:, 0], data.labels)
    np.testing.assert_allclose(fitted.weights, other.coef_, atol=20 * GRADIENT_TOLERANCE / penalty)
    # Equal numbers added to all scores change nothing, so intercepts are known up to one.
    centred = fitted.intercepts - fitted.intercepts.mean()
    np.testing.assert_allclose(centred, other.intercept_ - other.intercept_.mean(), atol=1e-3)
    scores = fitted.scores(data.features, data.mask)
    np.testing.assert_array_equal(scores.argmax(1), other.predict(data.scaled()[:, 0]))


def test_two_classes_equal_scikit_learn() -> None:
    """Scikit-learn has ONE vector v for two classes: ours are -v / 2 and v / 2.

    Their squares add up to |v|^2 / 2, so that the same fit has C = 2 / (penalty * n).
    """
    data = classes(50, 8, 2)
    fitted = fit_probe(data.features, data.labels, data.mask, [0.1])
    other = LogisticRegression(C=2 / (0.1 * 50), tol=1e-10, max_iter=10_000)
    other.fit(data.scaled()[:, 0], data.labels)
    np.testing.assert_allclose(fitted.weights[1] - fitted.weights[0], other.coef_[0], atol=1e-3)
    np.testing.assert_allclose(fitted.weights[0], -fitted.weights[1], atol=1e-3)
    difference = fitted.intercepts[1] - fitted.intercepts[0]
    np.testing.assert_allclose(difference, other.intercept_[0], atol=1e-3)
    scores = fitted.scores(data.features, data.mask)
    accuracy = other.score(data.scaled()[:, 0], data.labels)
    assert (scores.argmax(1) == data.labels).mean() == accuracy


@pytest.mark.parametrize("penalty", [1.0, 0.03])
@pytest.mark.parametrize(
    "data",
    [own_choices(25, 5), own_choices(6, 40), classes(20, 5, 3), classes(8, 30, 3)],
    ids=["own choices", "own choices, reduced", "classes", "classes, reduced"],
)
def test_fit_equals_a_plain_minimisation(data: Data, penalty: float) -> None:
    fitted = fit_probe(data.features, data.labels, data.mask, [penalty])
    weights, intercepts = slow_fit(data, data.scaled(), penalty)
    # Strong convexity: a gradient of norm g leaves weights within g / penalty.
    tolerance = 20 * GRADIENT_TOLERANCE / penalty
    np.testing.assert_allclose(fitted.weights, weights, rtol=0, atol=tolerance)
    assert np.abs(weights).max() > 10 * tolerance
    if intercepts.size:
        centred = fitted.intercepts - fitted.intercepts.mean()
        np.testing.assert_allclose(centred, intercepts - intercepts.mean(), rtol=0, atol=tolerance)
    else:
        np.testing.assert_array_equal(fitted.intercepts, [0.0])


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize(
    "data",
    [own_choices(30, 6), own_choices(5, 48), classes(40, 6, 3), classes(12, 48, 2)],
    ids=["own choices", "own choices, reduced", "classes", "classes, reduced"],
)
def test_gradient_vanishes_at_the_fit(data: Data, penalty: float) -> None:
    """Its length, over all weights and intercepts, whatever coordinates were solved in."""
    fitted = fit_probe(data.features, data.labels, data.mask, [penalty])
    of_weights, of_intercepts = gradient(fitted, data)
    length = np.sqrt((of_weights**2).sum() + (of_intercepts**2).sum())
    assert length <= GRADIENT_TOLERANCE * 1.001


@pytest.mark.parametrize("width", [5, 120], ids=["primal", "reduced"])
def test_slots_without_a_choice_never_change_the_fit(width: int) -> None:
    data = own_choices(25, width)
    fitted = fit_probe(data.features, data.labels, data.mask)
    changed = data.features.copy()
    rng = np.random.default_rng(1)
    changed[~data.mask] = rng.normal(500.0, 300.0, (int((~data.mask).sum()), width))
    again = fit_probe(changed, data.labels, data.mask)
    assert again.penalty == fitted.penalty
    np.testing.assert_allclose(again.weights, fitted.weights, rtol=0, atol=1e-4 / fitted.penalty)
    assert np.abs(fitted.weights).max() > 1e-2 / fitted.penalty


def test_more_empty_slots_never_change_the_fit() -> None:
    data = own_choices(25, 5)
    wider = np.pad(data.features, ((0, 0), (0, 2), (0, 0)))
    mask = np.pad(data.mask, ((0, 0), (0, 2)))
    fitted = fit_probe(data.features, data.labels, data.mask)
    again = fit_probe(wider, data.labels, mask)
    assert again.penalty == fitted.penalty
    np.testing.assert_allclose(again.weights, fitted.weights, rtol=0, atol=1e-8)


def test_scores_are_minus_infinity_where_there_is_no_choice() -> None:
    data = own_choices(12, 5)
    fitted = fit_probe(data.features, data.labels, data.mask)
    scores = fitted.scores(data.features, data.mask)
    assert scores.shape == (12, 4)
    assert np.isneginf(scores[~data.mask]).all()
    scaled = (data.features - fitted.mean) / fitted.scale
    for item, slot in zip(*np.nonzero(data.mask), strict=True):
        np.testing.assert_allclose(scores[item, slot], scaled[item, slot] @ fitted.weights[0])


def slow_penalty(data: Data, penalties: Sequence[float]) -> tuple[float, list[float]]:
    """The penalty of the least loss on held-out items; item i is held out in fold i modulo 5."""
    scaled = data.scaled()
    folds = min(FOLDS, len(data.labels))
    losses = []
    for penalty in penalties:
        loss = 0.0
        for fold in range(folds):
            inside = np.array([i for i in range(len(data.labels)) if i % folds != fold])
            outside = np.array([i for i in range(len(data.labels)) if i % folds == fold])
            weights, intercepts = slow_fit(data.part(inside), scaled[inside], penalty)
            held_out = data.part(outside)
            loss += (
                len(outside)
                * slow_loss(
                    torch.from_numpy(weights),
                    torch.from_numpy(intercepts),
                    held_out,
                    scaled[outside],
                    0.0,
                ).item()
            )
        losses.append(loss)
    return penalties[int(np.argmin(losses))], losses


GRID = (1.0, 0.1, 0.01)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (own_choices(14, 3, seed=5, signal=0.0), 1.0),
        (own_choices(16, 3, seed=1, signal=1.0), 0.1),
        (own_choices(16, 3, seed=2, signal=9.0), 0.01),
        (classes(18, 3, 3, seed=3), None),
        (own_choices(3, 4, seed=4), None),
    ],
    ids=["noise", "weak signal", "strong signal", "classes", "three items"],
)
def test_cross_validation_equals_a_plain_loop(data: Data, expected: float | None) -> None:
    chosen, losses = slow_penalty(data, GRID)
    best, second = sorted(losses)[:2]
    assert second - best > 1e-3  # no close call
    if expected is not None:
        assert chosen == expected
    fitted = fit_probe(data.features, data.labels, data.mask, GRID)
    assert fitted.penalty == chosen
    assert fit_probe(data.features, data.labels, data.mask, GRID[::-1]).penalty == chosen
    alone = fit_probe(data.features, data.labels, data.mask, [chosen])
    tolerance = 20 * GRADIENT_TOLERANCE / chosen
    np.testing.assert_allclose(fitted.weights, alone.weights, rtol=0, atol=tolerance)


def test_a_single_label_takes_the_largest_penalty() -> None:
    data = own_choices(1, 4)
    assert fit_probe(data.features, data.labels, data.mask, GRID).penalty == 1.0


def test_a_class_without_labels_is_never_the_likeliest() -> None:
    data = classes(30, 4, 3)
    data.labels[:] = np.where(data.labels == 2, 0, data.labels)
    fitted = fit_probe(data.features, data.labels, data.mask, [0.1])
    assert set(fitted.scores(data.features, data.mask).argmax(1)) <= {0, 1}


def test_a_constant_feature_does_no_harm() -> None:
    data = own_choices(20, 4)
    data.features[:, :, 2] = 7.0
    fitted = fit_probe(data.features, data.labels, data.mask)
    assert np.isfinite(fitted.scores(data.features, data.mask)[data.mask]).all()
    assert fitted.weights[0, 2] == pytest.approx(0.0, abs=1e-3)


def test_no_labels() -> None:
    data = own_choices(3, 4)
    with pytest.raises(ValueError, match="job 0: 'rows' should not be empty"):
        fit_probe(data.features[:0], data.labels[:0], data.mask[:0])


def test_features_that_are_not_finite() -> None:
    data = own_choices(3, 4)
    data.features[1, 1, 1] = np.nan
    with pytest.raises(ValueError, match="'features' should be finite; those of item 1 are not"):
        fit_probe(data.features, data.labels, data.mask)
