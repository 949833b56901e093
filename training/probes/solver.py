"""Many ridge-penalised softmax fits at once: L-BFGS over columns, with curvature known beforehand.

A column is one fit: the labels of one job, on all items but those of one fold. All columns of a
set share their rows, so an iteration is two matrix products, whatever the number of fits; several
small sets are padded and run as one. Converged columns are dropped. The line search needs no
product: scores are linear in the step. Its steps satisfy the Wolfe conditions: every one descends.
"""

import warnings
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from training.probes.line_search import search
from training.probes.loss import ProbeTargets, pick

GRADIENT_TOLERANCE = 1e-6
MOST_ITERATIONS = 2000
MEMORY = 6  # steps that L-BFGS remembers
SHRINK_BELOW = 0.75  # converged columns are dropped when they are more than a quarter


@dataclass(frozen=True)
class Problem:
    """Columns to fit.

    Attributes
    ----------
    rows : (sets, rows, rank); rows is items x (classes - 1) where items have choices of their own,
        else items
    curvature : (sets, rank), see `ReducedRows`, over the number of items
    penalised : (sets, rank), 1, or 0 for an intercept's coordinate
    item_weights : (sets, items, fits), what an item counts in a fit; sums to 1, or to 0 in padding
    labels : of the same items and fits
    own_choices : whether one vector scores all choices, else there is one per class. Of these the
        unknowns are differences to class 0's: theta_k = w_k - w_0, with the w_k adding up to zero,
        where the penalty on all w_k is least.
    """

    rows: Tensor
    curvature: Tensor
    penalised: Tensor
    item_weights: Tensor
    labels: ProbeTargets
    own_choices: bool

    @property
    def classes(self) -> int:
        return self.labels.targets.shape[2]

    @property
    def heads(self) -> int:
        return 1 if self.own_choices else self.classes - 1

    def pick(self, columns: Tensor) -> "Problem":
        """The same with some fits of every set; `columns` (sets, chosen)."""
        weights = pick(self.item_weights, columns)
        return replace(self, item_weights=weights, labels=self.labels.pick(columns))

    def others(self, unknowns: Tensor) -> Tensor:
        """Scores relative to the reference, (sets, items, classes - 1, fits)."""
        sets, rank, heads, fits = unknowns.shape
        scores = self.rows @ unknowns.reshape(sets, rank, heads * fits)
        return scores.view(sets, self.item_weights.shape[1], self.classes - 1, fits)

    def pull_back(self, residual: Tensor) -> Tensor:
        """The gradient in the unknowns, of a gradient in the scores of all classes."""
        sets, fits = len(residual), residual.shape[3]
        others = residual[:, :, 1:].reshape(sets, self.rows.shape[1], self.heads * fits)
        return (self.rows.mT @ others).view(sets, self.rows.shape[2], self.heads, fits)

    def centred(self, unknowns: Tensor) -> Tensor:
        """Theta to the w_k of all classes but 0; the penalty's gradient is this times penalty."""
        if self.own_choices:
            return unknowns
        return unknowns - unknowns.sum(2, keepdim=True) / self.classes

    def uncentred(self, values: Tensor) -> Tensor:
        """The inverse of `centred`."""
        return values if self.own_choices else values + values.sum(2, keepdim=True)


def minimise(problem: Problem, penalty: float, start: Tensor) -> Tensor:
    """Minimise  sum_i weight_i loss_i + penalty / 2 ||w||^2  in every column.

    Parameters
    ----------
    problem : the columns
    penalty : at least 0
    start : (sets, rank, heads, fits)

    Returns the unknowns, shaped like `start`, where the gradient in all class vectors and
    intercepts has a Euclidean norm of at most `GRADIENT_TOLERANCE`. Columns that stop short of it,
    for rounding or after `MOST_ITERATIONS`, are warned of (RuntimeWarning).
    """
    found = start.clone()
    columns = torch.arange(start.shape[3], device=start.device).repeat(len(start), 1)
    ridge = (problem.penalised * penalty)[:, :, None, None]
    point, scores = start, problem.labels.scores(problem.others(start))
    losses, slopes, chances = problem.labels.losses(scores)
    objective = (problem.item_weights * losses).sum(1)  # without the penalty; (sets, fits)
    gradient = _gradient(problem, ridge, slopes, point)
    memory: list[tuple[Tensor, Tensor, Tensor]] = []
    failed = stuck = torch.zeros_like(columns, dtype=torch.bool)
    unfinished, worst = 0, 0.0
    for iteration in range(MOST_ITERATIONS + 1):
        norm = _norm(problem, gradient)
        active = (norm > GRADIENT_TOLERANCE) & ~stuck
        most = int(active.sum(1).max())
        last = most == 0 or iteration == MOST_ITERATIONS
        if last or most < SHRINK_BELOW * columns.shape[1]:
            found.scatter_(3, columns[:, None, None].expand(-1, *found.shape[1:3], -1), point)
            short = norm.where(stuck | last, 0.0)
            unfinished += int((short > GRADIENT_TOLERANCE).sum())
            worst = max(worst, float(short.max()))
            if last:
                break
            keep = active.int().argsort(dim=1, descending=True, stable=True)[:, :most]
            problem = problem.pick(keep)
            columns, active, failed, stuck, objective = (
                values.gather(1, keep) for values in (columns, active, failed, stuck, objective)
            )
            point, scores, chances, gradient = (
                pick(values, keep) for values in (point, scores, chances, gradient)
            )
            memory = [(pick(s, keep), pick(y, keep), pick(r, keep)) for s, y, r in memory]
        direction = -_two_loop(problem, ridge, gradient, memory, chances) * active[:, None, None]
        change = problem.others(direction)
        pull = ridge * problem.centred(direction)
        step, objective, scores, slopes, chances = search(
            problem.labels,
            problem.item_weights,
            scores,
            F.pad(change, (0, 0, 1, 0)),
            objective,
            (
                _dot(point, ridge * problem.centred(point)) / 2,
                _dot(point, pull),
                _dot(direction, pull),
            ),
            _dot(gradient, direction),
            active,
        )
        move = step[:, None, None] * direction
        point = point + move
        before, gradient = gradient, _gradient(problem, ridge, slopes, point)
        _remember(memory, move, gradient - before)
        stuck = stuck | (failed & active & (step == 0))  # even straight down: rounding
        failed = active & (step == 0)
        memory = [(s, y, r.masked_fill(failed[:, None, None], 0.0)) for s, y, r in memory]
    if unfinished:
        warnings.warn(
            f"{unfinished} probe fits at penalty {penalty:g} stopped at a gradient of up to "
            f"{worst:.2g}, above {GRADIENT_TOLERANCE:g}.",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def _gradient(problem: Problem, ridge: Tensor, slopes: Tensor, point: Tensor) -> Tensor:
    data = problem.pull_back(problem.item_weights[:, :, None] * slopes)
    return data + ridge * problem.centred(point)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of columns, (sets, fits)."""
    return (left * right).sum((1, 2))


def _norm(problem: Problem, gradient: Tensor) -> Tensor:
    """Length of the gradient in all w_k, (sets, fits)."""
    return _dot(gradient, problem.uncentred(gradient)).sqrt()


def _two_loop(
    problem: Problem,
    ridge: Tensor,
    gradient: Tensor,
    memory: list[tuple[Tensor, Tensor, Tensor]],
    chances: Tensor,
) -> Tensor:
    """The inverse Hessian, as remembered, times the gradient (Nocedal & Wright, algorithm 7.4).

    It starts from the Hessian of equal chances, which is diagonal in the eigenbasis, shrunk by how
    far the chances have become certain.
    """
    out, factors = gradient, []
    for move, change, inverse in reversed(memory):
        factors.append(inverse * (move * out).sum((1, 2), keepdim=True))
        out = out - factors[-1] * change
    others = (problem.labels.choices[:, :, 0] - 1).clamp(min=1)
    doubt = (1 - chances.square().sum(2)) / others  # 1 / choices at equal chances
    doubt = (problem.item_weights * doubt).sum(1)[:, None, None]
    hessian = problem.curvature[:, :, None, None] * doubt + ridge
    out = problem.uncentred(out) / hessian.clamp(min=1e-10)
    for (move, change, inverse), factor in zip(memory, reversed(factors), strict=True):
        out = out + move * (factor - inverse * (change * out).sum((1, 2), keepdim=True))
    return out


def _remember(memory: list[tuple[Tensor, Tensor, Tensor]], move: Tensor, change: Tensor) -> None:
    """Keep a step and the gradient's change, unless the curvature along it is not positive."""
    curvature = (move * change).sum((1, 2), keepdim=True)
    least = 1e-14 * (change * change).sum((1, 2), keepdim=True)
    memory.append((move, change, torch.where(curvature > least, 1 / curvature, 0.0)))
    del memory[:-MEMORY]
