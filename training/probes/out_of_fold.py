"""Chances of every item's choices by probes that have not seen the item's own label."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, Features, IntArray, Mask, generator
from annotation.groups import turns
from training.probes.batches import ProbeJob
from training.probes.probe import PENALTIES, LinearProbe, fit_probes, score_probes

FOLDS = 5


@dataclass(frozen=True)
class UnseenChances:
    """A probe of all labels, and chances of all items, (items, choices), 0 where there is none.

    Chances of an item that has a label are those of a probe of the other folds' labels.
    """

    probe: LinearProbe
    chances: Array


def unseen_chances(
    features: Features,
    mask: Mask,
    jobs: Sequence[ProbeJob],
    seed: int,
    penalties: Sequence[float] = PENALTIES,
    groups: IntArray | None = None,
) -> list[UnseenChances]:
    """Chances of all items under the labels of each job; what a job gets depends on no other.

    The penalty is that which cross-validation finds for all of the job's labels. Folds hold items
    of a group together.

    Parameters
    ----------
    features, mask, jobs, penalties, groups
        As for `training.probes.probe.fit_probes`. A job of labels of one group alone has no fold
        that could be left out: its chances are those of its probe.
    seed
        Of the folds.
    """
    probes = fit_probes(features, mask, jobs, penalties, groups=groups)
    scores = score_probes(probes, features, mask)
    found = [UnseenChances(probe, _chances(own)) for probe, own in zip(probes, scores, strict=True)]
    parts = [
        (number, *part) for number, job in enumerate(jobs) for part in _folds(job, groups, seed)
    ]
    for penalty in sorted({probe.penalty for probe in probes}):
        own = [part for part in parts if probes[part[0]].penalty == penalty]
        if not own:
            continue
        others = fit_probes(features, mask, [job for _, _, job in own], (penalty,))
        for (number, rows, _), probe in zip(own, others, strict=True):
            found[number].chances[rows] = _chances(probe.scores(features[rows], mask[rows]))
    return found


def _folds(job: ProbeJob, groups: IntArray | None, seed: int) -> list[tuple[IntArray, ProbeJob]]:
    """Rows that are left out, and the job of the others."""
    group = turns(job.rows if groups is None else groups[job.rows])
    many = int(group.max(initial=-1)) + 1
    if many < 2:
        return []
    fold = generator("folds", seed, "").permutation(many)[group] % min(FOLDS, many)
    parts = []
    for number in range(int(fold.max()) + 1):
        kept = fold != number
        rates = None if job.redraw_rates is None else job.redraw_rates[kept]
        parts.append((job.rows[~kept], ProbeJob(job.rows[kept], job.targets[kept], rates)))
    return parts


def _chances(scores: Array) -> Array:
    """Softmax over the last axis; -inf has chance 0."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
