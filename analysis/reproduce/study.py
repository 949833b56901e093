"""What experiments work on: items, models, how they are trained, and how much of everything.

A study knows no configuration and no command line. It makes a `Lab` of every hardness measure, over
the same items, so that what a model makes of an item is read once for all experiments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters
from analysis.hardness.describe import default_cut
from analysis.hardness.items import MeasuredPool
from analysis.hardness.work import HardnessWork, ModelAsked
from annotation.errors import InputError
from annotation.hardness.measure import OF_TEXTS, text_measures
from annotation.hardness.registry import MEASURES
from annotation.items.table import measures
from annotation.strata.bands import Strata
from annotation.strata.cut import read_cut
from annotation.terms.cost import LabelTerms, money
from training.lab import Lab
from training.models.source import ModelSource
from training.task import Task, TestSizes
from training.trial import Method, Recipe, Trial

if TYPE_CHECKING:
    from analysis.reproduce.judged import JudgedLab
    from training.engines.base import Watcher

FEWEST_TESTED = 60  # items of a stratum, below which an accuracy is not worth its interval
_TO_SPARE = 1.05  # items of groups that are tested are not for sale
_FREE_OF_ERRORS = LabelTerms(money(1), 0.0, "redraw")


class NotApplicableError(Exception):
    """A data set or model cannot give what an experiment needs; the message says what."""


@dataclass(frozen=True)
class StudyDesign:
    """How much is bought, trained and tested.

    Attributes
    ----------
    labels, seeds : of every purchase that is compared; how often it is made
    test_items, other_test_items : at most so many, of the hardest stratum and of every other
    examples, example_seeds : of a prompt with worked examples
    adapter_labels, adapter_seeds : of an adapter (QLoRA); 0 seeds: none is trained
    sizes, curve_seeds : of learning curves
    error_rates : of easy labels, where noise is studied; hard ones err at `hard_factor` times each
    cost_ratios : what a hard label costs, in easy ones
    margin : within which two accuracies count as the same
    """

    labels: int = 160
    seeds: int = 5
    test_items: int = 400
    other_test_items: int = 200
    examples: int = 10
    example_seeds: int = 3
    adapter_labels: int = 160
    adapter_seeds: int = 3
    sizes: tuple[int, ...] = (10, 20, 40, 80, 160, 320)
    curve_seeds: int = 10
    error_rates: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.3)
    hard_factor: float = 2.0
    cost_ratios: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 5.0)
    margin: float = 0.01

    def bought(self, method: Method) -> int:
        """Labels of a purchase that a method is given."""
        return {"in_context": self.examples, "qlora": self.adapter_labels}.get(method, self.labels)

    def repeated(self, method: Method) -> int:
        """How often a method buys and trains."""
        own = {"in_context": self.example_seeds, "qlora": self.adapter_seeds, "zero_shot": 1}
        return own.get(method, self.seeds)


@dataclass(frozen=True)
class StudiedModel:
    """A model, how labels become its answers, and its parameters (0: not known)."""

    source: ModelSource
    recipes: Mapping[Method, Recipe]
    parameters: int = 0


@dataclass(frozen=True)
class Study:
    """Items and models under study.

    Attributes
    ----------
    data, source : what the items are called, and the name of their source
    items : the item table; measures of texts are added
    measures : hardness measures to study, the one that all methods are tried on first
    models : the one that all experiments are about first
    design : how much of everything
    folder : where features are kept
    cuts : measure -> its cut, where it is not the usual one
    methods_of : measure -> methods tried on it; the first measure's where it is not named
    college : items of another data set that are tested on, for the widest gap of all
    watcher : told of the work on measures that need a model
    planning : nothing is read by a model; what a model would measure is stood in for
    judged : items that people judged, for experiments on how far they agree
    """

    data: str
    source: str
    items: pd.DataFrame
    measures: tuple[str, ...]
    models: tuple[StudiedModel, ...]
    design: StudyDesign
    folder: Path
    watcher: "Watcher"
    cuts: Mapping[str, str] = field(default_factory=dict)
    methods_of: Mapping[str, tuple[Method, ...]] = field(default_factory=dict)
    college: pd.DataFrame | None = None
    planning: bool = False
    judged: "JudgedLab | None" = None
    _labs: dict[tuple[object, ...], Lab] = field(default_factory=dict, repr=False)
    _measured: dict[tuple[str, int], pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def main(self) -> str:
        """The measure of experiments that have one."""
        return self.measures[0]

    def methods(self, measure: str) -> tuple[Method, ...]:
        """Methods that are tried on a measure and that the model can do."""
        first = self.methods_of.get(self.main, ("probe",))
        wanted = self.methods_of.get(measure, first if measure == self.main else ("probe",))
        decodes = self.models[0].source.kind == "decoder"
        able = tuple(m for m in wanted if m != "in_context" or decodes)
        return tuple(m for m in able if m != "qlora" or self.design.adapter_seeds)

    @property
    def measured(self) -> tuple[tuple[str, int], ...]:
        """Measures that a model was asked for so far, each with the model's place."""
        return tuple(self._measured)

    def with_measure(self, name: str, model: int = 0) -> pd.DataFrame:
        """The items with a measure, computed by one of the models where they lack it.

        Raises NotApplicableError if it cannot be.
        """
        if name in measures(self.items):
            return self.items
        key = (name, model)
        if key not in self._measured:
            self._measured[key] = self._with_model_measure(name, self.models[model])
        return self._measured[key]

    def lab(self, measure: str, model: int = 0) -> Lab:
        """The lab of a measure, cut as usual; its labels are right and cost 1.

        Raises NotApplicableError where the measure cannot be cut, or a stratum is too small.
        """
        key = (measure, model)
        if key not in self._labs:
            items = self.with_measure(measure)
            cut = self.cuts.get(measure) or default_cut(measure, items, self.source)
            try:
                strata = read_cut(cut, measure, items, self.source)
            except InputError as error:
                raise NotApplicableError(str(error)) from None
            self._labs[key] = self.lab_of(items, strata, model)
        return self._labs[key]

    def lab_of(
        self,
        items: pd.DataFrame,
        strata: Strata,
        model: int = 0,
        labels: int | None = None,
        target_alone: bool = False,
    ) -> Lab:
        """A lab of any items and strata; the hardest is the target.

        `labels` are left for sale in every stratum that has items; by default as many as the
        design buys. `target_alone`: no other stratum is tested.

        Raises NotApplicableError where a stratum is too small.
        """
        own, target = self.models[model], strata.names[-1]
        labels = self.design.labels if labels is None else labels
        sizes = self._test_sizes(items, strata, labels, target_alone)
        try:
            task = Task(items, strata, target, sizes)
        except InputError as error:
            raise NotApplicableError(str(error)) from None
        terms = {name: _FREE_OF_ERRORS for name in strata.names if task.pools[name].size}
        return Lab(task, own.source, own.recipes, terms)

    def _test_sizes(
        self, items: pd.DataFrame, strata: Strata, labels: int, target_alone: bool
    ) -> TestSizes:
        assigned = strata.assign(items)
        counts = {name: int((assigned == name).sum()) for name in strata.names}
        kept = round(_TO_SPARE * labels)
        free = {name: number - kept for name, number in counts.items() if number}
        target = strata.names[-1]
        for name, number in free.items():
            if number < (0 if target_alone and name != target else FEWEST_TESTED):
                raise NotApplicableError(
                    f"stratum '{name}' ({strata.rule(name)}) has {counts[name]:,} items, too few "
                    f"to sell {labels} and test on {FEWEST_TESTED}."
                )
        if target not in free or len(free) < 2:
            raise NotApplicableError(
                f"the cut of '{strata.measure}' leaves one stratum alone with items."
            )
        others = min(number for name, number in free.items() if name != target)
        others = 0 if target_alone else min(others, self.design.other_test_items)
        return TestSizes(min(self.design.test_items, free[target]), others)

    def _with_model_measure(self, name: str, model: StudiedModel) -> pd.DataFrame:
        if self.planning:
            # Whatever a model would say: as many items in every stratum as the measure would have.
            return self.items.assign(**{name: np.random.default_rng(0).random(len(self.items))})
        recipe, source = model.recipes["probe"], model.source
        pool = MeasuredPool(self.items, self.data, self.source)
        asked = ModelAsked(source.name, source.dtype, recipe.prompt)
        work = HardnessWork(pool, None, asked, self.folder, 0, self.watcher)
        try:
            work.add_measures([name])
        except InputError as error:
            raise NotApplicableError(str(error)) from None
        return work.items


def with_text_measures(items: pd.DataFrame) -> pd.DataFrame:
    """The items with the measures of their texts that they lack."""
    there = measures(items)
    found = {name: own for name, own in text_measures(items).items() if name not in there}
    return items.assign(**found)


def is_of_people(measure: str) -> bool:
    """Whether people, or a written solution, say how hard an item is: no count and no model."""
    return measure not in OF_TEXTS and (
        measure not in MEASURES or MEASURES[measure].family == "human"
    )


def purchases(lab: Lab, method: Method, mix: Mapping[str, int], seeds: int) -> tuple[Trial, ...]:
    """Trials of one purchase, one a seed."""
    return tuple(lab.trial(lab.recipes[method], mix, seed) for seed in range(seeds))


def untrained(lab: Lab, method: Method) -> tuple[Trial, ...]:
    """The untrained model as a method uses it: one trial."""
    return (lab.trial(lab.zero_shot_of(method), {}, 0),)


def of_all_levels(lab: Lab, labels: int) -> dict[str, int]:
    """A mix of so many labels, of every stratum as many as its share of the items for sale."""
    sizes = np.array([lab.task.pools[name].size for name in lab.strata], dtype=np.float64)
    exact = labels * sizes / sizes.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: labels - int(counts.sum())]] += 1
    return dict(zip(lab.strata, counts.tolist(), strict=True))


def levels(lab: Lab) -> tuple[str, ...]:
    """Strata with test items, easiest first."""
    there = set(lab.task.test_strata.tolist())
    return tuple(name for name in lab.task.strata.names if name in there)


def on_level(lab: Lab, level: str) -> tuple[NDArray[np.bool_], ItemClusters]:
    """Which test items are of a stratum, and their clusters."""
    mask = np.asarray(lab.task.test_strata == level)
    return mask, ItemClusters(lab.task.test_groups[mask])


def method_words(method: Method) -> str:
    """A method as readers know it."""
    words: dict[str, str] = {"in_context": "worked examples", "qlora": "adapter (QLoRA)"}
    return words.get(method, method.replace("_", "-"))
