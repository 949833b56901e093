"""Pointwise V-information: the bits about a label that a probe can use from its item.

Ethayarajh, Choi and Swayamdipta 2022 (arXiv:2110.08420, definition 3.1):
PVI(x -> y) = -log2 g(y | nothing) + log2 g'(y | x), with g' trained on items and g on labels alone.
Both are asked about items they were not trained on. Small or negative is hard. The family V are the
probes of `training.probes.probe`; without an item, those of classification know how frequent the
classes are, and those of items with choices of their own can but guess among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Features, Mask
from annotation.errors import InputError
from annotation.groups import group_folds, group_numbers
from training.hardness.chances import check_probed, gold_log_chances
from training.probes.probe import PENALTIES, ProbeJob, fit_probes
from training.progress import Progress

FOLDS = 5


@dataclass(frozen=True)
class VInformation:
    """`pointwise` (items,) in bits, the mean over the divisions into folds."""

    pointwise: Array

    @property
    def mean(self) -> float:
        """V-usable information of the data set, in bits a label."""
        return float(self.pointwise.mean())


def v_information(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object] | None = None,
    folds: int = FOLDS,
    repeats: int = 2,
    seed: int = 0,
    progress: Progress = lambda _done, _total: None,
) -> VInformation:
    """Pointwise V-information of every item, each from probes trained on other folds.

    Parameters
    ----------
    features
        (items, choices, width); choices is 1 for classification.
    mask
        Which choices an item has, (items, choices).
    answers
        Labels, (items,).
    groups
        Cluster of every item, (items,), kept within a fold; None: each its own.
    folds, repeats, seed
        How items are divided, how often anew, and the seed of that.
    progress
        Called with the probes done and their number.

    Raises
    ------
    InputError
        If all items are of one group.
    ValueError
        If shapes differ, an item has no gold answer, or features are not finite.
    """
    check_probed(features, mask, answers)
    names = list(range(len(answers))) if groups is None else list(groups)
    folds = min(folds, len(set(map(str, names))))
    if folds < 2:
        raise InputError(
            "V-information: items are judged by probes trained on other groups, and there is one "
            "group only; bring items of others."
        )
    targets = np.eye(mask.shape[1])[answers]
    divisions = [group_folds(names, folds, seed + repeat) for repeat in range(repeats)]
    # In random order: the fits choose their penalty in folds that go by position.
    shuffled = np.random.default_rng([seed, 0x0F1]).permutation(len(answers))
    insides = [
        shuffled[fold_of[shuffled] != fold] for fold_of in divisions for fold in range(folds)
    ]
    jobs = [ProbeJob(rows, targets[rows]) for rows in insides]
    probes = iter(
        fit_probes(features, mask, jobs, PENALTIES, progress=progress, groups=group_numbers(names))
    )
    total = np.zeros(len(answers))
    for fold_of in divisions:
        for fold in range(folds):
            out = np.flatnonzero(fold_of == fold)
            known = gold_log_chances([next(probes)], features[out], mask[out], answers[out])[0]
            inside = np.flatnonzero(fold_of != fold)
            total[out] += known - _without_item(features, mask, answers, inside, out)
    return VInformation(total / (repeats * np.log(2)))


def _without_item(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    inside: NDArray[np.int64],
    out: NDArray[np.int64],
) -> Array:
    """Natural logarithm of the chance of a label for who does not see the item, (out,).

    Frequencies of classes with one more of each counted (Laplace), or equal chances.
    """
    if features.shape[1] > 1:
        return np.asarray(-np.log(mask[out].sum(1)))
    counts = np.bincount(answers[inside], minlength=mask.shape[1]) + 1.0
    return np.asarray(np.log(counts / counts.sum())[answers[out]])
