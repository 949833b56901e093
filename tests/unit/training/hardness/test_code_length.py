import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from training.hardness.code_length import PENALTIES, OnlineCode, block_ends, online_code
from training.probes.probe import ProbeJob, fit_probes

Array = NDArray[np.float64]


def items(
    count: int, own_choices: bool, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]:
    """Features, mask and answers; some items lack the last of three choices."""
    rng = np.random.default_rng(seed)
    mask = np.ones((count, 3), dtype=bool)
    if own_choices:
        mask[::3, 2] = False
    answers = rng.integers(0, mask.sum(1))
    if own_choices:
        features = rng.normal(size=(count, 3, 4))
        features[np.arange(count), answers, 0] += 2
    else:
        features = rng.normal(size=(count, 1, 4))
        features[np.arange(count), 0, answers] += 2
    return features.astype(np.float32), mask, answers


def test_blocks_end_as_published() -> None:
    assert block_ends(1000) == [1, 2, 4, 8, 16, 32, 62, 125, 250, 500, 1000]
    assert block_ends(10) == [1, 2, 5, 10]


@pytest.mark.parametrize("own_choices", [True, False])
def test_the_code_is_that_of_the_obvious_way(own_choices: bool) -> None:
    features, mask, answers = items(20, own_choices)
    found = online_code(features, mask, answers, orders=2, seed=5)
    order = np.random.default_rng([5, 0xC0DE]).permutation(20)
    bits = np.zeros(20)
    for rotation in (order, np.concatenate([order[10:], order[:10]])):
        sent: list[int] = []
        for end in block_ends(20):
            block = rotation[len(sent) : end].tolist()
            if not sent:
                bits[block] += np.log2(mask[block].sum(1))
                sent += block
                continue
            rows = np.array(sent)
            job = ProbeJob(rows, np.eye(3)[answers[rows]])
            [probe] = fit_probes(features, mask, [job], PENALTIES)
            for item in block:
                scores = np.exp(probe.scores(features[[item]], mask[[item]])[0])
                bits[item] -= np.log2(scores[answers[item]] / scores.sum())
            sent += block
    assert found.bits == pytest.approx(bits / 2, abs=1e-4)
    assert found.uniform_bits == pytest.approx(np.log2(mask.sum(1)).sum())
    assert found.total_bits == pytest.approx(found.bits.sum())


def test_compression() -> None:
    assert OnlineCode(np.array([0.5, 1.5]), 4.0).compression == 2.0
    assert OnlineCode(np.zeros(2), 2.0).compression == float("inf")


def test_wrong_input() -> None:
    features, mask, answers = items(12, True)
    with pytest.raises(InputError, match="at least 10 items; got 9"):
        online_code(features[:9], mask[:9], answers[:9])
    with pytest.raises(ValueError, match="'orders' should be at least 1"):
        online_code(features, mask, answers, orders=0)
    with pytest.raises(ValueError, match="gold answer among its choices"):
        online_code(features, mask, np.full(12, 2))
    with pytest.raises(ValueError, match="should be of as many items"):
        online_code(features, mask, answers[:5])
