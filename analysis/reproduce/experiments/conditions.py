"""What several experiments compare: one measure, one method, as many labels of every level."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from analysis.accuracy import ItemClusters
from analysis.reproduce.experiment import WantedTrials
from analysis.reproduce.study import (
    NotApplicableError,
    Study,
    method_words,
    of_all_levels,
    on_level,
    purchases,
    untrained,
)
from training.lab import Lab
from training.trial import Method, Trial

UNTRAINED, ALL = "zero-shot", "all"


@dataclass(frozen=True)
class LevelComparison:
    """A measure and a method, with the trials of every arm: zero-shot, every level, all levels.

    The trials of an arm are its seeds, matched between arms.
    """

    measure: str
    method: Method
    model: str
    lab: Lab
    labels: int
    arms: Mapping[str, tuple[Trial, ...]]

    @property
    def words(self) -> str:
        """The condition for people."""
        return f"{self.measure}, {self.method_words}"

    @property
    def method_words(self) -> str:
        return method_words(self.method)

    @cached_property
    def clusters(self) -> ItemClusters:
        """Of the hardest test items."""
        return on_level(self.lab, self.lab.target)[1]

    def wanted(self) -> WantedTrials:
        """All of its trials."""
        trials = tuple(trial for arm in self.arms.values() for trial in arm)
        return WantedTrials(self.lab, trials, self.words)


def conditions(study: Study) -> list[LevelComparison]:
    """Every measure that can be cut, with every method that is tried on it.

    Raises NotApplicableError if there is none.
    """
    found, why = [], ""
    for measure in study.measures:
        try:
            lab = study.lab(measure)
        except NotApplicableError as error:
            why = str(error)
            continue
        found += [condition(study, lab, measure, method) for method in study.methods(measure)]
    if not found:
        raise NotApplicableError(why or "no measure of hardness is at hand.")
    return found


def condition(
    study: Study, lab: Lab, measure: str, method: Method, arms: tuple[str, ...] | None = None
) -> LevelComparison:
    """One of them; `arms` are the strata that are trained on alone, all by default."""
    design = study.design
    labels, seeds = design.bought(method), design.repeated(method)
    trained = {
        name: purchases(lab, method, {name: labels}, seeds)
        for name in lab.strata
        if arms is None or name in arms
    }
    if arms is None:
        trained[ALL] = purchases(lab, method, of_all_levels(lab, labels), seeds)
    return LevelComparison(
        measure.replace("_", " "),
        method,
        lab.source.label,
        lab,
        labels,
        {UNTRAINED: untrained(lab, method), **trained},
    )
