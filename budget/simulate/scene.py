"""What is simulated: a task, its terms, and the two axes of the grid."""

from dataclasses import dataclass
from pathlib import Path

from annotation.errors import InputError
from budget.simulate.axes import Axis, read_axis
from budget.simulate.presets import Preset, find_preset, with_defaults
from budget.simulate.result import Source
from budget.simulate.stated import read_statements
from budget.simulate.statements import TASK, Statements, override
from budget.simulate.task import SimulatedTask, assumed_task, run_task
from budget.simulate.terms import cell_terms, check_axes

MOST_DRAWS = 10_000


@dataclass(frozen=True)
class SimulateOptions:
    """What the command line says; `margin` is in percentage points."""

    run: Path | None = None
    method: str | None = None
    preset: str | None = None
    assume: tuple[str, ...] = ()
    x: str | None = None
    y: str | None = None
    margin: float = 0.5
    draws: int = 300
    seed: int = 0
    currency: str | None = None


@dataclass(frozen=True)
class Scene:
    """Everything a simulation rests on.

    `own` are the statements of the user, the preset or the run; `stated` has the defaults too.
    """

    task: SimulatedTask
    stated: Statements
    own: Statements
    source: Source
    preset: Preset | None
    currency: str
    x: Axis
    y: Axis
    remarks: tuple[str, ...] = ()  # on what was stated and is not used

    def place_on(self, axis: Axis) -> float | None:
        """Where the stated terms lie on an axis; None where nobody stated any."""
        terms = cell_terms(self.stated, {})
        if axis.name == "cost-ratio" and {"cost-ratio", "cost-hard"} & set(self.own):
            return float(terms.cost_ratio)
        if axis.name == "error-hard" and {"error-hard", "error-factor"} & set(self.own):
            return terms.error_hard
        statement = self.own.get(axis.name)
        if statement is None or isinstance(statement.value, tuple):
            return None
        return float(statement.number)


def set_scene(options: SimulateOptions) -> Scene:
    """The scene that the options describe.

    Raises InputError if an option, an assumption or the run cannot be used.
    """
    _check(options)
    preset = find_preset(options.preset) if options.preset is not None else None
    currency = "$"
    if options.run is not None:
        task, of_run, currency = run_task(options.run, options.method, options.draws)
        given = read_statements(options.assume, (task.easy, task.hard))
        stated = given.statements
        refused = [name for name in (*TASK, "chance", "choices") if name in stated]
        if refused:
            raise InputError(
                f"--assume {refused[0]}: is what the run found out; leave it out, or leave out "
                "--run."
            )
        own = everything = override(of_run, stated)
        if "error-kind" in stated:
            task = task.with_error_kind(stated["error-kind"].text)
    else:
        given = read_statements(options.assume)
        stated = given.statements
        own = override(preset.stated if preset else {}, stated)
        task, everything = assumed_task(with_defaults(own), options.draws, options.seed)
    first, second = _default_axes(own, preset, options.run is not None)
    x = read_axis(options.x or given.axes.get("x") or first, "--x")
    y = read_axis(options.y or given.axes.get("y") or second, "--y")
    check_axes(x, y)
    source = _source(options, stated)
    shown = options.currency or currency
    return Scene(task, everything, own, source, preset, shown, x, y, given.remarks)


def _check(options: SimulateOptions) -> None:
    if options.run is not None and options.preset is not None:
        raise InputError("Use just one of --run and --preset.")
    if options.method is not None and options.run is None:
        raise InputError("--method chooses among the methods of a run; give --run too.")
    if not 0 <= options.margin < 100:
        raise InputError(f"--margin should be within 0 and 100 points; got {options.margin:g}.")
    if not 2 <= options.draws <= MOST_DRAWS:
        raise InputError(f"--draws should be within 2 and {MOST_DRAWS}; got {options.draws}.")


def _source(options: SimulateOptions, stated: Statements) -> Source:
    if options.run is not None:
        return "run"
    if options.preset is not None:
        return "preset"
    return "assumptions" if stated else "prior"


def _default_axes(own: Statements, preset: Preset | None, of_run: bool) -> tuple[str, str]:
    """Budget against cost ratio, where something is known of transfer; else transfer itself."""
    if preset is not None:
        return preset.x, preset.y
    if not of_run and "transfer" not in own:
        return "cost-ratio", "transfer"
    if "budget" not in own:
        return "budget", "cost-ratio"
    budget = own["budget"].number
    return f"budget={budget / 4:f}:{budget * 4:f}", "cost-ratio"
