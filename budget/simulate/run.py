"""From the options of `labelmix simulate` to its result."""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.estimates import Estimate
from budget.simulate.assumptions import list_assumptions
from budget.simulate.axes import Axis
from budget.simulate.break_even import break_even
from budget.simulate.notes import notes_on
from budget.simulate.phase import INTERVAL, Phase, plan_here, simulate_phase
from budget.simulate.result import AxisRecord, Here, Region, SimulationResult
from budget.simulate.scene import Scene, SimulateOptions, set_scene
from budget.simulate.task import SimulatedTask
from budget.simulate.terms import cell_terms

if TYPE_CHECKING:
    from training.engines import Watcher

_REGIONS: tuple[Region, ...] = ("easy", "hard", "mix")  # as `phase` numbers them
_DIGITS = 6  # decimals of accuracies and shares in a result
_MATRICES = (
    "all_easy",
    "all_hard",
    "equal_spend",
    "best",
    "best_easy_share",
    "difference_low",
    "difference_high",
    "probability_easy",
    "value_of_knowing",
)
_COUNTS = ("best_easy_labels", "best_hard_labels")


def run_simulation(options: SimulateOptions, watcher: "Watcher") -> SimulationResult:
    """Plan every cell of the grid that the options describe.

    Raises InputError if an option, an assumption or the run cannot be used.
    """
    scene = set_scene(options)
    rows = scene.x if scene.x.name == "transfer" else scene.y
    watcher.stage("cells, in rows", len(rows.values))
    phase = simulate_phase(
        scene.task, scene.stated, scene.x, scene.y, options.margin / 100, watcher.advance
    )
    return _result(options, scene, phase)


def _result(options: SimulateOptions, scene: Scene, phase: Phase) -> SimulationResult:
    task = scene.task
    x, y = (_axis_record(axis, task) for axis in (scene.x, scene.y))
    here = _here(scene, options.margin / 100)
    return SimulationResult(
        labelmix_version=_version(),
        title=scene.preset.title if scene.preset else _title(scene),
        source=scene.source,
        preset=scene.preset.name if scene.preset else None,
        run=str(options.run) if options.run is not None else None,
        easy=task.easy,
        target=task.hard,
        currency=scene.currency,
        confidence=INTERVAL,
        margin=options.margin / 100,
        draws=len(task.surface.draws),
        seed=options.seed,
        x=x,
        y=y,
        assumptions=list_assumptions(task, scene.stated, scene.own, (x, y), options.run),
        notes=[*scene.remarks, *notes_on(scene.source, scene.preset, task)],
        here=here,
        region=[[_REGIONS[code] for code in row] for row in phase.region],
        unresolved=phase.unresolved.tolist(),
        break_even=break_even(x, y, phase.all_easy - phase.all_hard),
        **_matrices(phase),
    )


def _title(scene: Scene) -> str:
    names = {"budget": "budget", "cost-ratio": "relative cost", "transfer": "transfer"}
    shown = [names.get(axis.name, axis.name.replace("-", " ")) for axis in (scene.x, scene.y)]
    return f"Which labels to buy, by {shown[0]} and {shown[1]}"


def _axis_record(axis: Axis, task: SimulatedTask) -> AxisRecord:
    label = axis.quantity.label.format(easy=task.easy, hard=task.hard)
    values = [float(value) for value in axis.values]
    return AxisRecord(name=axis.name, label=label, scale=axis.scale, values=values)


def _matrices(phase: Phase) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: np.round(getattr(phase, name), _DIGITS).tolist() for name in _MATRICES
    }
    counts: dict[str, NDArray[np.float64]] = {name: getattr(phase, name) for name in _COUNTS}
    return found | {name: [[int(n) for n in row] for row in own] for name, own in counts.items()}


def _here(scene: Scene, margin: float) -> Here | None:
    """The decision at the stated terms; None where a grid shows what nobody stated."""
    x, y = scene.place_on(scene.x), scene.place_on(scene.y)
    open_axes = [axis.name for axis, place in ((scene.x, x), (scene.y, y)) if place is None]
    if scene.source == "prior" or any(name != "transfer" for name in open_axes):
        return None
    terms = cell_terms(scene.stated, {})
    phase = plan_here(scene.task, scene.stated, margin)
    cell = {name: values[0] for name, values in _row_matrices(phase).items()}
    return Here(
        region=_REGIONS[int(phase.region[0])],
        unresolved=bool(phase.unresolved[0]),
        difference=Estimate(
            estimate=round(float(phase.all_easy[0] - phase.all_hard[0]), _DIGITS),
            low=cell.pop("difference_low"),
            high=cell.pop("difference_high"),
        ),
        x=x,
        y=y,
        terms={
            "budget": float(terms.budget),
            "cost-ratio": float(terms.cost_ratio),
            "error-easy": terms.error_easy,
            "error-hard": terms.error_hard,
        },
        **cell,
    )


def _row_matrices(phase: Phase) -> dict[str, Any]:
    """The only row of a phase of one cell."""
    row = Phase(**{name: np.atleast_2d(value) for name, value in vars(phase).items()})
    return {name: matrix[0] for name, matrix in _matrices(row).items()}


def _version() -> str:
    # `budget.campaign.run` has this too, and loads torch.
    try:
        return version("labelmix")
    except PackageNotFoundError:
        return "0+unknown"
