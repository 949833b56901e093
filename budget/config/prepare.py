"""From a configuration to what a run works with: a lab, and what is for sale."""

from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from analysis.item_groups import kept_from_sale
from analysis.run.result import CollectedSummary
from annotation.errors import InputError
from budget.config.items import configured_items
from budget.config.judged_items import collected_labels, judged_items, measured_terms
from budget.config.run import RunConfig
from budget.config.task import configured_task
from budget.config.training_config import TrainingConfig
from training.lab import Lab
from training.models.source import find_model
from training.trial import Method, Recipe


@dataclass(frozen=True)
class Setting:
    """A configuration worked out: `lab` trains, `config` says what is told and paid."""

    config: RunConfig
    lab: Lab
    collected: CollectedSummary | None = None  # None: annotators are simulated

    @property
    def budget(self) -> Decimal:
        return self.config.budget.total


def prepare(config: RunConfig, plans: bool = True) -> Setting:
    """Load items, cut strata, draw the test set and check that the run is possible.

    Where nothing is planned (`plans`), no pilot needs to fit into the pools.

    Raises InputError if it is not.
    """
    source = find_model(config.model.path, config.model.dtype)
    if config.collected is None:
        task = configured_task(config, configured_items(config))
        lab, summary = Lab(task, source, recipes_of(config), config.terms()), None
    else:
        judged = judged_items(configured_items(config), config.collected, config.strata.measure)
        task = configured_task(config, judged.items)
        terms, summary = measured_terms(judged, task, config)
        labels = collected_labels(judged, task, terms, config.targets.judgments)
        lab = Lab(task, source, recipes_of(config), terms, labels)
        summary = summary.model_copy(update={"lent": lab.lends})
    if lab.collected is not None and not lab.lends and config.pilot.borrow:
        raise InputError(
            "pilot.borrow: some test items have fewer judgments than a label takes "
            f"({config.targets.judgments}); leave it out, lower targets.judgments, or collect more."
        )
    for name, available in lab.capacity.items():
        if plans and available < config.pilot.labels and lab.collected is not None:
            raise InputError(
                f"stratum '{name}' ({task.strata.rule(name)}) has {available} items beside the "
                f"test set with {config.targets.judgments} judgments or more, too few for a pilot "
                f"of {config.pilot.labels}; lower [pilot] labels or targets.judgments, or collect "
                f"more.{kept_from_sale(task.split, name, available, config.pilot.labels)}"
            )
        if plans and available < config.pilot.labels:
            raise InputError(
                f"stratum '{name}' ({task.strata.rule(name)}) has {available} items left to label "
                f"after the test set, too few for a pilot of {config.pilot.labels}; lower "
                "[pilot] labels or [test] items, or move the cut."
                + kept_from_sale(task.split, name, available, config.pilot.labels)
            )
    groups = task.test_groups[lab.on_target]
    if len(set(groups)) < 2:
        raise InputError(
            f"all test items of stratum '{task.target}' are of one group "
            f"('{groups[0]}'), so no interval can be told; leave the column "
            "'group' out, or map it to what really clusters the items."
        )
    return Setting(config, lab, summary)


def recipes_of(config: TrainingConfig) -> dict[Method, Recipe]:
    """How every method turns labels into answers, as configured."""
    return {method: _recipe(config, method) for method in get_args(Method)}


def _recipe(config: TrainingConfig, method: Method) -> Recipe:
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
