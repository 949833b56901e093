"""From the names of a data set and of models to what experiments work on."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.reproduce.study import StudiedModel, Study, with_text_measures
from annotation.errors import InputError
from annotation.sources import load_items
from budget.config.prepare import recipes_of
from budget.config.sections import ModelSection, PromptSection, QloraSection
from budget.config.training_config import TrainingConfig
from budget.reproduction.presets import (
    DATA,
    MODELS,
    WORKSHOP,
    DataPreset,
    ModelPreset,
    design_of,
    find_data,
)
from training.models.source import ModelSource, count_parameters, find_model

if TYPE_CHECKING:
    import pandas as pd

    from training.engines.base import Watcher

_ELSEWHERE = "not read"  # the revision of a model that is planned with and not at hand


def make_study(
    data: str,
    models: Sequence[str],
    folders: Mapping[str, Path],
    features: Path,
    watcher: "Watcher",
    planning: bool = False,
) -> Study:
    """Items and models by name.

    Parameters
    ----------
    data : a name of `budget.reproduction.presets.DATA`
    models : names of models, the one that all experiments are about first
    folders : source -> local folder of its data
    features : folder of what models make of items
    watcher : told of long work
    planning : models need not be at hand, and nothing is read by them

    Raises InputError if the items or a model cannot be loaded.
    """
    preset = find_data(data)
    _check_folders(preset, folders)
    items = with_text_measures(_items(preset, folders))
    studied = [_model(name, preset, planning) for name in models]
    first = MODELS.get(models[0], ModelPreset())
    return Study(
        data=f"{preset.source}: {preset.about}",
        source=preset.source,
        items=items,
        measures=preset.measures,
        models=tuple(studied),
        design=design_of(preset, first, studied[0].source.kind == "encoder"),
        folder=features,
        watcher=watcher,
        cuts=preset.cuts,
        methods_of=preset.methods_of,
        college=_college(preset, folders),
        planning=planning,
    )


def _items(preset: DataPreset, folders: Mapping[str, Path]) -> "pd.DataFrame":
    options: dict[str, Any] = dict(preset.options)
    if preset.source in folders:
        options["data_dir"] = str(folders[preset.source])
    return load_items(preset.source, **options)


def _college(preset: DataPreset, folders: Mapping[str, Path]) -> "pd.DataFrame | None":
    """College questions to test third-graders' labels on, where both data sets are at hand."""
    if preset.source != "arc" or "mmlu_stem" not in folders:
        return None
    return load_items("mmlu_stem", data_dir=str(folders["mmlu_stem"]))


def _check_folders(preset: DataPreset, folders: Mapping[str, Path]) -> None:
    for source in folders:
        own = find_data(source, "--source-folder")
        if not own.needs_folder:
            raise InputError(
                f"--source-folder {source}: its items are generated; it has no data of its own."
            )
    for source, folder in folders.items():
        if not folder.is_dir():
            raise InputError(f"--source-folder {source}={folder}: no such folder.")


def studied_model(name: str, data: DataPreset) -> StudiedModel:
    """A model by name, as it is asked and trained on a data set.

    Raises InputError if it cannot be loaded.
    """
    return _model(name, data, planning=False)


def _model(name: str, data: DataPreset, planning: bool) -> StudiedModel:
    try:
        source = find_model(name)
    except InputError:
        if not planning or "/" not in name or Path(name).exists() or name.startswith((".", "/")):
            raise
        return studied_elsewhere(name, data)
    return StudiedModel(source, recipes_of(training_of(name, data)), count_parameters(source))


def studied_elsewhere(name: str, data: DataPreset = DATA[WORKSHOP]) -> StudiedModel:
    """A decoder that is planned with and not at hand."""
    source = ModelSource(name, name, _ELSEWHERE, "decoder", "bfloat16")
    return StudiedModel(source, recipes_of(training_of(name, data)))


def training_of(model: str, data: DataPreset) -> TrainingConfig:
    """How a model is asked and trained on a data set."""
    preset = MODELS.get(model, ModelPreset())
    prompt: dict[str, Any] = {
        "choices": preset.prompt or data.prompt,
        "normalisation": preset.normalisation,
    }
    return TrainingConfig(
        model=ModelSection(path=model),
        prompt=PromptSection(**prompt),
        qlora=QloraSection(**preset.qlora),
    )


def parameters_elsewhere(model: StudiedModel, given: float | None) -> float | None:
    """Parameters of a model that is planned with and not at hand; None where it is.

    As `given`, or read off its name ("Llama-2-7b-hf").

    Raises InputError if nothing tells them.
    """
    if model.source.revision != _ELSEWHERE:
        return None
    told = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", model.source.name.lower())
    if given is not None:
        return given
    if told is None:
        raise InputError(
            f"model '{model.source.name}' is not at hand, and its name does not say how large it "
            "is; give --parameters, e.g. --parameters 7e9."
        )
    return float(told[1]) * (1e9 if told[2] == "b" else 1e6)
