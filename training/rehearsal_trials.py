"""Trials that rehearse: probes trained on guessed labels (`training.probes.rehearsing`)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.cost import LabelTerms
from training.probe_fits import fit_with
from training.probes.probe import LinearProbe, ProbeJob
from training.probes.reading import MOST_READ
from training.probes.rehearsing import Guessed, Guesser, Known, imagined_purchase
from training.probes.rows import Features, Mask
from training.task import Positions, Purchase, Task, generator
from training.trials import Trial


class RehearsalTrials:
    """Runs trials that rehearse; what they have in common is worked out once.

    Parameters
    ----------
    task : whose trials they are
    positions, features, mask : (items,), in order; their features, and which choices they have
    """

    def __init__(self, task: Task, positions: Positions, features: Features, mask: Mask) -> None:
        self._task, self._positions = task, positions
        self._features, self._mask = features, mask
        self._classes = np.eye(mask.shape[1])
        self._guessers: dict[object, Guesser] = {}
        self._guesses: dict[object, Guessed] = {}

    def run(
        self, trial: Trial, purchase: Purchase, terms: Mapping[str, LabelTerms]
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """Whether each test item is answered right, (test items,), and what tells of the guesses.

        `purchase` has the labels that were bought. Details are `surprise` and `overconfidence`,
        see `Rehearsed`.
        """
        task = self._task
        guessed = {name: self._guessed(trial, name, purchase) for name, _ in trial.rehearses}
        rows, labels = imagined_purchase(
            guessed,
            dict(trial.rehearses),
            terms,
            task.choice_counts[self._positions],
            lambda name: generator("rehearse", trial.seed, name),
        )
        probe = self._fit(trial, rows, labels)
        tested = self._rows(task.test_positions)
        answered = probe.scores(self._features[tested], self._mask[tested]).argmax(1)
        details = {
            "penalty": probe.penalty,
            "surprise": max(own.surprise for own in guessed.values()),
            "overconfidence": 0.0,
        }
        if task.target in guessed:
            scored = task.scored(trial.borrowed, trial.seed) & (task.test_strata == task.target)
            others = task.test_positions[scored]
            details["overconfidence"] = self._guesser(trial).overconfidence(
                guessed[task.target], self._rows(others), task.answers[others]
            )
        return answered == task.answers[task.test_positions], details

    def _guesser(self, trial: Trial) -> Guesser:
        key = (trial.settings, trial.borrowed, trial.seed)
        if key not in self._guessers:
            task = self._task
            taught = task.lent(trial.borrowed, trial.seed)
            rows, answers = self._rows(taught), task.answers[taught]
            self._guessers[key] = Guesser(
                self._features,
                self._mask,
                rows,
                answers,
                self._fit(trial, rows, answers),
                self._rows(task.unlabelled(task.target, MOST_READ)),
            )
        return self._guessers[key]

    def _guessed(self, trial: Trial, name: str, purchase: Purchase) -> Guessed:
        own = np.flatnonzero(self._task.stratum_of[purchase.positions] == name)
        own = own[np.argsort(purchase.positions[own])]
        bought, labels = purchase.positions[own], purchase.labels[own]
        taught_by = (trial.settings, trial.borrowed, trial.seed, trial.terms)
        key = (taught_by, name, bought.tobytes(), labels.tobytes())
        if key not in self._guesses:
            known = Known(self._rows(bought), labels, purchase.redraw_rates[own])
            unlabelled = self._rows(self._task.unlabelled(name, MOST_READ))
            self._guesses[key] = self._guesser(trial).guess(unlabelled, known)
        return self._guesses[key]

    def _fit(self, trial: Trial, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> LinearProbe:
        job = ProbeJob(rows, self._classes[labels])
        return fit_with(dict(trial.settings), self._features, self._mask, [job])[0]

    def _rows(self, items: Positions) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self._positions, items))
