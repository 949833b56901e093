"""What was trained and scored: measures of parts of the test items, and gains between arms."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from analysis.reproduce.judged import JudgedLab
from analysis.reproduce.study import method_words
from analysis.reproduce.uncertainty.arms import HARD, Arm
from analysis.reproduce.uncertainty.measures import ProbabilityMeasure, measured
from analysis.reproduce.uncertainty.train import TrainedArms
from annotation.arrays import Array, IntArray, Mask
from annotation.terms.majority import majority_label

FEWEST_LABELS = 20  # items of a part, below which nothing is told of it
Part = tuple[str, Mask]  # test items by name, (test items,)


@dataclass(frozen=True)
class Scored:
    """What one method and size was measured at.

    `answers` and `groups` are of the test items; `learns` says whether hard labels are shown to be
    better than always answering the commonest class, and `bar` what that gives.
    """

    trained: TrainedArms
    answers: IntArray
    groups: NDArray[np.object_]
    bar: Array  # (test items,), what needs no training is right on
    _tables: dict[tuple[ProbabilityMeasure, Arm, bytes], Array] = field(
        default_factory=dict, repr=False
    )

    @property
    def words(self) -> str:
        return f"{method_words(self.trained.method)}, {self.trained.labels} labels"

    def clusters(self, part: Mask) -> ItemClusters:
        return ItemClusters(self.groups[part])

    def table(self, measure: ProbabilityMeasure, arm: Arm, part: Mask) -> Array:
        """(seeds, items of the part); a calibration error is that of the part alone."""
        key = (measure, arm, part.tobytes())
        if key not in self._tables:
            probabilities = self.trained.probabilities[arm][:, part]
            self._tables[key] = measured(measure, probabilities, self.answers[part])
        return self._tables[key]

    @cached_property
    def learns(self) -> bool:
        """Whether training on hard labels is shown to beat what needs none."""
        everything = np.ones(self.answers.size, dtype=bool)
        ahead = self.table("accuracy", HARD, everything) - self.bar
        low = self.clusters(everything).mean(ahead).low
        return low is not None and low > 0


def gained(each: Scored, measure: ProbabilityMeasure, arm: Arm, base: Arm, part: Mask) -> Array:
    """Accuracy gained, or loss and error saved, (seeds, items of the part)."""
    difference = each.table(measure, arm, part) - each.table(measure, base, part)
    return difference if measure == "accuracy" else -difference


def value_of(each: Scored, measure: ProbabilityMeasure, arm: Arm, part: Mask) -> Estimate:
    """The measure on a part, with its interval; a loss or an error is not below zero."""
    own, clusters = each.table(measure, arm, part), each.clusters(part)
    if measure == "accuracy":
        return clusters.accuracy(own.astype(bool))
    found = clusters.mean(own)
    return found.model_copy(update={"low": max(0.0, found.low)}) if found.low else found


def without_training(own: JudgedLab) -> Array:
    """Whether each test item is right without training, (test items,): the commonest class.

    Which class that is, the judgments of items that can be trained on say; where items have choices
    of their own it is what guessing gives.
    """
    task = own.lab.task
    tested = task.test_positions
    if task.shared_choices is None:
        return np.asarray(1 / task.choice_counts[tested])
    labels = majority_label(own.judgments[own.pool])
    return np.asarray(task.answers[tested] == np.bincount(labels).argmax(), dtype=np.float64)


def parts_of(own: JudgedLab) -> list[Part]:
    """All test items, and the halves of high and of low entropy of their judgments.

    Items that were judged less than twice are in neither half; there are no halves where people
    disagree about all items alike.
    """
    tested = own.lab.task.test_positions
    parts: list[Part] = [("all items", np.ones(tested.size, dtype=bool))]
    known = own.judged_often[tested]
    if known.sum() < 2 * FEWEST_LABELS:
        return parts
    entropy = np.full(tested.size, np.nan)
    entropy[known] = own.disagreement(tested[known])
    middle = float(np.median(entropy[known]))
    high = known & (entropy > middle)
    if high.sum() < FEWEST_LABELS:  # most people disagree as far as they can
        high = known & (entropy >= middle)
    low = known & ~high
    if min(high.sum(), low.sum()) < FEWEST_LABELS:
        return parts
    return [*parts, ("high entropy", high), ("low entropy", low)]
