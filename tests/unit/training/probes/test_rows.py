"""Rows of probes: scaling, differences within items, and few coordinates that lose nothing."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from annotation.arrays import Features, Mask
from training.probes import rows as probe_rows
from training.probes.rows import ScaledRows, reduce_rows

CPU = torch.device("cpu")


def draw(items: int, width: int, own_choices: bool, seed: int = 0) -> tuple[Features, Mask]:
    rng = np.random.default_rng(seed)
    mask = np.arange(4)[None, :] < rng.integers(1, 5, items)[:, None]
    features = rng.normal(50.0, 2.0, (items, 4 if own_choices else 1, width))
    return features.astype(np.float32), mask


def scale(features: Features, mask: Mask, positions: list[int], divisor: float = 1.0) -> ScaledRows:
    return ScaledRows(features, mask, np.array(positions), divisor, CPU)


def centred_scatter(features: Features, mask: Mask, scaled: ScaledRows) -> NDArray[np.float64]:
    """Scatter of every item's scaled choices about their mean, summed; (width, width)."""
    total = np.zeros((scaled.width, scaled.width))
    for item in range(len(features)):
        own = (features[item, mask[item]] - scaled.mean) / scaled.scale
        own = own - own.mean(0)
        total += own.T @ own
    return total


def test_differences_to_the_first_choice_there_is() -> None:
    """Two items of one feature: choices 1, 3, 8 and, first slot missing, 4, 10.

    The five values have the mean 5.2 and the variance (4.2^2 + 2.2^2 + 2.8^2 + 1.2^2 + 4.8^2) / 5.
    """
    features = np.array([[[1], [3], [8]], [[77], [4], [10]]], dtype=np.float32)
    mask = np.array([[True, True, True], [False, True, True]])
    scaled = scale(features, mask, [0, 1], 2.0)
    rows = scaled.dense().numpy()
    deviation = np.sqrt((4.2**2 + 2.2**2 + 2.8**2 + 1.2**2 + 4.8**2) / 5)
    assert scaled.mean == pytest.approx([5.2])
    assert scaled.scale == pytest.approx([2 * deviation])
    np.testing.assert_allclose(rows[:, 0] * 2 * deviation, [2, 7, 6, 0], atol=1e-12)
    np.testing.assert_array_equal(scaled.order, [[0, 1, 2], [1, 2, 0]])
    np.testing.assert_array_equal(scaled.real, [[True, True, True], [True, True, False]])


def test_shared_choices_give_one_centred_row_each() -> None:
    features = np.array([[[1.0]], [[9.0]], [[2.0]], [[6.0]]], dtype=np.float32)
    scaled = scale(features, np.ones((4, 3), dtype=bool), [0, 2, 3])
    rows = scaled.dense().numpy()[:, 0]
    np.testing.assert_allclose(rows * np.sqrt(14 / 3), [-2, -1, 3])
    np.testing.assert_allclose(rows.std(), 1.0)


@pytest.mark.parametrize("chunk", [1, 2**19], ids=["many blocks", "one block"])
@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
def test_products_need_not_the_rows(
    own_choices: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_rows, "CHUNK_VALUES", chunk)
    features, mask = draw(7, 150, own_choices)
    scaled = scale(features, mask, [3, 1, 1, 6, 0])
    assert len(list(scaled.blocks())) == (3 if chunk == 1 else 1)
    rows = scaled.dense().numpy()
    vectors = np.random.default_rng(1).normal(size=(150, 2))
    gram, products = scaled.gram_and_products(torch.from_numpy(vectors))
    np.testing.assert_allclose(gram.numpy(), rows @ rows.T, atol=1e-9)
    np.testing.assert_allclose(products.numpy(), rows @ vectors, atol=1e-9)
    coefficients = np.random.default_rng(2).normal(size=(scaled.rows, 3))
    combined = scaled.combine(torch.from_numpy(coefficients)).numpy()
    np.testing.assert_allclose(combined, rows.T @ coefficients, atol=1e-9)


@pytest.mark.parametrize("width", [5, 200], ids=["primal", "dual"])
@pytest.mark.parametrize("own_choices", [True, False], ids=["own choices", "classes"])
def test_coordinates_keep_scores_and_lengths(width: int, own_choices: bool) -> None:
    features, mask = draw(9, width, own_choices)
    scaled = scale(features, mask, list(range(9)))
    reduced = reduce_rows(scaled)
    rank = reduced.rows.shape[1]
    assert rank <= min(scaled.rows, width)
    coordinates = torch.from_numpy(np.random.default_rng(1).normal(size=(rank, 2)))
    weights = reduced.weights(coordinates).numpy()
    rows = scaled.dense().numpy()
    np.testing.assert_allclose(rows @ weights, (reduced.rows @ coordinates).numpy(), atol=1e-9)
    lengths = np.linalg.norm(weights, axis=0)
    np.testing.assert_allclose(lengths, np.linalg.norm(coordinates.numpy(), axis=0), rtol=1e-9)


@pytest.mark.parametrize("width", [5, 200], ids=["primal", "dual"])
def test_curvature_is_the_scatter_within_items(width: int) -> None:
    features, mask = draw(9, width, True)
    scaled = scale(features, mask, list(range(9)))
    reduced = reduce_rows(scaled)
    expected = np.linalg.eigvalsh(centred_scatter(features, mask, scaled))[
        -len(reduced.curvature) :
    ]
    np.testing.assert_allclose(np.sort(reduced.curvature.numpy()), expected, rtol=1e-9)


def test_too_many_coordinates_stay_features(monkeypatch: pytest.MonkeyPatch) -> None:
    features, mask = draw(9, 8, True)
    scaled = scale(features, mask, list(range(9)))
    monkeypatch.setattr(probe_rows, "LARGEST_BASIS", 7)
    reduced = reduce_rows(scaled)
    assert reduced.basis is None
    np.testing.assert_array_equal(reduced.rows.numpy(), scaled.dense().numpy())
    expected = np.diag(centred_scatter(features, mask, scaled))
    np.testing.assert_allclose(reduced.curvature.numpy(), expected)


def test_rows_that_are_there_twice_add_no_coordinate() -> None:
    features, mask = draw(6, 100, True)
    once = reduce_rows(scale(features, mask, list(range(6))))
    twice = reduce_rows(scale(features, mask, [*range(6), *range(6)]))
    assert twice.rows.shape[1] == once.rows.shape[1] == mask.sum() - 6
    np.testing.assert_allclose(twice.curvature.numpy(), 2 * once.curvature.numpy(), rtol=1e-9)


def test_constant_features_are_zero_and_alone_leave_no_coordinate() -> None:
    features = np.full((5, 4, 30), 0.1, dtype=np.float32)
    mask = np.ones((5, 4), dtype=bool)
    scaled = scale(features, mask, list(range(5)), 3.0)
    assert reduce_rows(scaled).rows.shape == (15, 0)
    np.testing.assert_array_equal(scaled.dense().numpy(), 0.0)
    np.testing.assert_array_equal(scaled.scale, 3.0)
    np.testing.assert_array_equal(scaled.mean, np.float64(np.float32(0.1)))


def test_large_features_keep_their_variance() -> None:
    """A spread of 1 on top of 10,000, in float32: as exact as the features themselves."""
    features, mask = draw(200, 3, False)
    features += 10_000
    scaled = scale(features, mask, list(range(200)))
    scaled.dense()
    exact = features[:, 0].astype(np.float64)
    np.testing.assert_allclose(scaled.mean, exact.mean(0), rtol=1e-14)
    np.testing.assert_allclose(scaled.scale, exact.std(0), rtol=1e-12)
