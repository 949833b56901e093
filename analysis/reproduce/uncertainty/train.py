"""Train all arms on the same items, seed by seed, and hear how sure each is of the test items."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.reproduce.judged import JudgedLab
from analysis.reproduce.study import StudiedModel, Study
from analysis.reproduce.uncertainty.arms import Arm, targets_of_arms
from annotation.arrays import Array, Positions, generator
from training.running.runner import TrialRunner
from training.running.towards import (
    Training,
    adapter_probabilities,
    probe_probabilities,
    zero_shot_probabilities,
)
from training.targets.make import entropy_uncertainty
from training.trial import Method

OF_JUDGMENTS = "judgments"


@dataclass(frozen=True)
class TrainedArms:
    """One method and size: arm -> probabilities (seeds, test items, choices)."""

    method: Method
    labels: int
    probabilities: Mapping[Arm, Array]
    mean_smoothing: Mapping[str, float]  # source -> over items and seeds


class ArmTrainer:
    """Trains on judged items; what the models make of an item is read once."""

    def __init__(self, study: Study, judged: JudgedLab) -> None:
        self._study, self._judged = study, judged
        self._runner = TrialRunner(judged.lab.task, judged.lab.source, study.folder)
        self._uncertainties = self._of_all()

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose uncertainty there is."""
        return tuple(self._uncertainties)

    def train(self, method: Method, labels: int, seeds: int) -> TrainedArms:
        """So many items, drawn anew by every seed; all arms of a seed share them."""
        bought = [self._bought(labels, seed) for seed in range(seeds)]
        targets = [self._targets(own, seed) for seed, own in enumerate(bought)]
        trainings = [
            (arm, Training(own, by_arm[arm], seed))
            for seed, (own, by_arm) in enumerate(zip(bought, targets, strict=True))
            for arm in by_arm
        ]
        found = self._probabilities(method, [own for _, own in trainings])
        by_arm: dict[Arm, list[Array]] = {}
        for (arm, _), own in zip(trainings, found, strict=True):
            by_arm.setdefault(arm, []).append(own)
        smoothing = self._judged.uncertainty_map.smoothing
        return TrainedArms(
            method,
            labels,
            {arm: np.stack(own) for arm, own in by_arm.items()},
            {
                source: float(np.mean([smoothing(uncertainty[own]).mean() for own in bought]))
                for source, uncertainty in self._uncertainties.items()
            },
        )

    def _bought(self, labels: int, seed: int) -> Positions:
        """Fewer are the beginning of more."""
        pool = self._judged.pool
        return np.asarray(generator("judged items", seed, "").permutation(pool)[:labels])

    def _targets(self, positions: Positions, seed: int) -> dict[Arm, Array]:
        task = self._judged.lab.task
        return targets_of_arms(
            self._judged.judgments[positions],
            task.choice_counts[positions],
            int(task.choice_counts.max()),
            {source: own[positions] for source, own in self._uncertainties.items()},
            self._judged.uncertainty_map,
            generator("shuffled uncertainties", seed, ""),
        )

    def _probabilities(self, method: Method, trainings: list[Training]) -> list[Array]:
        lab, watcher = self._judged.lab, self._study.watcher
        recipe, tested = lab.recipes[method], lab.task.test_positions
        if method == "probe":
            store = self._runner.features(recipe.prompt)
            needed = np.unique(np.concatenate([tested, *(own.positions for own in trainings)]))
            watcher.stage("items read", store.absent(needed))
            read = watcher.advance
            return list(probe_probabilities(self._runner, recipe, trainings, tested, read))
        watcher.stage("adapters towards hard, smoothed and soft labels", len(trainings))
        kept = self._study.folder / "trained_towards"
        all_found = []
        for training in trainings:
            all_found.append(adapter_probabilities(self._runner, recipe, training, tested, kept))
            watcher.advance()
        return all_found

    def _of_all(self) -> dict[str, Array]:
        """Uncertainty of every item of the pool, by source; of other items 0."""
        pool, task = self._judged.pool, self._judged.lab.task
        own: Array = np.zeros(len(task.items))
        own[pool] = self._judged.disagreement(pool)
        found = {OF_JUDGMENTS: own}
        teacher = stronger_model(self._study)
        if teacher is not None:
            runner = TrialRunner(task, teacher.source, self._study.folder)
            prompt = teacher.recipes["zero_shot"].prompt
            absent = runner.features(prompt).absent_scores(pool)
            self._study.watcher.stage(f"items read by {teacher.source.label}", absent)
            read = self._study.watcher.advance
            said = zero_shot_probabilities(runner, prompt, pool, read)
            of_model: Array = np.zeros(len(task.items))
            of_model[pool] = entropy_uncertainty(said, task.choice_counts[pool])
            found[teacher.source.label] = of_model
        return found


def stronger_model(study: Study) -> StudiedModel | None:
    """The largest decoder that was named beside the model; its choices have probabilities."""
    decoders = [own for own in study.models[1:] if own.source.kind == "decoder"]
    return max(decoders, key=lambda own: own.parameters, default=None)
