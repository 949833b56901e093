"""What real trials of one training method tell a campaign: zero-shot, lessons, conditions."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.failed_trainings import failed_trainings
from annotation.arrays import Correct
from budget.campaign.campaign import Campaign
from budget.campaign.play import Borrowing, Parts, Rehearsing, Told, Unlabelled, Wanted
from budget.market.simple_rules import Mix
from training.engines import Engine, Watcher
from training.lab import Lab
from training.task import Pilot
from training.trial import Method, Trial, TrialResult
from training.unlabelled.reading import Reading, reading_of
from training.unlabelled.told import READING_SEEDS, Rehearsed

logger = logging.getLogger(__name__)


class LabEvidence:
    """Runs the trials that one method needs; answers what a policy wants to be told.

    All arrays are (trials, target test items). `finished` holds every trial by its key.

    Parameters
    ----------
    lab, method : what is trained, and how
    pilot_seed : which items what is bought to learn from happens to be
    engine, watcher : where trials run, and who is told
    """

    def __init__(
        self, lab: Lab, method: Method, pilot_seed: int, engine: Engine, watcher: Watcher
    ) -> None:
        self.lab, self.method = lab, method
        self.finished: dict[str, tuple[Trial, TrialResult]] = {}
        self._recipe, self._pilot_seed = lab.recipes[method], pilot_seed
        self._engine, self._watcher = engine, watcher

    def zero_shot(self) -> Correct:
        """The base model as the method uses it, untrained: one row."""
        trial = self.lab.trial(self.lab.zero_shot_of(self.method), {}, 0)
        return self._correct([trial], "zero-shot")

    def conditions(self, mixes: Mapping[str, Mix], seeds: int) -> dict[str, Correct]:
        """Train on every mix, each of so many seeds a fresh purchase."""
        trials = [
            self.lab.trial(self._recipe, mix, seed)
            for mix in mixes.values()
            for seed in range(seeds)
        ]
        correct = self._correct(trials, "plan and baselines")
        return dict(zip(mixes, np.split(correct, len(mixes)), strict=True))

    def answers(self, asked: Sequence[tuple[Campaign, Wanted]]) -> list[Told]:
        """What every asking campaign is told, in order."""
        return [self._told(campaign, wanted) for campaign, wanted in asked]

    def _told(self, campaign: Campaign, wanted: Wanted) -> Told:
        pilot = Pilot(tuple(campaign.bought.items()), self._pilot_seed)
        match wanted:
            case Unlabelled():
                return self._readings()
            case Rehearsing():
                return self._rehearse([dict(mix) for mix in wanted.mixes], pilot)
            case Parts():
                trials = [
                    self.lab.trial(self._recipe, mix, seed, pilot)
                    for mix in wanted.mixes
                    for seed in range(wanted.seeds)
                ]
                return self._correct(trials, "pilot")
            case _:
                return self._correct([self._lent(own) for own in wanted], "borrowed labels")

    def _lent(self, lesson: object) -> Trial:
        if not isinstance(lesson, Borrowing):
            raise TypeError("a run trains on parts of what it bought, or on labels that are lent.")
        return self.lab.trial(self._recipe, {}, lesson.seed, borrowed=lesson.count)

    def _readings(self) -> list[Reading]:
        """What probes of the test set read in unlabelled items (`budget.surface.separation`)."""
        wanted = [self.lab.reading_trial(seed) for seed in range(READING_SEEDS)]
        trials = [trial for trial in wanted if trial]
        results = self._run(trials, "unlabelled items") if trials else {}
        return [reading_of(results[trial.key].details) for trial in trials]

    def _rehearse(self, mixes: Sequence[Mix], pilot: Pilot) -> list[list[Rehearsed]]:
        """By mix and seed; none where the test set is too small."""
        wanted = [
            [self.lab.rehearsal_trial(mix, pilot, seed) for seed in range(READING_SEEDS)]
            for mix in mixes
        ]
        groups = [[trial for trial in group if trial] for group in wanted]
        if not all(groups):
            return []
        results = self._run([trial for group in groups for trial in group], "rehearsals")
        return [[self._rehearsed(trial, results[trial.key]) for trial in own] for own in groups]

    def _rehearsed(self, trial: Trial, result: TrialResult) -> Rehearsed:
        on_target = self.lab.on_target
        scored = self.lab.task.scored(trial.borrowed, trial.seed)[on_target]
        accuracy = float(result.correct[on_target][scored].mean())
        details = result.details
        return Rehearsed(accuracy, details["surprise"], details["overconfidence"])

    def _correct(self, trials: Sequence[Trial], stage: str) -> NDArray[np.bool_]:
        results = self._run(trials, stage)
        return np.stack([results[trial.key].correct[self.lab.on_target] for trial in trials])

    def _run(self, trials: Sequence[Trial], stage: str) -> dict[str, TrialResult]:
        results = self._engine.run(trials, self._watcher, f"{self.method}: {stage}")
        self.finished.update({t.key: (t, results[t.key]) for t in trials})
        for remark in failed_trainings(results[t.key] for t in trials if t.method == "qlora"):
            logger.warning("note: %s: %s", stage, remark)
        return results
