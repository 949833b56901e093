"""The probe of Hase et al. (2024, arXiv 2401.06751), with its optimiser, weight for weight.

One vector w scores every choice, without an intercept, on features scaled to zero mean and unit
variance over the training items' choices. The loss is  mean negative log-likelihood + ||w||  (the
length, not its square). 100 steps of gradient descent on all items: rate 0.05, falling in a line
towards a tenth; gradients longer than 1 are cut to 1. Where weights are not finite it starts again
with a quarter of the clipping length and four times the penalty, up to five times.

After t steps  w_t = c_t w_0 + Z'a_t  for the rows Z (Z'a: a sum of rows). Scores, ||w|| and the
gradient's length all follow from ZZ' and Z w_0, so that no step touches a feature, and jobs on the
same rows share ZZ' and run as columns of one product. The one difference to the paper: a constant
feature, for which it divides by zero, counts as zero here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from annotation.arrays import Array, Features, Mask
from training.probes.batches import (
    LabelledRows,
    ProbeJob,
    batches,
    check_jobs,
    label_rows,
    padded_labels,
)
from training.probes.loss import ProbeTargets
from training.probes.probe import LinearProbe, hard_job
from training.probes.rows import ScaledRows
from training.progress import Progress

STEPS = 100
RATE = 0.05
LAST_RATE_SHARE = 0.1
CLIP = 1.0
PENALTY = 1.0
REFITS = 5


def initial_weights(width: int, seed: int) -> Array:
    """What `torch.nn.Linear(width, 1)` starts from after `torch.manual_seed(seed)`, (width,)."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.empty(1, width, dtype=torch.float32)
    torch.nn.init.kaiming_uniform_(weights, a=5**0.5, generator=generator)
    return weights[0].double().numpy()


def fit_paper_probe(
    features: Features,
    labels: NDArray[np.int64],
    mask: Mask,
    start: Array | None = None,
    seed: int = 0,
) -> LinearProbe:
    """Fit one probe to hard labels (items,) of all items; see `fit_paper_probes`."""
    return fit_paper_probes(features, mask, [hard_job(labels, mask)], start, seed)[0]


def fit_paper_probes(
    features: Features,
    mask: Mask,
    jobs: Sequence[ProbeJob],
    start: Array | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: Progress = lambda _done, _total: None,
) -> list[LinearProbe]:
    """Fit many probes as the paper does.

    Parameters
    ----------
    features : (items, choices, width), at least two choices
    mask : (items, choices), which choices an item has; the others are in no mean and no softmax
    jobs : in any order; what a job gets does not depend on the others
    start : the weights before the first step, (width,) for all jobs or (jobs, width); None takes
        `initial_weights` of `seed` for all jobs
    seed : see `start`
    device : where to compute, in float64; None is the CPU
    progress : called with the jobs done and their number

    Returns probes whose `scale` is the standard deviation, and whose `penalty` is the factor of
    ||w||: 1 unless weights were not finite.

    Raises ValueError if items share their choices, a job has no items, or its rows, targets or
    rates are not as `ProbeJob` has them, features are not finite, or weights are still not finite
    after five more tries.
    """
    if features.shape[1] < 2:
        raise ValueError("'features' should have a row per choice: the paper knows no other head.")
    check_jobs(jobs, features, mask)
    place = torch.device(device or "cpu")
    classes, width = mask.shape[1], features.shape[2]
    first = initial_weights(width, seed) if start is None else start
    starts = torch.from_numpy(np.broadcast_to(first, (len(jobs), width)).T.copy()).to(place)
    probes: dict[int, LinearProbe] = {}
    for batch in batches(jobs, True, lambda items: 100 * items * classes, place):
        sets = []
        for members in batch:
            scaled = ScaledRows(features, mask, jobs[members[0]].rows, 1.0, place)
            sets.append(label_rows([jobs[index] for index in members], scaled))
        problem = _problem(sets, [starts[:, members] for members in batch])
        shares, sums, penalties = _fit_again_where_not_finite(problem)
        for index, (members, one) in enumerate(zip(batch, sets, strict=True)):
            weights = one.scaled.combine(sums[index, : one.scaled.rows, : one.jobs])
            weights += shares[index, : one.jobs] * starts[:, members]
            for column, job in enumerate(members):
                probes[job] = LinearProbe(
                    one.scaled.mean,
                    one.scaled.scale,
                    weights[None, :, column].cpu().numpy(),
                    np.zeros(1),
                    float(penalties[index, column]),
                )
                if not np.isfinite(probes[job].weights).all():
                    raise ValueError(
                        f"job {job}: weights are not finite, not even after {REFITS} more tries; "
                        "'start' or the features are too large."
                    )
        progress(len(probes), len(jobs))
    return [probes[index] for index in range(len(jobs))]


@dataclass(frozen=True)
class _Problem:
    """Columns of several sets, padded.

    Attributes
    ----------
    gram : (sets, rows, rows)
    start_scores : (sets, rows, jobs), Z w_0
    start_square : (sets, jobs), ||w_0||^2
    item_weights : (sets, items, 1), 1 / items, or 0 in padding
    labels : (sets, items, classes, jobs)
    """

    gram: Tensor
    start_scores: Tensor
    start_square: Tensor
    item_weights: Tensor
    labels: ProbeTargets


def _problem(sets: Sequence[LabelledRows], starts: Sequence[Tensor]) -> _Problem:
    items, jobs = max(one.items for one in sets), max(one.jobs for one in sets)
    rows = items * sets[0].scaled.slots
    gram = torch.zeros(len(sets), rows, rows, dtype=torch.float64, device=starts[0].device)
    scores = gram.new_zeros(len(sets), rows, jobs)
    square = gram.new_zeros(len(sets), jobs)
    weights = gram.new_zeros(len(sets), items, 1)
    for index, (one, start) in enumerate(zip(sets, starts, strict=True)):
        own, products = one.scaled.gram_and_products(start)
        gram[index, : len(own), : len(own)] = own
        scores[index, : len(own), : one.jobs] = products
        square[index, : one.jobs] = start.square().sum(0)
        weights[index, : one.items] = 1 / one.items
    return _Problem(gram, scores, square, weights, padded_labels(sets))


def _fit_again_where_not_finite(problem: _Problem) -> tuple[Tensor, Tensor, Tensor]:
    """The descent's result, and the penalty it was reached with, (sets, jobs)."""
    clip = torch.full_like(problem.start_square, CLIP)
    penalty = torch.full_like(problem.start_square, PENALTY)
    shares, sums = _descend(problem, clip, penalty)
    for _ in range(REFITS):
        bad = ~(shares.isfinite() & sums.isfinite().all(1))
        if not bool(bad.any()):
            break
        clip, penalty = torch.where(bad, clip / 4, clip), torch.where(bad, penalty * 4, penalty)
        shares, sums = _descend(problem, clip, penalty)
    return shares, sums, penalty


def _descend(problem: _Problem, clip: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
    """The share c of w_0, (sets, jobs), and the coefficients a of the rows, (sets, rows, jobs)."""
    count, rows, jobs = problem.start_scores.shape
    shape = count, problem.item_weights.shape[1], -1, jobs
    share = torch.ones_like(problem.start_square)
    sums = torch.zeros_like(problem.start_scores)
    of_sums = torch.zeros_like(sums)  # the scores that they make, ZZ'a
    for step in range(STEPS):
        rate = RATE * (1 - (1 - LAST_RATE_SHARE) * step / STEPS)
        scores = share[:, None] * problem.start_scores + of_sums
        _, slopes, _ = problem.labels.losses(problem.labels.scores(scores.view(shape)))
        data = (problem.item_weights[:, :, None] * slopes)[:, :, 1:].reshape(count, rows, jobs)
        # A symmetric matrix: few rows times it is the faster product than it times few columns.
        of_data = (data.mT.contiguous() @ problem.gram).mT
        cross = share * (sums * problem.start_scores).sum(1)
        square = share**2 * problem.start_square + 2 * cross + (sums * of_sums).sum(1)
        # The gradient is  Z'data + pull w;  the length's own gradient at w = 0 is taken as zero.
        pull = torch.where(square > 0, penalty / square.clamp(min=0).sqrt(), 0.0)
        gradient = (data * of_data).sum(1) + 2 * pull * (data * scores).sum(1) + pull**2 * square
        length = gradient.clamp(min=0).sqrt()
        rates = rate * (clip / (length + 1e-6)).clamp(max=1)
        kept, rates = (1 - rates * pull), rates[:, None]
        share = kept * share
        sums = kept[:, None] * sums - rates * data
        of_sums = kept[:, None] * of_sums - rates * of_data
    return share, sums
