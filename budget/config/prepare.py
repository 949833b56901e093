"""From a configuration to what a run works with: a lab, and what is for sale."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import get_args

from annotation.errors import InputError
from annotation.sources import load_items
from annotation.strata.bands import Strata
from budget.config.run import RunConfig
from budget.market.simple_rules import Mix
from training.lab import Lab
from training.models.source import find_model
from training.task import Task, TestSizes
from training.trial import Method, Recipe


@dataclass(frozen=True)
class Setting:
    """A configuration worked out: `lab` trains, `config` says what is told and paid."""

    config: RunConfig
    lab: Lab

    @property
    def budget(self) -> Decimal:
        return self.config.budget.total

    @cached_property
    def pilot_mix(self) -> Mix:
        """What the first round buys."""
        return dict.fromkeys(self.lab.strata, self.config.pilot.labels)


def prepare(config: RunConfig, plans: bool = True) -> Setting:
    """Load items, cut strata, draw the test set and check that the run is possible.

    Where nothing is planned (`plans`), no pilot needs to fit into the pools.

    Raises InputError if it is not.
    """
    source = find_model(config.model.path)
    items = load_items(config.items.source, **config.items.options())
    strata = Strata(config.strata.measure, config.strata.easy_at_most, config.strata.hard_at_least)
    sizes = TestSizes(target=config.test.items, others=config.test.other_items)
    task = Task(items, strata, config.strata.target, sizes, config.test.seed)
    lab = Lab(task, source, recipes_of(config), config.terms())
    for name, available in lab.capacity.items():
        if plans and available < config.pilot.labels:
            raise InputError(
                f"stratum '{name}' ({strata.rule(name)}) has {available} items left to label "
                f"after the test set, too few for a pilot of {config.pilot.labels}; lower "
                "[pilot] labels or [test] items, or move the cut."
            )
    groups = task.test_groups[lab.on_target]
    if len(set(groups)) < 2:
        raise InputError(
            f"all test items of stratum '{task.target}' are of one group "
            f"('{groups[0]}'), so no interval can be told; leave the column "
            "'group' out, or map it to what really clusters the items."
        )
    return Setting(config, lab)


def recipes_of(config: RunConfig) -> dict[Method, Recipe]:
    """How every method turns labels into answers, as configured."""
    return {method: _recipe(config, method) for method in get_args(Method)}


def _recipe(config: RunConfig, method: Method) -> Recipe:
    learns = method in ("probe", "qlora") and not config.reasons(method)
    return Recipe(
        method,
        tuple(sorted(config.method_settings(method).items())),
        config.prompt_version(method),
        quantisation="nf4" if method == "qlora" else "none",
        target_kind=config.targets.kind if learns else "hard_labels",
        target_settings=tuple(sorted(config.target_settings().items())) if learns else (),
        judgments=config.targets.judgments,
    )
