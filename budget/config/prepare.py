"""What a run works on: the task, the model, the terms of sale."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import Resampling
from annotation.errors import InputError
from annotation.sources import load_items
from annotation.terms.cost import LabelTerms, money
from budget.config.run import RunConfig
from budget.market.simple_rules import Mix
from training.models.load import Quantisation
from training.models.source import ModelSource, find_model
from training.task import Pilot, Task, TestSizes
from training.trial import Method, Trial, make_trial
from training.unlabelled.reading import MOST_READ
from training.unlabelled.told import reading_size


@dataclass(frozen=True)
class Setting:
    """A configuration with everything it names loaded and checked."""

    config: RunConfig
    task: Task
    source: ModelSource
    terms: dict[str, LabelTerms]
    capacity: dict[str, int]
    resampling: Resampling  # of the target's test items

    @property
    def budget(self) -> Decimal:
        return self.config.budget.total

    @property
    def strata(self) -> tuple[str, ...]:
        """Strata for sale, in order of hardness."""
        return tuple(name for name in self.task.strata.names if name in self.terms)

    @property
    def pilot_mix(self) -> Mix:
        return dict.fromkeys(self.strata, self.config.pilot.labels)

    @property
    def on_target(self) -> NDArray[np.bool_]:
        """Which test items are of the target stratum, (test items,)."""
        return np.asarray(self.task.test_strata == self.task.target)

    @property
    def chance(self) -> float:
        """Accuracy of guessing on the target's test items."""
        counts = self.task.choice_counts[self.task.test_positions][self.on_target]
        return float((1 / counts).mean())

    @property
    def easiest(self) -> str:
        """The easiest stratum for sale that is not the target: SGR's easy arm."""
        return next(name for name in self.strata if name != self.task.target)

    def require_choices(self) -> None:
        """Raise InputError if items are free-form, which only single trials can take so far."""
        if self.task.free_form:
            raise InputError(
                f"source '{self.config.items.source}': its items have no choices, which the plan "
                "rests on; try free-form items with 'labelmix trial --method chain_of_thought'."
            )

    def trial(
        self,
        method: Method,
        mix: Mix,
        seed: int,
        pilot: Pilot | None = None,
        quantisation: Quantisation | None = None,
        borrowed: int = 0,
    ) -> Trial:
        """A trial as the configuration has it; `quantisation` defaults to what the method needs."""
        config = self.config
        learns = method in ("probe", "qlora") and not config.reasons(method)
        return make_trial(
            self.task,
            self.source,
            method,
            config.method_settings(method),
            mix,
            self.terms,
            seed,
            pilot,
            quantisation or ("nf4" if method == "qlora" else "none"),
            target_kind=config.targets.kind if learns else "hard_labels",
            target_settings=config.target_settings() if learns else None,
            judgments=config.targets.judgments if any(mix.values()) or borrowed else 1,
            prompt=config.prompt_version(method),
            borrowed=borrowed,
        )

    def items_read(self, stratum: str) -> int:
        """Unlabelled items of a stratum that a reading trial looks at."""
        return min(self.capacity[stratum], MOST_READ)

    def reading_trial(self, seed: int) -> Trial | None:
        """A probe of the right answers to half of the target's test items, that reads the rest.

        It looks at unlabelled items of every other stratum for sale. None where there are none, or
        the test set is too small, or its items ask all the same.
        """
        size, target = self._taught(seed), self.task.target
        others = [name for name in self.strata if name != target and self.capacity[name]]
        if not size or not others:
            return None
        right = {target: LabelTerms(money(0), 0.0, "redraw")}
        looked_at = {name: self.items_read(name) for name in others}
        return self._looking_trial({}, right, seed, size, reads=looked_at)

    def rehearsal_trial(self, mix: Mix, bought: Mix, seed: int) -> Trial | None:
        """A probe of `mix` with guessed labels, which those `bought` so far tell.

        Taught and scored by halves of the target's test items; None where they are too few.
        """
        size = self._taught(seed)
        if not size:
            return None
        known = {name: bought.get(name, 0) for name in mix}
        pilot = Pilot(tuple(bought.items()), self.config.pilot.seed)
        return self._looking_trial(known, self.terms, seed, size, pilot, rehearses=mix)

    def _taught(self, seed: int) -> int:
        """How many test items' answers teach a probe that looks at items; 0 where it cannot."""
        size = reading_size(int(self.on_target.sum()))
        if not size or not self.task.scored(size, seed)[self.on_target].any():
            return 0
        return size

    def _looking_trial(
        self,
        mix: Mix,
        terms: Mapping[str, LabelTerms],
        seed: int,
        borrowed: int,
        pilot: Pilot | None = None,
        reads: Mapping[str, int] | None = None,
        rehearses: Mix | None = None,
    ) -> Trial:
        return make_trial(
            self.task,
            self.source,
            "probe",
            self.config.method_settings("probe"),
            mix,
            terms,
            seed,
            pilot,
            prompt=self.config.prompt_version("probe"),
            borrowed=borrowed,
            reads=reads,
            rehearses=rehearses,
        )


def prepare(config: RunConfig, plans: bool = True) -> Setting:
    """Load items, cut strata, draw the test set and check that the run is possible.

    Where nothing is planned (`plans`), no pilot needs to fit into the pools.

    Raises InputError if it is not.
    """
    source = find_model(config.model.path)
    items = load_items(config.items.source, **config.items.options())
    strata = config.strata.cut_items(items, config.items.source)
    sizes = TestSizes(target=config.test.items, others=config.test.other_items)
    task = Task(items, strata, config.strata.target, sizes, config.test.seed)
    terms = config.terms()
    capacity = {name: int(task.pools[name].size) for name in terms}
    for name, available in capacity.items():
        if plans and available < config.pilot.labels:
            raise InputError(
                f"stratum '{name}' ({strata.rule(name)}) has {available} items left to label "
                f"after the test set, too few for a pilot of {config.pilot.labels}; lower "
                "[pilot] labels or [test] items, or move the cut."
            )
    on_target = task.test_strata == task.target
    if len(set(task.test_groups[on_target])) < 2:
        raise InputError(
            f"all test items of stratum '{task.target}' are of one group "
            f"('{task.test_groups[on_target][0]}'), so no interval can be told; leave the column "
            "'group' out, or map it to what really clusters the items."
        )
    return Setting(config, task, source, terms, capacity, Resampling(task.test_groups[on_target]))
