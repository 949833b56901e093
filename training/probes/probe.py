"""Linear probes: softmax regression on frozen features, penalty chosen by cross-validation.

Two heads. Where items have choices of their own, one vector w shared by all choices scores each
choice's features, and the softmax runs over the item's choices (Hase et al. 2024, section 3).
Where all items share their choices, one vector and one intercept per class score the item's
features: plain multinomial regression.

The objective is  mean negative log-likelihood + penalty / 2 * ||w||^2  on features scaled to zero
mean and unit variance on the training rows, then divided by sqrt(width). Without forward correction
it is convex. Fits stop where the gradient in all weights and intercepts has a Euclidean norm of at
most `GRADIENT_TOLERANCE`, so that weights are within tolerance / penalty of the exact ones.

All fits of a grid are solved together: jobs on the same rows share one Gram matrix and become
columns of one minimisation, folds and all; small sets of rows are padded to one batch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from annotation.arrays import Array, Features, IntArray, Mask
from training.probes.batches import ProbeJob, batches, check_jobs, label_rows
from training.probes.path import FOLDS, fit_path, job_bytes
from training.probes.rows import ScaledRows
from training.probes.solver import GRADIENT_TOLERANCE
from training.progress import Progress

__all__ = [
    "FOLDS",
    "GRADIENT_TOLERANCE",
    "PENALTIES",
    "LinearProbe",
    "ProbeJob",
    "fit_probe",
    "fit_probes",
    "score_probes",
]


PENALTIES: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
SCORED_VALUES = 2**23  # float64 features that are scored at once, 64 MiB


@dataclass(frozen=True)
class LinearProbe:
    """A fitted probe. `weights` (heads, width), `intercepts` (heads,); heads is 1 if shared."""

    mean: Array
    scale: Array
    weights: Array
    intercepts: Array
    penalty: float

    def scores(self, features: Features, mask: Mask) -> Array:
        """Score of every choice, (items, choices); -inf where `mask` is False."""
        scores: Array = score_probes([self], features, mask)[0]
        return scores


def fit_probe(
    features: Features, labels: IntArray, mask: Mask, penalties: Sequence[float] = PENALTIES
) -> LinearProbe:
    """Fit one probe to hard labels (items,) of all items; see `fit_probes`."""
    return fit_probes(features, mask, [hard_job(labels, mask)], penalties)[0]


def fit_probes(
    features: Features,
    mask: Mask,
    jobs: Sequence[ProbeJob],
    penalties: Sequence[float] = PENALTIES,
    device: str | torch.device | None = None,
    progress: Progress = lambda _done, _total: None,
    groups: IntArray | None = None,
) -> list[LinearProbe]:
    """Fit many probes, the penalty of each chosen by cross-validated likelihood of its own labels.

    Parameters
    ----------
    features : (items, choices, width); choices is 1 for a per-class head
    mask : (items, classes), which choices an item has
    jobs : in any order; what a job gets does not depend on the others
    penalties : tried from large to small; a single one is used as it stands
    device : where to compute, in float64; None is the CPU
    progress : called with the jobs done and their number
    groups : (items,), a number for every item's group, which cross-validation keeps together;
        None: each is its own

    Raises ValueError if a job has no items, or its rows, targets or rates are not as `ProbeJob` has
    them, or features are not finite, a penalty is negative, or groups are of other items.
    """
    if not penalties or min(penalties) < 0:
        raise ValueError(f"'penalties' should be at least one, none negative; got {penalties}.")
    check_jobs(jobs, features, mask)
    if groups is not None and groups.shape != (len(features),):
        raise ValueError(f"'groups' should be ({len(features)},); got {groups.shape}.")
    ordered = sorted(penalties, reverse=True)
    place = torch.device(device or "cpu")
    width, own_choices = features.shape[2], features.shape[1] > 1
    size = partial(
        job_bytes,
        classes=mask.shape[1],
        width=width,
        own_choices=own_choices,
        choosing=len(ordered) > 1,
    )
    probes: dict[int, LinearProbe] = {}
    for batch in batches(jobs, own_choices, size, place, width):
        sets = []
        for members in batch:
            scaled = ScaledRows(features, mask, jobs[members[0]].rows, math.sqrt(width), place)
            sets.append(label_rows([jobs[index] for index in members], scaled, groups))
        for members, one, fits in zip(batch, sets, fit_path(sets, ordered), strict=True):
            for column, job in enumerate(members):
                probes[job] = LinearProbe(
                    one.scaled.mean,
                    one.scaled.scale,
                    np.ascontiguousarray(fits.weights[:, :, column].T),
                    fits.intercepts[:, column],
                    float(fits.penalties[column]),
                )
        progress(len(probes), len(jobs))
    return [probes[index] for index in range(len(jobs))]


def score_probes(probes: Sequence[LinearProbe], features: Features, mask: Mask) -> Array:
    """Score every choice by every probe, in one matrix product.

    Parameters
    ----------
    probes : all with as many heads as each other
    features : (items, choices, width)
    mask : (items, classes)

    Returns (probes, items, classes), -inf where `mask` is False.
    """
    items, _, width = features.shape
    heads = probes[0].intercepts.size
    weights = np.stack([probe.weights / probe.scale for probe in probes])  # (probes, heads, width)
    means = np.stack([probe.mean for probe in probes])
    offsets = np.stack([probe.intercepts for probe in probes])
    offsets = offsets - np.einsum("phd,pd->ph", weights, means)
    flat = np.ascontiguousarray(weights.reshape(-1, width).T)
    rows = features.reshape(-1, width)
    scores = np.empty((len(rows), flat.shape[1]))
    step = max(1, SCORED_VALUES // width)
    for start in range(0, len(rows), step):
        scores[start : start + step] = rows[start : start + step].astype(np.float64) @ flat
    scores += offsets.ravel()
    # Per class: (items, probes, classes); shared: (items, choices, probes).
    shaped = scores.reshape(items, -1, len(probes), heads)
    by_probe = np.moveaxis(shaped, 2, 0).reshape(len(probes), items, -1)
    return np.where(mask, by_probe, -np.inf)


def hard_job(labels: IntArray, mask: Mask) -> ProbeJob:
    """The job that fits labels (items,), each the number of a choice, of all items."""
    targets = np.zeros(mask.shape)
    targets[np.arange(labels.size), labels] = 1.0
    return ProbeJob(np.arange(labels.size), targets)
