"""Trials that rehearse: probes trained on guessed labels (`training.unlabelled.rehearsing`)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Features, Mask, Positions, generator
from annotation.terms.cost import LabelTerms
from training.probes.fit import fit_with
from training.probes.probe import LinearProbe, ProbeJob
from training.task import Purchase, Task
from training.trial import Trial
from training.unlabelled.reading import MOST_READ
from training.unlabelled.rehearser import Rehearser
from training.unlabelled.rehearsing import Guesser, Known


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
        self._rehearsers: dict[object, Rehearser] = {}

    def run(
        self, trial: Trial, purchase: Purchase, terms: Mapping[str, LabelTerms]
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """Whether each test item is answered right, (test items,), and what tells of the guesses.

        `purchase` has the labels that were bought. Details are `surprise` and `overconfidence`,
        see `Rehearsed`.
        """
        task, rehearser = self._task, self._rehearser(trial)
        mix = dict(trial.rehearses)
        known = {name: self._known(name, purchase) for name in mix}
        rows, labels = rehearser.imagine(
            mix, known, terms, lambda name: generator("rehearse", trial.seed, name)
        )
        probe = self._fit(trial, rows, labels)
        tested = self._rows(task.test_positions)
        answered = probe.scores(self._features[tested], self._mask[tested]).argmax(1)
        surprise, overconfidence = rehearser.doubts(mix, known)
        return answered == task.answers[task.test_positions], {
            "penalty": probe.penalty,
            "surprise": surprise,
            "overconfidence": overconfidence,
        }

    def _rehearser(self, trial: Trial) -> Rehearser:
        key = (trial.settings, trial.borrowed, trial.seed)
        if key not in self._rehearsers:
            task = self._task
            taught = task.lent(trial.borrowed, trial.seed)
            rows, answers = self._rows(taught), task.answers[taught]
            others = task.target_others(trial.borrowed, trial.seed)
            self._rehearsers[key] = Rehearser(
                Guesser(
                    self._features,
                    self._mask,
                    taught=rows,
                    answers=answers,
                    probe=self._fit(trial, rows, answers),
                    alike=self._unlabelled(task.target),
                ),
                self._unlabelled,
                choices=task.choice_counts[self._positions],
                target=task.target,
                others=self._rows(others),
                answers=task.answers[others],
            )
        return self._rehearsers[key]

    def _known(self, name: str, purchase: Purchase) -> Known:
        own = np.flatnonzero(self._task.stratum_of[purchase.positions] == name)
        own = own[np.argsort(purchase.positions[own])]
        return Known(
            self._rows(purchase.positions[own]), purchase.labels[own], purchase.redraw_rates[own]
        )

    def _unlabelled(self, name: str) -> NDArray[np.int64]:
        return self._rows(self._task.unlabelled(name, MOST_READ))

    def _fit(self, trial: Trial, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> LinearProbe:
        job = ProbeJob(rows, self._classes[labels])
        return fit_with(dict(trial.settings), self._features, self._mask, [job])[0]

    def _rows(self, items: Positions) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(self._positions, items))
