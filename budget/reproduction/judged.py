"""From a configuration with judgments that were collected to what experiments work on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.reproduce.judged import HALF_OF_ENTROPY, JudgedLab
from analysis.reproduce.study import StudiedModel, Study, StudyDesign
from annotation.errors import InputError
from annotation.labelling.judgment_table import judgments_of_items
from budget.config.items import configured_items
from budget.config.judged_items import judged_items
from budget.config.prepare import recipes_of
from budget.config.read import read_config
from budget.config.run import RunConfig
from budget.config.task import configured_task
from budget.reproduction.presets import DataPreset
from budget.reproduction.study import studied_model
from training.lab import Lab
from training.models.source import count_parameters, find_model
from training.targets.make import UncertaintyMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.engines.base import Watcher


def judged_study(
    path: Path, stronger: "Sequence[str]", features: Path, watcher: "Watcher"
) -> Study:
    """A study of the items of a configuration, whose model is trained.

    `stronger` are names of models that are asked how sure they are of an item.

    Raises InputError if the configuration has no collected judgments, or cannot be used.
    """
    config = read_config(path)
    if config.collected is None:
        raise InputError(
            f'{path}: [annotators] has no judgments; set source = "judgments" and name the files '
            "of judgments."
        )
    judged = judged_items(configured_items(config), config.collected, config.strata.measure)
    task = configured_task(config, judged.items)
    source = find_model(config.model.path, config.model.dtype)
    lab = Lab(task, source, recipes_of(config), config.terms())
    judgments = judgments_of_items(judged.reading.judgments, task.items)
    data = DataPreset(
        source=config.items.source,
        about=config.name,
        measures=(config.strata.measure,),
        methods_of={},
        prompt=config.prompt.choices,
    )
    first = StudiedModel(source, lab.recipes, count_parameters(source))
    return Study(
        data=config.name,
        source=config.items.source,
        items=task.items,
        measures=data.measures,
        models=(first, *(studied_model(name, data) for name in stronger)),
        design=StudyDesign(),
        folder=features,
        watcher=watcher,
        methods_of={config.strata.measure: tuple(config.methods.names)},
        judged=JudgedLab(lab, judgments, _uncertainty_map(config)),
    )


def _uncertainty_map(config: RunConfig) -> UncertaintyMap:
    """That of [uncertainty] where targets are of that kind."""
    if config.targets.kind != "uncertainty":
        return HALF_OF_ENTROPY
    own = config.uncertainty
    return replace(HALF_OF_ENTROPY, intercept=own.intercept, slope=own.slope, largest=own.largest)
