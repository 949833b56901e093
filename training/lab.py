"""The lab: a task, who labels its items, a model, and how labels become answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Positions
from annotation.errors import InputError
from annotation.labelling.labels import Labeller, Labels, joined
from annotation.terms.clean_share import clean_share
from annotation.terms.cost import LabelTerms, money
from training.commonest import CommonestClass, commonest_class
from training.models.source import ModelSource
from training.running.labels_of_trial import subsample
from training.task import Pilot, Task
from training.trial import LabelSource, Method, Recipe, Trial, make_trial
from training.unlabelled.reading import MOST_READ
from training.unlabelled.told import LEAST_READ, reading_size


class LabelsItems(Protocol):
    """Gives labels of any items that it has judgments of."""

    def of_items(self, positions: Positions, seed: int) -> Labels:
        """Their labels, in order."""


@dataclass(frozen=True)
class CollectedLabels:
    """Labels that people gave, in three orders.

    Attributes
    ----------
    fresh : of items for sale, for a purchase that is trained and tested
    pilot : of the same items in another order: no later purchase is the one planned on
    lent : of test items, by which planning trials learn; None where nobody judged all of them
    alike : stratum -> share of its items that every draw labels alike, for want of judgments
    """

    fresh: Labeller
    pilot: Labeller
    lent: LabelsItems | None
    alike: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Lab:
    """What trials are made of; it knows no configuration and no money but the price of a label.

    Attributes
    ----------
    task, source : items with their test set, and the model
    recipes : method -> how labels become answers
    terms : stratum for sale -> price and error rate of a label, easy before hard
    collected : labels that people gave, fresh and for pilots; None where annotators are simulated
    """

    task: Task
    source: ModelSource
    recipes: Mapping[Method, Recipe]
    terms: Mapping[str, LabelTerms]
    collected: CollectedLabels | None = None

    @cached_property
    def strata(self) -> tuple[str, ...]:
        """Strata for sale, in order of hardness."""
        return tuple(name for name in self.task.strata.names if name in self.terms)

    @property
    def target(self) -> str:
        """The stratum whose accuracy counts."""
        return self.task.target

    @property
    def easiest(self) -> str:
        """The easiest stratum for sale that is not the target: SGR's easy arm."""
        return next(name for name in self.strata if name != self.target)

    @cached_property
    def capacity(self) -> dict[str, int]:
        """Stratum for sale -> items that can be labelled."""
        if self.collected is not None:
            return {name: self.collected.fresh.available(name) for name in self.terms}
        return {name: int(self.task.pools[name].size) for name in self.terms}

    @cached_property
    def on_target(self) -> NDArray[np.bool_]:
        """Which test items are of the target stratum, (test items,)."""
        return np.asarray(self.task.test_strata == self.target)

    @cached_property
    def chance(self) -> float:
        """Accuracy of guessing on the target's test items."""
        counts = self.task.choice_counts[self.task.test_positions][self.on_target]
        return float((1 / counts).mean())

    def commonest_class(self, stratum: str) -> CommonestClass | None:
        """What always answering the commonest class of a stratum gives; None without classes.

        Which class that is, people's labels say where they were collected, else right answers of
        items for sale.
        """
        if self.collected is None:
            return commonest_class(self.task, stratum)
        fresh = self.collected.fresh
        known = [stratum] if stratum in self.terms and fresh.available(stratum) else self.strata
        counts = {name: fresh.available(name) for name in known}
        return commonest_class(
            self.task, stratum, [fresh.labels(name, own, 0) for name, own in counts.items() if own]
        )

    def clean_shares(self, judgments: int) -> dict[str, float]:
        """Share of clean labels of every stratum for sale, as its terms state them."""
        task = self.task
        return {
            name: clean_share(
                terms.error_rate, terms.error_kind, task.choice_counts[task.pools[name]], judgments
            )
            for name, terms in self.terms.items()
        }

    def require_choices(self, source: str) -> None:
        """Raise InputError if items are free-form, which only single trials can take so far."""
        if self.task.free_form:
            raise InputError(
                f"source '{source}': its items have no choices, which the plan "
                "rests on; try free-form items with 'labelmix trial --method chain_of_thought'."
            )

    @property
    def lends(self) -> bool:
        """Whether the test set has labels to lend: simulated ones, or people's own."""
        return self.collected is None or self.collected.lent is not None

    def zero_shot_of(self, method: Method) -> Recipe:
        """The untrained model as a method uses it."""
        return replace(self.recipes["zero_shot"], quantisation=self.recipes[method].quantisation)

    def trial(
        self,
        recipe: Recipe,
        mix: Mapping[str, int],
        seed: int,
        pilot: Pilot | None = None,
        borrowed: int = 0,
        terms: Mapping[str, LabelTerms] | None = None,
    ) -> Trial:
        """A trial of a purchase; `terms` are the annotators' where they are not the lab's own."""
        if not any(mix.values()) and not borrowed:
            recipe = replace(recipe, judgments=1)
        given = None
        if self.collected is not None and (any(mix.values()) or borrowed):
            given = self._given(mix, seed, pilot, borrowed)
        source = LabelSource(
            mix, {} if given else terms or self.terms, pilot, borrowed, given=given
        )
        return make_trial(self.task, self.source, recipe, seed, source)

    def items_read(self, stratum: str) -> int:
        """Unlabelled items of a stratum that a reading trial looks at."""
        return min(int(self.task.pools[stratum].size), MOST_READ)

    def reading_trial(self, seed: int) -> Trial | None:
        """A probe of the right answers to half of the target's test items, that reads the rest.

        It looks at unlabelled items of every other stratum for sale. None where there are none, or
        the test set is too small, or its items ask all the same.
        """
        size = self._taught(seed)
        others = [name for name in self.strata if name != self.target and self.capacity[name]]
        if not size or not others:
            return None
        right = {self.target: LabelTerms(money(0), 0.0, "redraw")}
        looked_at = {name: self.items_read(name) for name in others}
        return self._looking_trial(LabelSource(terms=right, borrowed=size, reads=looked_at), seed)

    def rehearsal_trial(self, mix: Mapping[str, int], pilot: Pilot, seed: int) -> Trial | None:
        """A probe of `mix` with guessed labels, which those bought in a pilot tell.

        Taught and scored by halves of the target's test items; None where they are too few.
        """
        size = self._taught(seed)
        if not size:
            return None
        bought = dict(pilot.labels)
        known = {name: bought.get(name, 0) for name in mix}
        given = None if self.collected is None else self._given(known, seed, pilot, 0)
        return self._looking_trial(
            LabelSource(known, self.terms, pilot, size, given=given, rehearses=mix), seed
        )

    def _taught(self, seed: int) -> int:
        """How many test items' answers teach a probe that looks at items; 0 where it cannot."""
        size = reading_size(int(self.on_target.sum()))
        if not size or self.task.scored(size, seed)[self.on_target].sum() < LEAST_READ:
            return 0
        return size

    def _looking_trial(self, source: LabelSource, seed: int) -> Trial:
        plain = replace(
            self.recipes["probe"], target_kind="hard_labels", target_settings=(), judgments=1
        )
        return make_trial(self.task, self.source, plain, seed, source)

    def _given(
        self, mix: Mapping[str, int], seed: int, pilot: Pilot | None, borrowed: int
    ) -> Labels:
        """Labels that people gave: of the whole file, or of a pilot's part of it."""
        assert self.collected is not None
        parts = []
        for name in self.task.strata.names:
            count = mix.get(name, 0)
            if not count:
                continue
            if pilot is None:
                parts.append(self.collected.fresh.labels(name, count, seed))
                continue
            bought = self.collected.pilot.labels(name, dict(pilot.labels)[name], pilot.seed)
            parts.append(bought.chosen(subsample(name, count, len(bought), seed)))
        if borrowed:
            assert self.collected.lent is not None
            lent = self.task.lent(borrowed, seed)
            parts.append(self.collected.lent.of_items(lent, seed))
        return joined(parts)
