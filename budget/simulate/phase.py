"""The best purchase in every cell of a grid, and how sure it is that easy labels beat hard ones.

In a cell, all the money is spent in shares of tenths, and then of twentieths beside the best
tenth; whole labels are bought, never for more than the money there is. What is shared: draws of
the surface stand behind all cells, so that their noise cancels between neighbours; the surface is
evaluated for a row of cells at once, in blocks that fit into the processor's cache.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from budget.simulate.axes import Axis
from budget.simulate.statements import Statements
from budget.simulate.task import SimulatedTask
from budget.simulate.terms import CellTerms, cell_terms, label_counts

TENTHS, TWENTIETHS = 10, 20
INTERVAL = 0.90
EASY, HARD, MIX = 0, 1, 2  # regions
_BLOCK = 16384  # accuracies that are computed at once
_EQUAL = 1e-9  # differences of accuracy below are rounding


@dataclass(frozen=True)
class Phase:
    """What holds in every cell, arrays (y, x).

    Attributes
    ----------
    all_easy, all_hard, equal_spend, best : expected target accuracy
    best_easy_share : of the money, in the best mix
    best_easy_labels, best_hard_labels : what that buys
    probability_easy : that all easy beats all hard, over draws; equal ones count half
    difference_low, difference_high : 90 % interval of all easy minus all hard
    value_of_knowing : accuracy that could be gained if the surface were known for sure
    region : EASY, HARD, or MIX where the best mix beats both by more than the margin
    """

    all_easy: Array
    all_hard: Array
    equal_spend: Array
    best: Array
    best_easy_share: Array
    best_easy_labels: Array
    best_hard_labels: Array
    probability_easy: Array
    difference_low: Array
    difference_high: Array
    value_of_knowing: Array
    region: NDArray[np.int64]

    @property
    def unresolved(self) -> NDArray[np.bool_]:
        """Where the interval of easy minus hard holds zero."""
        return np.asarray((self.difference_low <= 0) & (self.difference_high >= 0))

    @property
    def transposed(self) -> "Phase":
        return Phase(**{own.name: getattr(self, own.name).T for own in fields(self)})


def simulate_phase(
    task: SimulatedTask,
    stated: Statements,
    x: Axis,
    y: Axis,
    margin: float,
    progress: Callable[[], None] = lambda: None,
) -> Phase:
    """Plan every cell of the grid.

    `margin` is the accuracy by which a mix has to beat both all easy and all hard. `progress` is
    called after every row (or column, where transfer varies along x).
    """
    if x.name == "transfer":  # a row of cells has one surface
        return simulate_phase(task, stated, y, x, margin, progress).transposed
    rows = []
    for y_value in y.values:
        cells = [cell_terms(stated, {x.name: value, y.name: y_value}) for value in x.values]
        rows.append(plan_cells(task, cells, margin))
        progress()
    return Phase(
        **{own.name: np.stack([getattr(row, own.name) for row in rows]) for own in fields(Phase)}
    )


def plan_here(task: SimulatedTask, stated: Statements, margin: float) -> Phase:
    """The one cell of the terms that are stated: arrays (1,)."""
    return plan_cells(task, [cell_terms(stated, {})], margin)


def plan_cells(task: SimulatedTask, cells: Sequence[CellTerms], margin: float) -> Phase:
    """Plan cells that share one transfer: arrays (cells,)."""
    cells = list(cells)
    if cells[0].transfer is not None:
        task = task.with_transfer(cells[0].transfer)
    clean = _clean_shares(task, cells)
    coarse = np.broadcast_to(np.arange(0, TWENTIETHS + 1, 2), (len(cells), TENTHS + 1))
    counts = label_counts(cells, coarse, TWENTIETHS, task)
    accuracy = _accuracy(task, counts, clean)  # (draws, cells, shares)
    expected = accuracy.mean(0)
    middle = 2 * _first_best(expected)[:, None]
    fine = np.clip(middle + np.array([-1, 1]), 0, TWENTIETHS)
    fine_counts = label_counts(cells, fine, TWENTIETHS, task)
    beside = _accuracy(task, fine_counts, clean)

    shares = np.concatenate([coarse, fine], axis=1)
    counts = np.concatenate([counts, fine_counts], axis=1)
    expected = np.concatenate([expected, beside.mean(0)], axis=1)
    known = np.maximum(accuracy.max(2), beside.max(2)).mean(0)
    best = _first_best(expected)
    rows = np.arange(len(cells))
    easy, hard = accuracy[:, :, TENTHS], accuracy[:, :, 0]
    difference = easy - hard
    difference[np.abs(difference) < _EQUAL] = 0  # equal purchases, computed twice
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(difference, [tail, 1 - tail], axis=0)
    one_side = np.where(expected[:, TENTHS] >= expected[:, 0] - _EQUAL, EASY, HARD)
    ahead = expected.max(1) - np.maximum(expected[:, TENTHS], expected[:, 0])
    return Phase(
        all_easy=expected[:, TENTHS],
        all_hard=expected[:, 0],
        equal_spend=expected[:, TENTHS // 2],
        best=expected[rows, best],
        best_easy_share=shares[rows, best] / TWENTIETHS,
        best_easy_labels=counts[rows, best, 0],
        best_hard_labels=counts[rows, best, 1],
        probability_easy=(difference > 0).mean(0) + (difference == 0).mean(0) / 2,
        difference_low=low,
        difference_high=high,
        value_of_knowing=np.maximum(known - expected.max(1), 0),
        region=np.where(ahead > margin, MIX, one_side),
    )


def _first_best(expected: Array) -> NDArray[np.int64]:
    """Column of the largest value of each row, the first of equals.

    They expect the same accuracy, so any is the best purchase; which side is better is told by
    `probability_easy`, where equals count half.
    """
    return np.asarray((expected >= expected.max(1, keepdims=True) - _EQUAL).argmax(1))


def _clean_shares(task: SimulatedTask, cells: Sequence[CellTerms]) -> Array:
    """Shares of clean labels, (cells, 2): easy, hard."""
    of_easy = cache(task.annotators[task.easy].clean)
    of_hard = cache(task.annotators[task.hard].clean)
    return np.array([(of_easy(own.error_easy), of_hard(own.error_hard)) for own in cells])


def _accuracy(task: SimulatedTask, counts: Array, clean: Array) -> Array:
    """Accuracy (draws, cells, shares) of counts (cells, shares, 2) at clean shares (cells, 2)."""
    surface = task.surface
    places = [surface.strata.index(task.easy), surface.strata.index(task.hard)]
    mixes = np.zeros((counts.shape[0] * counts.shape[1], len(surface.strata)))
    shares = np.ones_like(mixes)
    mixes[:, places] = counts.reshape(-1, 2)
    shares[:, places] = np.repeat(clean, counts.shape[1], axis=0)
    found = np.empty((len(surface.draws), len(mixes)))
    step = max(1, _BLOCK // len(surface.draws))
    for first in range(0, len(mixes), step):
        block = slice(first, first + step)
        found[:, block] = surface.accuracy(mixes[block], shares[block])
    return found.reshape(-1, *counts.shape[:2])
