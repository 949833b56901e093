import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.groups import group_folds
from training.hardness.v_information import v_information
from training.probes.probe import ProbeJob, fit_probes

Items = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]


def items(own_choices: bool) -> Items:
    rng = np.random.default_rng(1)
    mask = np.ones((16, 3), dtype=bool)
    if own_choices:
        mask[::4, 2] = False
    answers = rng.integers(0, mask.sum(1))
    features = rng.normal(size=(16, 3 if own_choices else 1, 4)).astype(np.float32)
    features[np.arange(16), answers if own_choices else 0, 0] += 1.5
    return features, mask, answers


@pytest.mark.parametrize("own_choices", [True, False])
def test_information_is_that_of_the_obvious_way(own_choices: bool) -> None:
    features, mask, answers = items(own_choices)
    found = v_information(features, mask, answers, folds=3, repeats=2, seed=4)
    shuffled = np.random.default_rng([4, 0x0F1]).permutation(16)
    expected = np.zeros(16)
    for repeat in range(2):
        fold_of = group_folds(range(16), 3, 4 + repeat)
        outside = [np.array([i for i in shuffled if fold_of[i] != fold]) for fold in range(3)]
        probes = [
            fit_probes(features, mask, [ProbeJob(rows, np.eye(3)[answers[rows]])])[0]
            for rows in outside
        ]
        for item in range(16):
            inside, probe = outside[fold_of[item]], probes[fold_of[item]]
            scores = np.exp(probe.scores(features[[item]], mask[[item]])[0])
            with_item = scores[answers[item]] / scores.sum()
            if own_choices:
                without = 1 / mask[item].sum()
            else:  # one more of each of the three classes
                same = int((answers[inside] == answers[item]).sum())
                without = (same + 1) / (inside.size + 3)
            expected[item] += np.log2(with_item / without) / 2
    assert found.pointwise == pytest.approx(expected, abs=1e-4)
    assert found.mean == pytest.approx(expected.mean(), abs=1e-4)


def test_groups_are_judged_by_others() -> None:
    features, mask, answers = items(True)
    # Two groups that teach the opposite: within a group all is clear, across it misleads.
    half = np.arange(16) % 2
    features[half == 1, :, 0] *= -1
    apart = v_information(features, mask, answers, half.tolist())
    assert apart.mean < 0 < v_information(abs(features), mask, answers).mean
    with pytest.raises(InputError, match="one group only"):
        v_information(features, mask, answers, ["one"] * 16)
