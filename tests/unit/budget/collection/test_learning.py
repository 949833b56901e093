"""What training on the labels so far tells, with a real model of a few thousand parameters."""

from pathlib import Path

import numpy as np
import pytest

from budget.collection.contents import read_contents
from budget.collection.learning import LentAnswers
from budget.config.collection_config import parse_collection
from tests.unit.budget.collection.by_hand import (
    answer,
    new_collection,
    one_round,
    opened,
    right,
    settings,
    to_the_annotators,
    write_tables,
)
from training.engines import SilentWatcher

WATCHER = SilentWatcher()


def test_lent_labels_err_as_bought_ones(tmp_path: Path) -> None:
    write_tables(tmp_path, tested=400)
    task = read_contents(parse_collection(settings(tmp_path), "settings")).task
    for rate in (0.0, 0.3):
        lent = LentAnswers(task, rate).of_items(task.test_positions, 1)
        wrong = np.mean(lent.judgments[:, 0] != task.answers[task.test_positions])
        assert wrong == pytest.approx(rate, abs=0.08)


def test_the_same_labels_are_trained_on_once(tmp_path: Path) -> None:
    folder = new_collection(tmp_path, model={"path": "pico"})
    one_round(folder)
    with opened(folder) as collection:
        first = collection.proposer.proposal(WATCHER)
        second = collection.proposer.proposal(WATCHER)
    assert first.choice.evidence["trials"] > 0
    told = first.choice.evidence["accuracy_of_all_labels"]
    assert told is None or 0 <= told <= 1
    assert first.choice.evidence["surface"] == second.choice.evidence["surface"]
    assert first.lines == second.lines


def test_a_single_label_is_enough_to_go_on(tmp_path: Path) -> None:
    folder = new_collection(tmp_path, model={"path": "pico"})
    with opened(folder) as collection:
        to_the_annotators(collection)
        lines = collection.store.lines()
        only = lines["item_id"][lines["gold"].isna() & (lines["supplier"] == "crowd")].iloc[0]
        answer(folder, "crowd", 1, lambda item, _: right(item) if item == only else None)
        collection.step(WATCHER, enough=True)
        assert collection.step(WATCHER).step == "plan"
