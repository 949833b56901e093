"""Mean error confidence: how sure models are of wrong answers.

Hase et al. 2024 (arXiv:2401.06751) call it minimum description length; it is 1 minus the mean
probability of the gold answer, over probes trained on samples of 5 to 900 other items. (The
description length itself is `training.hardness.code_length`.) There, 1,000 items are set apart for
training and get no score; here that is possible too, but by default items are scored in folds, by
probes that were trained on the others, so that every item gets one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from annotation.arrays import Array, Features, Mask
from annotation.errors import InputError
from annotation.groups import group_folds, group_numbers
from training.hardness.chances import check_probed, gold_log_chances
from training.probes.paper_probe import fit_paper_probes
from training.probes.probe import LinearProbe, ProbeJob, fit_probes
from training.progress import Progress

PENALTIES = (1.0, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class ErrorConfidenceDesign:
    """Which probes say how hard an item is.

    Attributes
    ----------
    sizes : items that probes train on, nested; those too large for the data are left out
    samples : how many random samples of every size (the paper's hardness bootstraps)
    folds : items are scored by probes trained on other folds; clusters stay together
    paper_probe : the paper's probe and optimiser, for items with choices of their own; else, and
        for classification always, ours
    seed : of folds and samples
    """

    sizes: tuple[int, ...] = (5, 20, 80, 340, 900)
    samples: int = 5
    folds: int = 5
    paper_probe: bool = True
    seed: int = 0


def error_confidence(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object] | None = None,
    design: ErrorConfidenceDesign | None = None,
    train_on: NDArray[np.int64] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Array:
    """1 minus the mean probability of the gold answer, (items,), 0 easy to 1 hard.

    Parameters
    ----------
    features
        (items, choices, width); choices is 1 for classification.
    mask
        Which choices an item has, (items, choices).
    answers
        Gold choice, (items,).
    groups
        Cluster of every item, (items,); None: each its own.
    design
        Which probes are trained; the paper's sizes and samples by default.
    train_on
        Positions set apart for training, as in the paper: they get NaN, and there are no folds.
    progress
        Called with the probes done and their number.

    Raises
    ------
    InputError
        If there are too few items, or groups, for the folds and the smallest size.
    ValueError
        If shapes differ, an item has no gold answer, or features are not finite.
    """
    design = design or ErrorConfidenceDesign()
    found = np.full(len(answers), np.nan)
    for scored, own in fold_probes(features, mask, answers, groups, design, train_on, progress):
        chances = np.exp(gold_log_chances(own, features[scored], mask[scored], answers[scored]))
        found[scored] = 1 - chances.mean(0)
    return found


def fold_probes(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object] | None,
    design: ErrorConfidenceDesign,
    train_on: NDArray[np.int64] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> list[tuple[NDArray[np.int64], list[LinearProbe]]]:
    """Parts of the items, each with the probes that were trained on other items.

    The probes of a part are in the order of samples and, within each, of sizes. Parameters and
    errors are those of `error_confidence`.
    """
    check_probed(features, mask, answers)
    parts = _parts(len(answers), groups, design, train_on)
    jobs: list[ProbeJob] = []
    scored_by: list[tuple[NDArray[np.int64], list[int]]] = []  # items, and the probes they meet
    targets = np.eye(mask.shape[1])[answers]
    for number, (inside, scored) in enumerate(parts):
        mine = []
        for sample in range(design.samples):
            rng = np.random.default_rng([design.seed, 0xEC, number, sample])
            order = rng.permutation(inside)
            for size in design.sizes:
                if size <= inside.size:
                    rows = order[:size]
                    mine.append(len(jobs))
                    jobs.append(ProbeJob(rows, targets[rows]))
        if not mine:
            raise InputError(
                f"error confidence: probes train on {min(design.sizes)} items or more, and "
                f"{inside.size} are there; bring more items with answers."
            )
        scored_by.append((scored, mine))
    probes = _fit(features, mask, jobs, design, progress, groups)
    return [(scored, [probes[index] for index in mine]) for scored, mine in scored_by]


def _parts(
    count: int,
    groups: Sequence[object] | None,
    design: ErrorConfidenceDesign,
    train_on: NDArray[np.int64] | None,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Items to train on and items to score, part by part."""
    if train_on is not None:
        return [(train_on, np.setdiff1d(np.arange(count), train_on))]
    names = list(range(count)) if groups is None else list(groups)
    folds = min(design.folds, len(set(map(str, names))))
    if folds < 2:
        raise InputError(
            "error confidence: items are scored by probes trained on other groups, and there is "
            "one group only; bring items of others."
        )
    fold_of = group_folds(names, folds, design.seed)
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold))
            for fold in range(folds)]  # fmt: skip


def _fit(
    features: Features,
    mask: Mask,
    jobs: Sequence[ProbeJob],
    design: ErrorConfidenceDesign,
    progress: Progress,
    groups: Sequence[object] | None,
) -> list[LinearProbe]:
    if design.paper_probe and features.shape[1] > 1:
        return fit_paper_probes(features, mask, jobs, seed=design.seed, progress=progress)
    own = None if groups is None else group_numbers(groups)
    return fit_probes(features, mask, jobs, PENALTIES, progress=progress, groups=own)


def zero_shot_error_confidence(
    scores: Array, answers: NDArray[np.int64], item_ids: Sequence[str], model: str
) -> Array:
    """1 minus the probability of the gold answer under a model that was shown no example, (items,).

    Probabilities are the softmax over an item's choices of their summed log-probabilities (the
    paper's "decoding"), so they depend on the length of the choices.

    Parameters
    ----------
    scores
        Log-probabilities, (items, choices), -inf where an item has fewer choices.
    answers, item_ids
        Of the items, (items,); `answers` index the choices.
    model
        Its name, for the error.

    Raises
    ------
    InputError
        If the model gives no number for a choice.
    """
    bad = np.flatnonzero(np.isnan(scores).any(1) | np.isneginf(scores).all(1))
    if bad.size:
        raise InputError(
            f"item '{item_ids[int(bad[0])]}': model '{model}' gives no number for a choice: "
            "its values overflow; use another model."
        )
    chances = softmax(scores, axis=1)
    return np.asarray(1 - chances[np.arange(len(answers)), answers], dtype=np.float64)
