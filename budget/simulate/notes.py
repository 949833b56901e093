"""What a reader has to know before trusting a simulation."""

from budget.simulate.presets import Preset
from budget.simulate.result import Source
from budget.simulate.task import SimulatedTask

_PRIOR_ONLY = (
    "Nothing was measured on your task: what is not stated is labelmix's prior, set on learning "
    "curves of linear probes. A pilot ('labelmix run') tells far more; then use --run."
)
_STATED = (
    "Nothing was measured on your task: the diagram follows from what was stated, and from the "
    "prior for all else."
)
_OF_RUN = (
    "The surface is the run's, with its uncertainty; far from what its pilot tried (budgets, error "
    "rates) it extrapolates."
)
_COMMON = (
    "Every cell is one purchase with all the money, decided at once: there is no pilot, nothing is "
    "learnt between rounds. The value of knowing is the most that any pilot, in however many "
    "rounds, could add.",
    "Accuracy is the expected one; which items are labelled and tested adds luck to any single "
    "purchase.",
)


def notes_on(source: Source, preset: Preset | None, task: SimulatedTask) -> list[str]:
    """Notes in the order of their weight."""
    if preset is not None:
        found = [preset.note, _STATED]
    else:
        found = [{"run": _OF_RUN, "assumptions": _STATED}.get(source, _PRIOR_ONLY)]
    others = [name for name in task.surface.strata if name not in (task.easy, task.hard)]
    if others:
        found.append(f"Labels of {' and '.join(others)} items are not on offer here.")
    return [*found, *_COMMON]
