"""The trials of one training method: zero-shot, the pilot's subsamples, the tested conditions."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from budget.campaign.lent_curve import CURVE_SEEDS, curve_sizes
from budget.config.prepare import Setting
from budget.market.simple_rules import Mix
from budget.search.batches import training_parts
from budget.surface.observation import Observation
from training.engines import Engine, Watcher
from training.models.load import Quantisation
from training.task import Pilot
from training.trial import Method, Trial, TrialResult
from training.unlabelled.reading import Reading, reading_of
from training.unlabelled.told import READING_SEEDS, Rehearsed

Correct = NDArray[np.bool_]


class MethodTrials:
    """Runs what one method needs and returns correctness on the target's test items.

    All arrays are (seeds, target test items). `finished` holds every trial by its key.
    """

    def __init__(self, setting: Setting, method: Method, engine: Engine, watcher: Watcher) -> None:
        self.setting = setting
        self.method = method
        self.finished: dict[str, tuple[Trial, TrialResult]] = {}
        self._engine = engine
        self._watcher = watcher
        self._quantisation: Quantisation = "nf4" if method == "qlora" else "none"

    def zero_shot(self) -> Correct:
        """The base model as the method uses it, untrained: one row."""
        trial = self.setting.trial("zero_shot", {}, 0, quantisation=self._quantisation)
        return self._correct([trial], self._run([trial], "zero-shot"))

    def parts_of(self, bought: Mix) -> list[Observation]:
        """Train on subsamples of what was bought: every stratum alone, and all together."""
        strata, config = self.setting.strata, self.setting.config.pilot
        pilot = Pilot(tuple(bought.items()), config.seed)
        had = np.array([bought[name] for name in strata])
        parts = training_parts(had, sorted(config.fractions))
        cells: list[tuple[Mix, float]] = [
            (
                {name: int(n) for name, n in zip(strata, part, strict=True) if n},
                float((part / np.maximum(had, 1)).max()),
            )
            for part in parts
        ]
        groups = [
            [self._trial(mix, seed, pilot) for seed in range(config.seeds)] for mix, _ in cells
        ]
        results = self._run([trial for group in groups for trial in group], "pilot")
        return [
            Observation(labels=mix, correct=self._correct(group, results), pilot_share=share)
            for (mix, share), group in zip(cells, groups, strict=True)
        ]

    def borrowed_curve(self) -> list[Observation]:
        """Train on labels of the target's test items, scored on the others.

        See `budget.campaign.lent_curve`; none where the configuration borrows nothing.
        """
        setting = self.setting
        if not setting.config.borrows(self.method):
            return []
        sizes = curve_sizes(int(setting.on_target.sum()))
        groups = [
            [self._trial({}, seed, borrowed=size) for seed in range(CURVE_SEEDS)] for size in sizes
        ]
        results = self._run([trial for group in groups for trial in group], "borrowed labels")
        return [
            Observation(
                labels={},
                correct=self._correct(group, results),
                pilot_share=0.0,
                borrowed=size,
                scored=self._scored(group),
            )
            for size, group in zip(sizes, groups, strict=True)
        ]

    def readings(self) -> list[Reading]:
        """What probes of the test set read in unlabelled items (`budget.surface.separation`).

        None of a method that is no probe, or where the configuration does not want it.
        """
        setting = self.setting
        if not setting.config.reads(self.method):
            return []
        wanted = [setting.reading_trial(seed) for seed in range(READING_SEEDS)]
        trials = [trial for trial in wanted if trial]
        results = self._run(trials, "unlabelled items") if trials else {}
        return [reading_of(results[trial.key].details) for trial in trials]

    def rehearse(self, mixes: Sequence[Mix], bought: Mix) -> list[list[Rehearsed]]:
        """What purchases score whose labels are guessed from those bought: by mix and seed.

        None of a method that is no probe, where the configuration does not want it, or where the
        test set is too small.
        """
        setting = self.setting
        if not setting.config.rehearses(self.method):
            return []
        wanted = [
            [setting.rehearsal_trial(mix, bought, seed) for seed in range(READING_SEEDS)]
            for mix in mixes
        ]
        groups = [[trial for trial in group if trial] for group in wanted]
        if not all(groups):
            return []
        results = self._run([trial for group in groups for trial in group], "rehearsals")
        return [[self._rehearsed(trial, results[trial.key]) for trial in own] for own in groups]

    def _rehearsed(self, trial: Trial, result: TrialResult) -> Rehearsed:
        correct = result.correct[self.setting.on_target]
        accuracy = float(correct[self._scored([trial])[0]].mean())
        details = result.details
        return Rehearsed(accuracy, details["surprise"], details["overconfidence"])

    def conditions(self, mixes: Mapping[str, Mix]) -> dict[str, Correct]:
        """Train on every mix, each seed a fresh purchase."""
        seeds = range(self.setting.config.evaluation.seeds)
        groups = {name: [self._trial(mix, seed) for seed in seeds] for name, mix in mixes.items()}
        flat = [trial for group in groups.values() for trial in group]
        results = self._run(flat, "plan and baselines")
        return {name: self._correct(group, results) for name, group in groups.items()}

    def _trial(self, mix: Mix, seed: int, pilot: Pilot | None = None, borrowed: int = 0) -> Trial:
        return self.setting.trial(self.method, mix, seed, pilot, self._quantisation, borrowed)

    def _run(self, trials: Sequence[Trial], stage: str) -> dict[str, TrialResult]:
        results = self._engine.run(trials, self._watcher, f"{self.method}: {stage}")
        self.finished.update({t.key: (t, results[t.key]) for t in trials})
        return results

    def _correct(self, group: Sequence[Trial], results: Mapping[str, TrialResult]) -> Correct:
        on_target = self.setting.on_target
        return np.stack([results[trial.key].correct[on_target] for trial in group])

    def _scored(self, group: Sequence[Trial]) -> Correct:
        """Which of the target's test items each trial may be scored on."""
        setting = self.setting
        return np.stack([setting.task.scored(t.borrowed, t.seed)[setting.on_target] for t in group])
