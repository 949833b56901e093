"""The terms in every cell of a grid: money, costs, error rates, transfer."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from annotation.errors import InputError
from budget.simulate.axes import Axis
from budget.simulate.statements import EXCLUSIVE, Statements
from budget.simulate.task import SimulatedTask

Shares = NDArray[np.int64]


@dataclass(frozen=True)
class CellTerms:
    """What holds in one cell; `transfer` is None where the surface's own holds."""

    budget: Decimal
    cost_easy: Decimal
    cost_ratio: Fraction  # cost of a hard label / of an easy label
    error_easy: float
    error_hard: float
    transfer: float | None

    @cached_property
    def affordable(self) -> tuple[Fraction, Fraction]:
        """Labels, with their fractions, that all the money buys of easy and of hard items."""
        of_easy = Fraction(self.budget) / Fraction(self.cost_easy)
        return of_easy, of_easy / self.cost_ratio


def cell_terms(stated: Statements, varied: Mapping[str, Decimal]) -> CellTerms:
    """The terms that are stated, with those of the axes in their place.

    Raises InputError where a cost ratio comes out as 0.
    """

    def own(name: str) -> Decimal:
        return varied[name] if name in varied else stated[name].number

    if "cost-ratio" in varied or "cost-hard" not in stated:
        ratio = Fraction(own("cost-ratio"))
    else:
        ratio = Fraction(own("cost-hard")) / Fraction(own("cost-easy"))
    error_easy = float(own("error-easy"))
    by_factor = "error-factor" in varied or "error-hard" not in {*stated, *varied}
    error_hard = min(1.0, error_easy * float(own("error-factor"))) if by_factor else None
    return CellTerms(
        budget=own("budget"),
        cost_easy=own("cost-easy"),
        cost_ratio=ratio,
        error_easy=error_easy,
        error_hard=float(own("error-hard")) if error_hard is None else error_hard,
        transfer=float(varied["transfer"]) if "transfer" in varied else None,
    )


def check_axes(x: Axis, y: Axis) -> None:
    """Raise InputError if both axes vary the same thing."""
    names = (x.name, y.name)
    if x.name == y.name or any(set(pair) == set(names) for pair in EXCLUSIVE):
        raise InputError(f"--x and --y both vary {x.name}; choose two that differ.")


def label_counts(cells: list[CellTerms], shares: Shares, of: int, task: SimulatedTask) -> Array:
    """Labels that shares of the money buy in whole, (cells, shares, 2): easy, hard.

    `shares` (cells, shares) is what part of the money goes to easy labels, in parts of 1 / `of`;
    the rest goes to hard ones. Exact, as `annotation.terms.cost.affordable` is: whole numbers alone
    are multiplied and divided, of any size.
    """
    places = shares.astype(object)
    counts = np.empty((*shares.shape, 2))
    for column, (name, parts) in enumerate(((task.easy, places), (task.hard, of - places))):
        amounts = [cell.affordable[column] for cell in cells]
        numerators = np.array([amount.numerator for amount in amounts], dtype=object)[:, None]
        denominators = np.array([of * amount.denominator for amount in amounts], dtype=object)
        bought = numerators * parts // denominators[:, None]
        capacity = task.annotators[name].capacity
        if capacity is not None:
            bought = np.minimum(bought, capacity)
        counts[..., column] = bought.astype(np.float64)
    return counts
