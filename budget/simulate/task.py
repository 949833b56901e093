"""The task that purchases are simulated on: a response surface, and who labels at what terms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit, ndtri

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.terms.clean_share import clean_share
from annotation.terms.noise import ErrorKind, check_error_kind
from budget.simulate.axes import decimal
from budget.simulate.statements import TASK, Statement, Statements
from budget.surface.parameters import Normal, ParameterSpace, Prior
from budget.surface.response import ResponseSurface

_EASY, _HARD = "easy", "hard"
_TAIL = 0.05  # below and above an interval that is stated


@dataclass(frozen=True)
class Annotators:
    """Who labels one stratum.

    `choices` is the number of an item's choices, or the chance of guessing right; `capacity` how
    many labels can be bought, None if as many as one likes.
    """

    choices: int | float
    kind: ErrorKind
    judgments: int = 1
    capacity: int | None = None

    def clean(self, error_rate: float) -> float:
        """Share of clean labels where judgments err at this rate."""
        choices = self.choices
        counts = np.array([choices]) if isinstance(choices, int) else choices
        return clean_share(error_rate, self.kind, counts, self.judgments)


@dataclass(frozen=True)
class SimulatedTask:
    """A response surface and the annotators of its easiest stratum and of its target.

    `easy` is the easiest stratum that is not the target.
    """

    surface: ResponseSurface
    annotators: Mapping[str, Annotators]

    @property
    def easy(self) -> str:
        return self.surface.others[0]

    @property
    def hard(self) -> str:
        return self.surface.target

    @cached_property
    def _alignment(self) -> int:
        return self.surface.parameter_names.index(f"alignment_{self.easy}")

    def with_transfer(self, cosine: float) -> "SimulatedTask":
        """The task in which easy labels agree with the target's direction by this cosine."""
        draws = self.surface.draws.copy()
        draws[:, self._alignment] = cosine
        return replace(self, surface=replace(self.surface, draws=draws))

    def with_error_kind(self, kind: str) -> "SimulatedTask":
        """The task in which all judgments err in this way. Raises InputError for another kind."""
        known = error_kind(kind)
        return replace(
            self,
            annotators={n: replace(who, kind=known) for n, who in self.annotators.items()},
        )


def assumed_task(stated: Statements, draws: int, seed: int) -> tuple[SimulatedTask, Statements]:
    """The prior of the surface, with what is stated in its place; and chance, if it follows.

    A number fixes a parameter, an interval is its central 90 % on the scale of the prior.

    Raises InputError if a ceiling is not above chance.
    """
    stated = dict(stated)
    choices = int(stated["choices"].number)
    if "chance" not in stated:
        value = decimal(f"{1 / choices:.6g}")
        stated["chance"] = Statement("chance", value, "guessing among the choices")
    floor = float(stated["chance"].number)
    space = ParameterSpace((_EASY, _HARD), _HARD, _prior(stated, floor))
    natural = space.natural(_standard_normal(draws, space.size, seed), floor)
    offset = np.zeros((draws, 1))
    surface = ResponseSurface((_EASY, _HARD), _HARD, np.hstack([natural, offset]), 0.0, 0.0)
    kind = error_kind(stated["error-kind"].text)
    return SimulatedTask(surface, dict.fromkeys((_EASY, _HARD), Annotators(choices, kind))), stated


def error_kind(text: str) -> ErrorKind:
    """The kind of error of this name. Raises InputError if there is none."""
    check_error_kind(text)
    return "flip" if text == "flip" else "redraw"


def _prior(stated: Statements, floor: float) -> Prior:
    changes: dict[str, Any] = {}
    for name in TASK:
        if name in stated:
            field = "alignment" if name == "transfer" else name.replace("-", "_")
            changes[field] = _normal(stated[name], floor)
    return replace(Prior(), **changes)


def _normal(statement: Statement, floor: float) -> Normal:
    """What is stated, on the scale on which the prior is normal."""
    value = statement.value
    ends = value if isinstance(value, tuple) else (statement.number, statement.number)
    low, high = (_on_prior_scale(statement.name, float(end), floor) for end in ends)
    if low == high:  # of an infinite one there is no mean
        return Normal(low, 0.0)
    return Normal((low + high) / 2, float((high - low) / 2 / ndtri(1 - _TAIL)))


def _on_prior_scale(name: str, value: float, floor: float) -> float:
    if name == "transfer":
        with np.errstate(divide="ignore"):  # of 1 it is infinite, and comes back as 1
            return float(np.arctanh(value))
    if name != "ceiling":
        return float(np.log(value))
    if value <= floor:
        raise InputError(
            f"the ceiling of {value:g} should be above the chance of {floor:g}, which no labels "
            "give; change ceiling, chance or choices."
        )
    return float(logit((value - floor) / (1 - floor)))


def _standard_normal(draws: int, size: int, seed: int) -> Array:
    """A Latin hypercube of normal draws: each column is spread evenly, which steadies means."""
    rng = np.random.default_rng([seed, 0x51])
    places = rng.permuted(np.tile(np.arange(draws), (size, 1)), axis=1).T
    return np.asarray(ndtri((places + rng.random((draws, size))) / draws))


def run_task(folder: Path, method: str | None, draws: int) -> tuple[SimulatedTask, Statements, str]:
    """The fitted surface of a finished run, thinned; its terms; its currency.

    Raises InputError if there is no finished run, or it has no such method.
    """
    from analysis.run.result import read_result
    from budget.surface.stored import surface_of

    result = read_result(folder / "result.json")
    chosen = method or result.planning_method
    if chosen not in result.methods:
        raise InputError(
            f"{folder}: the run has no method '{chosen}'; choose one of "
            f"{', '.join(result.methods)}."
        )
    surface = surface_of(result.methods[chosen])
    kept = np.unique(np.linspace(0, len(surface.draws) - 1, draws).round().astype(int))
    surface = replace(surface, draws=surface.draws[kept])
    names = (surface.others[0], surface.target)
    annotators, terms = {}, {}
    for name in names:
        stratum = result.strata[name]
        annotators[name] = Annotators(
            result.chance_accuracy,
            stratum.error_kind or "redraw",
            stratum.judgments,
            stratum.can_be_bought,
        )
        terms[name] = (decimal(str(stratum.cost)), decimal(str(stratum.error_rate or 0.0)))
    (easy_cost, easy_error), (hard_cost, hard_error) = (terms[name] for name in names)
    source = f"the run in {folder}"
    rows = {
        "budget": decimal(str(result.budget)),
        "cost-easy": easy_cost,
        "cost-hard": hard_cost,
        "error-easy": easy_error,
        "error-hard": hard_error,
    }
    stated = {name: Statement(name, value, source) for name, value in rows.items()}
    return SimulatedTask(surface, annotators), stated, result.currency
