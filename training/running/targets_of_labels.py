"""What a purchase is trained towards: its judgments turned into the trial's kind of targets."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from annotation.arrays import Array
from annotation.errors import InputError, short
from annotation.labelling.labels import Labels
from training.targets.make import (
    Targets,
    UncertaintyMap,
    entropy_uncertainty,
    make_targets,
    posterior_uncertainty,
)
from training.task import Task
from training.trial import Trial


@dataclass(frozen=True, config={"extra": "forbid"})
class TargetSettings:
    """Settings of the target kind "uncertainty".

    `source` says whose uncertainty it is: that of the item's judgments, or the untrained model's
    (normalised entropy of its probabilities over the item's choices).
    """

    source: Literal["judgments", "model"] = "judgments"
    intercept: float = 0.0
    slope: float = 1.0
    largest: float = 1.0


def purchase_targets(
    trial: Trial,
    purchase: Labels,
    task: Task,
    model_probabilities: Callable[[], Array],
) -> Targets:
    """The targets of a trial's purchase, (labels, most choices of the task).

    `model_probabilities` gives the untrained model's probabilities over each bought item's
    choices, (labels, most choices); it is called only where they are needed.

    Raises InputError if the trial's target settings are no such settings.
    """
    settings = target_settings(dict(trial.recipe.target_settings))
    counts = task.choice_counts[purchase.positions]
    judgments, uncertainties = purchase.judgments, None
    if purchase.posteriors is not None and trial.recipe.target_kind == "posterior":
        return Targets(purchase.posteriors)
    if purchase.posteriors is not None and trial.recipe.target_kind != "soft_labels":
        # What the judgments say together stands for one judgment, as sure as they are.
        judgments = purchase.labels[:, None]
        uncertainties = posterior_uncertainty(purchase.posteriors, counts)
    if trial.recipe.target_kind == "uncertainty" and settings.source == "model":
        uncertainties = entropy_uncertainty(model_probabilities(), counts)
    return make_targets(
        trial.recipe.target_kind,
        judgments,
        counts,
        redraw_rates=purchase.redraw_rates,
        uncertainties=uncertainties,
        uncertainty_map=UncertaintyMap(settings.intercept, settings.slope, settings.largest),
        most_choices=int(task.choice_counts.max()),
    )


def target_settings(settings: dict[str, Any]) -> TargetSettings:
    """Check target settings; raises InputError naming the first wrong one."""
    try:
        return TypeAdapter(TargetSettings).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"target setting '{'.'.join(str(part) for part in first['loc'])}': "
            f"{first['msg']}; got {short(first.get('input'))}."
        ) from None
