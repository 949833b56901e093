"""Trials written out flat, as tests vary one thing at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from annotation.arrays import IntArray
from annotation.labelling.labels import Labels
from annotation.terms.cost import LabelTerms
from training.models.number_types import Quantisation
from training.models.source import ModelSource
from training.prompts import PROMPT_VERSION
from training.running.labels_of_trial import simulated_labels
from training.targets.make import TargetKind
from training.task import Pilot, Task
from training.trial import LabelSource, Method, Recipe, Trial, make_trial


def flat_trial(
    task: Task,
    model: ModelSource,
    method: Method,
    settings: Mapping[str, Any],
    mix: Mapping[str, int],
    terms: Mapping[str, LabelTerms],
    seed: int,
    pilot: Pilot | None = None,
    quantisation: Quantisation = "none",
    target_kind: TargetKind = "hard_labels",
    target_settings: Mapping[str, Any] | None = None,
    judgments: int = 1,
    prompt: str = PROMPT_VERSION,
    **source: Any,
) -> Trial:
    """`source` are further fields of `LabelSource`."""
    recipe = Recipe(
        method,
        tuple(sorted(settings.items())),
        prompt,
        quantisation,
        target_kind,
        tuple(sorted((target_settings or {}).items())),
        judgments,
    )
    return make_trial(task, model, recipe, seed, LabelSource(mix, terms, pilot, **source))


@dataclass(frozen=True)
class EventfulLabels(Labels):
    """Labels that tell when they are first looked at, which each run of a trial does once.

    In another process they have not been looked at.
    """

    happening: Callable[[int], None] = lambda _labels: None

    @cached_property
    def key(self) -> str:
        """That of the same labels, which may be looked at."""
        return Labels(self.positions, self.judgments, self.redraw_rates, self.posteriors).key

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "labels"}

    @cached_property
    def labels(self) -> IntArray:
        self.happening(len(self))
        assert self.posteriors is not None
        return np.asarray(self.posteriors.argmax(1))


def eventful_labels(
    task: Task,
    mix: Mapping[str, int],
    terms: Mapping[str, LabelTerms],
    seed: int,
    happening: Callable[[int], None],
) -> EventfulLabels:
    """The labels of simulated annotators, given as people's are; `happening` is told how many."""
    drawn = simulated_labels(task, mix, terms, seed)
    sure = np.eye(int(task.choice_counts.max()))[drawn.labels]
    return EventfulLabels(drawn.positions, drawn.judgments, drawn.redraw_rates, sure, happening)
