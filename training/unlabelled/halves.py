"""Probes of the right answers to halves of the test items: what they see in items for sale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Features, IntArray, Mask, generator
from annotation.labelling.labels import Labels
from annotation.terms.cost import LabelTerms
from annotation.ties import OF_PROBES, pick
from training.probes.fit import fit_with
from training.probes.probe import LinearProbe, ProbeJob
from training.task import Task
from training.trial import Trial
from training.unlabelled.reading import MOST_READ, Reading, read
from training.unlabelled.rehearsal import Guesser, Known, Rehearser, Rows


@dataclass(frozen=True)
class Bench:
    """Items as features, and what can be looked at before a label is bought.

    Attributes
    ----------
    features, mask : (items, choices or 1, width), and (items, choices), which ones an item has
    answers : (items,), looked at of test items only
    target : the stratum that counts
    unlabelled : gives the rows of a stratum's items that are looked at
    shared_classes : whether all items have the same choices
    """

    features: Features
    mask: Mask
    answers: IntArray
    target: str
    unlabelled: Callable[[str], Rows]
    shared_classes: bool


class TaughtHalf:
    """A probe that was taught the answers to a part of the target's test items.

    `taught` and `others` are rows of the test items that it was taught and was not. Neither what it
    reads nor what it guesses uses an answer of an item for sale.
    """

    def __init__(self, bench: Bench, probe: LinearProbe, taught: Rows, others: Rows) -> None:
        self._bench, self._probe = bench, probe
        self._taught, self._others = taught, others

    def read(self, unlabelled: Mapping[str, Rows]) -> Reading:
        """What it reads in items of each stratum, next to the test items it was not taught.

        Raises ValueError as `training.unlabelled.reading.read` does.
        """
        return read(
            *self._scores(self._others),
            self._bench.answers[self._others],
            {name: self._scores(rows) for name, rows in unlabelled.items()},
            self._bench.shared_classes,
        )

    @cached_property
    def rehearser(self) -> Rehearser:
        """Imagines purchases of items for sale with guessed labels."""
        bench = self._bench
        return Rehearser(
            Guesser(
                bench.features,
                bench.mask,
                taught=self._taught,
                answers=bench.answers[self._taught],
                probe=self._probe,
                alike=bench.unlabelled(bench.target),
            ),
            bench.unlabelled,
            choices=np.asarray(bench.mask.sum(1), dtype=np.int64),
            target=bench.target,
            others=self._others,
            answers=bench.answers[self._others],
        )

    def _scores(self, rows: Rows) -> tuple[NDArray[np.float64], Mask]:
        mask = self._bench.mask[rows]
        return self._probe.scores(self._bench.features[rows], mask), mask


def known_of(labels: Labels, rows: Rows) -> Known:
    """Labels that were bought, as guesses take them; `rows` (labels,) of their items."""
    order = np.argsort(rows)
    return Known(rows[order], labels.labels[order], labels.redraw_rates[order])


class RehearsalTrials:
    """Runs trials that rehearse; what they have in common is worked out once.

    Parameters
    ----------
    task : whose trials they are
    positions : (items,), in order, of the items that `bench` has rows of
    """

    def __init__(self, task: Task, positions: IntArray, bench: Bench) -> None:
        self._task, self._positions, self._bench = task, positions, bench
        self._classes = np.eye(bench.mask.shape[1])
        self._halves: dict[object, TaughtHalf] = {}

    def run(
        self, trial: Trial, purchase: Labels, terms: Mapping[str, LabelTerms]
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """Whether each test item is answered right, (test items,), and what tells of the guesses.

        `purchase` has the labels that were bought. Details are `surprise` and `overconfidence`,
        see `Rehearsed`.
        """
        task, bench, rehearser = self._task, self._bench, self._half(trial).rehearser
        mix = dict(trial.rehearses)
        known = {name: self._known(name, purchase) for name in mix}
        rows, labels = rehearser.imagine(
            mix, known, terms, lambda name: generator("rehearse", trial.seed, name)
        )
        probe = self._fit(trial, rows, labels)
        tested = self._rows(task.test_positions)
        scores = probe.scores(bench.features[tested], bench.mask[tested])
        answered = pick(scores, task.tie_draws[task.test_positions], OF_PROBES)
        surprise, overconfidence = rehearser.doubts(mix, known)
        return answered == task.answers[task.test_positions], {
            "penalty": probe.penalty,
            "surprise": surprise,
            "overconfidence": overconfidence,
        }

    def _half(self, trial: Trial) -> TaughtHalf:
        key = (trial.recipe.settings, trial.borrowed, trial.seed)
        if key not in self._halves:
            taught = self._rows(self._task.lent(trial.borrowed, trial.seed))
            others = self._rows(self._task.target_others(trial.borrowed, trial.seed))
            probe = self._fit(trial, taught, self._bench.answers[taught])
            self._halves[key] = TaughtHalf(self._bench, probe, taught, others)
        return self._halves[key]

    def _known(self, name: str, purchase: Labels) -> Known:
        own = np.flatnonzero(self._task.stratum_of[purchase.positions] == name)
        return known_of(purchase.chosen(own), self._rows(purchase.positions[own]))

    def _fit(self, trial: Trial, rows: Rows, labels: IntArray) -> LinearProbe:
        job = ProbeJob(rows, self._classes[labels])
        bench, groups = self._bench, self._task.groups.codes[self._positions]
        settings = dict(trial.recipe.settings)
        return fit_with(settings, bench.features, bench.mask, [job], groups)[0]

    def _rows(self, items: IntArray) -> Rows:
        return np.asarray(np.searchsorted(self._positions, items))


def bench_of(task: Task, positions: IntArray, features: Features, mask: Mask) -> Bench:
    """A task's items at these positions, in order; `features` and `mask` are theirs."""

    def unlabelled(name: str) -> Rows:
        return np.asarray(np.searchsorted(positions, task.unlabelled(name, MOST_READ)))

    return Bench(
        features,
        mask,
        task.answers[positions],
        task.target,
        unlabelled,
        task.shared_choices is not None,
    )
