"""Which fits run together, and how their labels are padded."""

import numpy as np
import pytest
import torch

from training.probes import batches as probe_batches
from training.probes.batches import ProbeJob, batches, label_rows, padded_labels
from training.probes.loss import NO_CHOICE
from training.probes.rows import ScaledRows

CPU = torch.device("cpu")


def job(*rows: int) -> ProbeJob:
    return ProbeJob(np.array(rows), np.tile([1.0, 0.0], (len(rows), 1)))


def test_jobs_on_equal_rows_are_one_set_and_small_sets_one_batch() -> None:
    jobs = [job(0, 1, 2), job(5), job(0, 1, 2), job(2, 1, 0), job(5)]
    assert list(batches(jobs, True, lambda _items: 1, CPU)) == [[[1, 4], [0, 2], [3]]]


def test_large_sets_share_a_batch_only_with_their_like() -> None:
    small, large = probe_batches.SMALL_ROWS, probe_batches.SMALL_ROWS * 2
    jobs = [job(*range(n)) for n in (large, 3, small, round(large * 1.2))]
    assert list(batches(jobs, False, lambda _items: 1, CPU, width=10)) == [[[1], [2]], [[0], [3]]]


def test_memory_bounds_a_batch_and_splits_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_batches, "MEMORY_BYTES", 100)
    jobs = [job(0), job(0), job(0), job(1, 2), job(1, 3)]
    # Of one item a job takes 40 bytes: two fit. Of two items it takes 80: one does.
    found = list(batches(jobs, True, lambda items: 40 * items, CPU))
    assert found == [[[0, 1]], [[2]], [[3]], [[4]]]
    monkeypatch.setattr(probe_batches, "MEMORY_BYTES", 1)  # one at a time, however little there is
    assert len(list(batches(jobs, True, lambda items: 40 * items, CPU))) == 5


def test_a_batch_stays_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of 2 items x 1 row, at most 2 coordinates: 4 values each."""
    monkeypatch.setattr(probe_batches, "BATCH_VALUES", 8)
    jobs = [job(0, n) for n in range(1, 6)]
    assert list(batches(jobs, True, lambda _items: 1, CPU)) == [[[0], [1]], [[2], [3]], [[4]]]
    accelerator = torch.device("cuda")  # needs none: nothing is computed
    assert len(list(batches(jobs, True, lambda _items: 1, accelerator))) == 1


def test_labels_follow_the_order_of_choices_and_are_padded() -> None:
    """The first set's item lacks its first choice; the second set has one item less."""
    features = np.random.default_rng(0).normal(size=(3, 3, 2)).astype(np.float32)
    mask = np.array([[False, True, True], [True, True, True], [True, True, True]])
    targets = np.array([[0, 0.25, 0.75], [0.5, 0.5, 0]])
    sets = []
    for rows, rates in (([0, 1], np.array([0.2, 0.0])), ([2], None)):
        own = np.array(rows)
        scaled = ScaledRows(features, mask, own, 1.0, CPU)
        sets.append(label_rows([ProbeJob(own, targets[: len(own)] * 1.0, rates)], scaled))
    labels = padded_labels(sets, copies=2)
    first = [[[0.25, 0.25], [0.75, 0.75], [0, 0]], [[0.5, 0.5], [0.5, 0.5], [0, 0]]]
    second = [[[0, 0], [0.25, 0.25], [0.75, 0.75]], [[0, 0], [0, 0], [0, 0]]]
    assert labels.targets.tolist() == [first, second]
    assert labels.choices[:, :, 0, 0].tolist() == [[2, 3], [3, 3]]
    assert labels.absent is not None
    assert labels.absent[0, 0, :, 0].tolist() == [0, 0, NO_CHOICE]
    assert int((labels.absent != 0).sum()) == 1
    assert labels.log_kept is not None and labels.log_floor is not None
    np.testing.assert_allclose(labels.log_kept[0, :, 0, 1].exp(), [0.8, 1.0])
    np.testing.assert_allclose(labels.log_floor[0, :, 0, 1].exp(), [0.1, 0.0])
    assert (labels.log_floor[1] == -torch.inf).all()
