"""`labelmix curves`: noise and cost on the user's own task, as in the paper's sections on both.

Easy labels at error rate p, hard ones at p and at a multiple of it (hard items are harder to label
too), purchases of several sizes, several seeds, all tested on the target stratum's fixed test set
(Hase et al. 2024, arXiv:2401.06751).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from analysis.curves.design import CurvesDesign
from analysis.curves.figure import write_figure
from analysis.curves.result import CurvesResult, write_curves
from analysis.curves.summarise import (
    CurveKind,
    CurveMeasurements,
    CurveMethod,
    Heading,
    summarise_curves,
)
from analysis.failed_trainings import failed_trainings
from analysis.item_groups import kept_from_sale
from annotation.arrays import Correct
from annotation.errors import InputError
from annotation.locks import exclusive
from annotation.written_together import written_together
from training.engines import Watcher
from training.engines.choice import EngineChoice
from training.lab import Lab
from training.store import TrialStore
from training.trial import Trial, TrialResult


def run_curves(
    lab: Lab,
    heading: Heading,
    design: CurvesDesign,
    method: CurveMethod,
    out: Path,
    watcher: Watcher,
    engine_choice: EngineChoice,
) -> CurvesResult:
    """Train and test what the design asks for; write curves.json, .csv, .png and .svg into `out`.

    Every trial is kept in `out/trials.sqlite` the moment it is done, and never run again there.

    Raises InputError for input that cannot be used, or if another command works in `out`; nothing
    is written then.
    """
    started = time.perf_counter()
    lab.require_choices(heading.source)
    if lab.collected is not None:
        design = replace(design, error_rates=(0.0,), hard_factor=1.0)  # no errors are added
    _check_capacity(design, lab)
    trials = CurveTrials(lab, design, method)
    with (
        exclusive(out, "labelmix curves"),
        TrialStore(out / "trials.sqlite") as store,
        engine_choice.start(lab.task, lab.source, out / "features", store) as engine,
    ):
        results = engine.run(trials.all, watcher, f"{method}: curves")
    timing = {
        "run_seconds": time.perf_counter() - started,
        "training_seconds": sum(result.seconds for result in results.values()),
    }
    curves = summarise_curves(lab, heading, design, method, trials.measured(results), timing)
    failed = failed_trainings(results[trial.key] for trial in trials.all)
    curves = curves.model_copy(update={"warnings": [*curves.warnings, *failed]})
    with written_together():
        write_curves(curves, out)
        write_figure(curves, out)
    return curves


def _check_capacity(design: CurvesDesign, lab: Lab) -> None:
    for name in (lab.easiest, lab.target):
        if design.sizes[-1] > lab.capacity[name]:
            raise InputError(
                f"--sizes: {design.sizes[-1]:,} labels wanted, but stratum '{name}' "
                f"({lab.task.strata.rule(name)}) has {lab.capacity[name]:,} items left to "
                "label after the test set; leave larger sizes out, lower [test] items or move "
                "the cut."
                + kept_from_sale(lab.task.split, name, lab.capacity[name], design.sizes[-1])
            )


@dataclass(frozen=True)
class CurveTrials:
    """The trials of a design: seeds matched across all conditions, each a fresh purchase."""

    lab: Lab
    design: CurvesDesign
    method: CurveMethod

    @property
    def all(self) -> list[Trial]:
        """Every trial, the untrained model first."""
        groups = [group for curve in self.trained.values() for group in curve]
        return [self.zero_shot, *(trial for group in groups for trial in group)]

    @cached_property
    def zero_shot(self) -> Trial:
        """The base model as the method uses it, untrained."""
        return self.lab.trial(self.lab.zero_shot_of(self.method), {}, 0)

    @cached_property
    def trained(self) -> dict[CurveKind, list[list[Trial]]]:
        """Trials of every kind of label: per size, per seed."""
        easy, hard = self.lab.easiest, self.lab.target
        kinds = [CurveKind(easy, rate) for rate in self.design.error_rates]
        kinds += [CurveKind(hard, rate) for rate in self.design.all_hard_error_rates]
        seeds = range(self.design.seeds)
        return {
            kind: [[self._trial(kind, size, seed) for seed in seeds] for size in self.design.sizes]
            for kind in kinds
        }

    def measured(self, results: Mapping[str, TrialResult]) -> CurveMeasurements:
        """Correctness on the target's test items, out of the results of all trials by key."""
        return CurveMeasurements(
            zero_shot=self._correct([self.zero_shot], results),
            correct={
                kind: [self._correct(group, results) for group in curve]
                for kind, curve in self.trained.items()
            },
            trials=len({trial.key for trial in self.all}),
        )

    def _trial(self, kind: CurveKind, size: int, seed: int) -> Trial:
        # Cost and kind of error are the user's; only the rate differs from curve to curve.
        own = replace(self.lab.terms[kind.stratum], error_rate=kind.error_rate)
        recipe = self.lab.recipes[self.method]
        return self.lab.trial(recipe, {kind.stratum: size}, seed, terms={kind.stratum: own})

    def _correct(self, group: Sequence[Trial], results: Mapping[str, TrialResult]) -> Correct:
        on_target = self.lab.on_target
        return np.stack([results[trial.key].correct[on_target] for trial in group])
