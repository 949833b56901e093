"""The fits of several sets of rows along falling penalties, and the penalty that predicts best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from annotation.arrays import Array
from training.probes.batches import LabelledRows, padded_labels
from training.probes.rows import ReducedRows, reduce_rows
from training.probes.solver import MEMORY, Problem, minimise

FOLDS = 5


@dataclass(frozen=True)
class Fits:
    """Fits of one set: weights (width, heads, jobs), intercepts (heads, jobs), penalties (jobs,).

    `heads` is 1 for items with choices of their own, else the number of classes.
    """

    weights: Array
    intercepts: Array
    penalties: Array


def job_bytes(items: int, classes: int, width: int, own_choices: bool, choosing: bool) -> int:
    """Memory that one job takes while it is fitted: remembered steps, and scores with chances."""
    rank, heads = min(items * (classes - 1 if own_choices else 1), width) + 1, classes - 1
    unknowns = rank if own_choices else rank * heads
    columns = FOLDS + 1 if choosing else 1
    return 8 * columns * ((2 * MEMORY + 8) * unknowns + 12 * items * classes)


def fit_path(sets: Sequence[LabelledRows], penalties: Sequence[float]) -> list[Fits]:
    """Fit every job at falling penalties, each started from the one before; keep the best.

    The best has the largest likelihood of labels that were held out in turn: item i in fold
    i modulo `FOLDS`, so that every fold holds every stratum when labels come stratum by stratum.
    Items of a group are held out together: then i counts groups, by their first items. Among
    equals, and for a single item or group, the largest penalty is kept. A single penalty is used
    as it is.
    """
    choosing = len(penalties) > 1
    reduced = [reduce_rows(one.scaled) for one in sets]
    problem, held_out = _problem(sets, reduced, choosing)
    count = len(sets), max(one.jobs for one in sets)
    start = problem.rows.new_zeros(
        len(sets), problem.rows.shape[2], problem.heads, problem.item_weights.shape[2]
    )
    best = start[..., : count[1]]
    least = torch.full(count, torch.inf, dtype=start.dtype, device=start.device)
    chosen = torch.full_like(least, penalties[0])
    for penalty in penalties:
        start = minimise(problem, penalty, start)
        on_all = start[..., -count[1] :]
        if not choosing:
            best = on_all
            break
        losses, _, _ = problem.labels.losses(problem.labels.scores(problem.others(start)))
        folds = losses.unflatten(2, (-1, count[1]))  # (sets, items, folds + 1, jobs)
        loss = (held_out[:, :, :, None] * folds).sum((1, 2))
        better = loss < least
        least = torch.where(better, loss, least)
        chosen = torch.where(better, penalty, chosen)
        best = torch.where(better[:, None, None], on_all, best)
    return [
        _fits(rows, problem, best[index, ..., : one.jobs], chosen[index, : one.jobs])
        for index, (one, rows) in enumerate(zip(sets, reduced, strict=True))
    ]


def _problem(
    sets: Sequence[LabelledRows], reduced: Sequence[ReducedRows], choosing: bool
) -> tuple[Problem, Tensor]:
    """All fits as columns, fold by fold and last on all items; and who is held out in each fold.

    The second is (sets, items, folds + 1), 1 where an item is held out.
    """
    device = sets[0].scaled.device
    own_choices = sets[0].scaled.own_choices
    slots = sets[0].scaled.slots
    items, jobs = max(one.items for one in sets), max(one.jobs for one in sets)
    rank = max(rows.rows.shape[1] for rows in reduced) + (0 if own_choices else 1)
    columns = FOLDS + 1 if choosing else 1
    rows = torch.zeros(len(sets), items * slots, rank, dtype=torch.float64, device=device)
    curvature = rows.new_zeros(len(sets), rank)
    penalised = torch.ones_like(curvature)
    weights = np.zeros((len(sets), items, columns, jobs))
    held_out = np.zeros((len(sets), items, columns))
    for index, (one, own) in enumerate(zip(sets, reduced, strict=True)):
        n, width = one.items, own.rows.shape[1]
        rows[index, : n * slots, :width] = own.rows
        curvature[index, :width] = own.curvature / n
        if not own_choices:
            rows[index, :n, -1] = 1.0
            curvature[index, -1] = 1.0
            penalised[index, -1] = 0.0
        weights[index, :n, -1, : one.jobs] = 1 / n
        turns = np.arange(n) if one.turns is None else one.turns
        units = int(turns.max()) + 1
        for fold in range(min(FOLDS, units) if choosing and units > 1 else 0):
            out = turns % FOLDS == fold
            held_out[index, :n, fold] = out
            weights[index, :n, fold, : one.jobs] = (~out / (~out).sum())[:, None]
    item_weights = torch.from_numpy(weights.reshape(len(sets), items, -1)).to(device)
    labels = padded_labels(sets, columns)
    problem = Problem(rows, curvature, penalised, item_weights, labels, own_choices)
    return problem, torch.from_numpy(held_out).to(device)


def _fits(rows: ReducedRows, problem: Problem, unknowns: Tensor, penalties: Tensor) -> Fits:
    """From coordinates (rank, heads of the solver, jobs) to weights of every feature."""
    rank, jobs = rows.rows.shape[1], unknowns.shape[2]
    own = problem.centred(unknowns[None])[0]
    if not problem.own_choices:
        own = torch.cat([-own.sum(1, keepdim=True), own], 1)
    weights = rows.weights(own[:rank].flatten(1)).view(-1, own.shape[1], jobs)
    intercepts = own.new_zeros(1, jobs) if problem.own_choices else own[-1]
    return Fits(weights.cpu().numpy(), intercepts.cpu().numpy(), penalties.cpu().numpy())
