"""Every number that a simulation rests on, with its source."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from budget.simulate.result import Assumption, AxisRecord
from budget.simulate.statements import TASK, TERMS, Statement, Statements
from budget.simulate.task import SimulatedTask

PRIOR = (
    "prior of labelmix, set on learning curves of linear probes (docs/method/response-surface.md)"
)
DEFAULT = "default: "
_TAIL = 0.05


def list_assumptions(
    task: SimulatedTask,
    stated: Statements,
    own: Statements,
    axes: Sequence[AxisRecord],
    run: Path | None,
) -> list[Assumption]:
    """Axes first, then terms of sale, then parameters of the response surface.

    `own` are statements of the user, the preset or the run; the rest of `stated` are defaults.
    """
    shown = [
        Assumption(
            name=axis.name,
            value=f"{axis.values[0]:g} to {axis.values[-1]:g}",
            source=f"axis of the grid, {axis.scale}, {len(axis.values)} values",
        )
        for axis in axes
    ]
    varied = {axis.name for axis in axes}
    if "cost-ratio" in varied:
        varied.add("cost-hard")
    if varied & {"error-hard", "error-factor"}:
        varied |= {"error-hard", "error-factor"}
    for name in TERMS:
        if name in stated and name not in varied:
            source = (
                stated[name].source if name in own or name == "chance" else _default(stated[name])
            )
            shown.append(Assumption(name=name, value=stated[name].text, source=source))
    if run is not None:
        for name in dict.fromkeys((task.easy, task.hard)):
            shown += _of_annotators(task, name, run)
    for name in TASK:
        if name in varied:
            continue
        if name in own:
            text = own[name].text + (" (90 %)" if isinstance(own[name].value, tuple) else "")
            shown.append(Assumption(name=name, value=text, source=own[name].source))
        else:
            source = PRIOR if run is None else f"fitted to the run in {run}"
            shown.append(Assumption(name=name, value=_of_draws(task, name), source=source))
    return shown


def _default(statement: Statement) -> str:
    return DEFAULT + statement.source


def _of_annotators(task: SimulatedTask, name: str, run: Path) -> list[Assumption]:
    who = task.annotators[name]
    per_label = "" if who.judgments == 1 else f", majority of {who.judgments} judgments"
    return [
        Assumption(
            name=f"{name} labels",
            value=f"{who.kind}{per_label}, at most {who.capacity:,}",
            source=f"the run in {run}",
        )
    ]


def _of_draws(task: SimulatedTask, name: str) -> str:
    """The central 90 % of a parameter's draws."""
    column = {"transfer": f"alignment_{task.easy}", "signal": f"signal_{task.easy}"}.get(
        name, name.replace("-", "_")
    )
    draws = task.surface.draws[:, task.surface.parameter_names.index(column)]
    low, high = np.quantile(draws, [_TAIL, 1 - _TAIL])
    return f"{low:.3g} to {high:.3g} (90 %)"
