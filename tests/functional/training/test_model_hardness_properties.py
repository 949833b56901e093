"""What model-based measures call hard is what is hard to learn from the features."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from training.hardness.code_length import online_code
from training.hardness.error_confidence import ErrorConfidenceDesign, error_confidence
from training.hardness.v_information import v_information

Array = NDArray[np.float64]
COUNT, WIDTH = 240, 12
MARGINS = np.array([4.0, 1.5, 0.0, -2.0])  # of the gold choice; the last kind of item misleads
DESIGN = ErrorConfidenceDesign(sizes=(20, 80), samples=2)


def measured(own_choices: bool, seed: int) -> tuple[dict[str, Array], NDArray[np.int64]]:
    rng = np.random.default_rng([seed, own_choices])
    kinds = rng.choice(4, COUNT, p=[0.4, 0.3, 0.2, 0.1])
    answers = rng.integers(0, 3, COUNT)
    mask = np.ones((COUNT, 3), dtype=bool)
    features = rng.normal(size=(COUNT, 3 if own_choices else 1, WIDTH))
    if own_choices:
        features[np.arange(COUNT), answers, 0] += MARGINS[kinds]
    else:
        features[np.arange(COUNT), 0, answers] += MARGINS[kinds]
    inputs = (features.astype(np.float32), mask, answers)
    return {
        "code_length": online_code(*inputs).bits,
        "negative_pvi": -v_information(*inputs).pointwise,
        "error_confidence": error_confidence(*inputs, design=DESIGN),
    }, kinds


@pytest.mark.parametrize("own_choices", [True, False])
def test_smaller_margins_are_harder(own_choices: bool) -> None:
    by_kind: dict[str, list[list[float]]] = {}
    agreement = []
    for seed in range(2):  # the order below holds for every one of a dozen steps in each alone
        found, kinds = measured(own_choices, seed)
        for name, values in found.items():
            by_kind.setdefault(name, []).append(
                [float(values[kinds == kind].mean()) for kind in range(4)]
            )
        agreement.append(spearmanr(found["code_length"], found["negative_pvi"]).statistic)
    for name, means in by_kind.items():
        average = np.mean(means, 0)
        assert (np.diff(average) > 0).all(), (name, average)
    assert np.mean(agreement) > 0.65
    assert np.mean(by_kind["negative_pvi"], 0)[0] < 0 < np.mean(by_kind["negative_pvi"], 0)[3]


def test_labels_at_random_do_not_compress() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 1, 10)).astype(np.float32)
    mask = np.ones((200, 2), dtype=bool)
    code = online_code(features, mask, rng.integers(0, 2, 200))
    assert 0.85 < code.compression < 1.02
    learned = online_code(features, mask, (features[:, 0, 0] > 0).astype(np.int64))
    assert learned.compression > 1.5
