import numpy as np
import pytest

from annotation.arrays import Features, IntArray, Mask
from training.probes.batches import ProbeJob
from training.probes.out_of_fold import FOLDS, unseen_chances
from training.probes.probe import fit_probes

ITEMS, WIDTH = 60, 4


def material(seed: int) -> tuple[Features, Mask, IntArray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(ITEMS, 1, WIDTH)).astype(np.float32)
    return features, np.ones((ITEMS, 2), dtype=bool), (features[:, 0, 0] > 0).astype(np.int64)


def job(rows: IntArray, labels: IntArray) -> ProbeJob:
    return ProbeJob(rows, np.eye(2)[labels[rows]])


def test_an_item_s_own_label_does_not_change_its_chances() -> None:
    features, mask, labels = material(0)
    rows = np.arange(40)
    other = labels.copy()
    other[7] = 1 - other[7]
    one, two = unseen_chances(features, mask, [job(rows, labels), job(rows, other)], 0, (0.1,))
    assert one.chances[7] == pytest.approx(two.chances[7], abs=1e-7)
    assert np.abs(one.chances[50] - two.chances[50]).max() > 1e-4


def test_items_without_labels_get_chances_of_the_probe_of_all_labels() -> None:
    features, mask, labels = material(1)
    found = unseen_chances(features, mask, [job(np.arange(40), labels)], 0)[0]
    (alone,) = fit_probes(features, mask, [job(np.arange(40), labels)])
    assert found.probe.penalty == alone.penalty
    scores = alone.scores(features[40:], mask[40:])
    weights = np.exp(scores)
    assert found.chances[40:] == pytest.approx(weights / weights.sum(axis=1, keepdims=True))
    assert found.chances.sum(axis=1) == pytest.approx(np.ones(ITEMS))


def test_a_group_is_in_one_fold() -> None:
    features, mask, labels = material(2)
    groups = np.arange(ITEMS) // 4
    rows = np.arange(40)
    other = labels.copy()
    other[4:8] = 1 - other[4:8]
    one, two = unseen_chances(
        features, mask, [job(rows, labels), job(rows, other)], 0, (0.1,), groups
    )
    assert one.chances[4:8] == pytest.approx(two.chances[4:8], abs=1e-7)


def test_what_a_job_gets_depends_on_no_other() -> None:
    features, mask, labels = material(3)
    jobs = [job(np.arange(20), labels), job(np.arange(10, 50), labels)]
    together = unseen_chances(features, mask, jobs, 5)
    alone = unseen_chances(features, mask, jobs[1:], 5)
    assert together[1].chances == pytest.approx(alone[0].chances, abs=1e-6)


def test_few_labels_have_as_many_folds_as_labels() -> None:
    features, mask, labels = material(4)
    rows = np.arange(FOLDS - 2)
    found = unseen_chances(features, mask, [job(rows, labels)], 0, (1.0,))[0]
    assert np.isfinite(found.chances).all()
    single = unseen_chances(features, mask, [job(rows[:1], labels)], 0, (1.0,))[0]
    assert np.isfinite(single.chances).all()
