"""Error rates of published crowds whose truth is known."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.arrays import IntArray
from annotation.intervals import Interval
from annotation.judgments.table import validate_judgments
from annotation.team.error_rates import ErrorRates
from annotation.truth.coding import NO_GOLD, Coded, code_judgments
from annotation.truth.fitted_models import FittedModels

Folder = Callable[[str], Path]
CROWDS = ("rte_crowd", "medical_treat", "face sentiment", "duck", "product", "dog")
DRAWS = 40  # of which twenty items are gold


def _read(data_folder: Folder, name: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Judgments, and the right answer by item."""
    if name == "face sentiment":
        folder = data_folder("crowd_truth").parent.parent / "cases" / "F1_face_sentiment"
        if not folder.exists():
            pytest.skip(f"no face sentiment in {folder}")
        table = pd.read_csv(folder / "j.csv", dtype=str)
        return table, json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    if name in ("duck", "product", "dog"):
        folder = data_folder("crowd_truth")
        truth = pd.read_csv(folder / f"{name}_truth.csv", dtype=str)
        table = pd.read_csv(folder / f"{name}_judgments.csv", dtype=str)
        return table, dict(zip(truth["item_id"], truth["truth"], strict=True))
    folder = data_folder(name)
    table = pd.read_csv(folder / "judgments.csv", dtype=str)
    lines = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
    key = "answer" if name == "rte_crowd" else "adjudicated"
    items = [json.loads(line) for line in lines]
    return table, {item["item_id"]: item[key] for item in items if item[key]}


def _crowd(data_folder: Folder, name: str) -> tuple[Coded, IntArray]:
    """Judgments of items with a known answer, and that answer's code, (items,)."""
    table, truth = _read(data_folder, name)
    table = table.loc[table["item_id"].isin(truth.keys()), ["item_id", "annotator", "label"]]
    coded = code_judgments(validate_judgments(table.reset_index(drop=True), name))
    codes = {text: code for code, text in enumerate(coded.shared)}
    return coded, np.array([codes[truth[str(each)]] for each in coded.item_ids])


def _wrong_labels(coded: Coded, truth: IntArray) -> tuple[float, Interval]:
    """Share of the labels that are wrong, gold items apart, and what is said of it."""
    rates = ErrorRates(coded)
    found = FittedModels(coded).calibrated()
    rest = np.flatnonzero(coded.gold == NO_GOLD)
    wrong = float((found.labels(coded) != truth)[rest].mean())
    return wrong, rates.label_error(0, found.likeliest_unchecked)


@pytest.mark.parametrize("name", CROWDS)
def test_without_gold_the_share_of_wrong_labels_is_held(data_folder: Folder, name: str) -> None:
    wrong, found = _wrong_labels(*_crowd(data_folder, name))
    low, high = found.bounds
    assert low <= wrong <= high
    assert high - low < 0.4


@pytest.mark.parametrize("name", ["medical_treat", "face sentiment"])
def test_with_gold_the_share_of_wrong_labels_is_held(data_folder: Folder, name: str) -> None:
    """Of 20 draws at least 15: fewer have a probability of 1 % if nine of ten hold."""
    coded, truth = _crowd(data_folder, name)
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(20):
        gold = np.full(truth.size, NO_GOLD)
        chosen = rng.choice(truth.size, 20, replace=False)
        gold[chosen] = truth[chosen]
        wrong, found = _wrong_labels(replace(coded, gold=gold), truth)
        low, high = found.bounds
        held += low <= wrong <= high
    assert held >= 15


def test_without_gold_intervals_hold_five_of_six(data_folder: Folder) -> None:
    held = {}
    for name in CROWDS:
        coded, truth = _crowd(data_folder, name)
        low, high = ErrorRates(coded).stratum(0).rate.bounds
        held[name] = low <= (coded.label != truth[coded.item]).mean() <= high
    assert sum(held.values()) >= 5, held


@pytest.mark.parametrize("name", ["medical_treat", "face sentiment", "duck", "dog"])
def test_with_twenty_gold_items_intervals_hold(data_folder: Folder, name: str) -> None:
    """Of 40 draws at least 31: fewer have a probability of 1 % if nine of ten hold."""
    coded, truth = _crowd(data_folder, name)
    wrong = float((coded.label != truth[coded.item]).mean())
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(DRAWS):
        gold = np.full(truth.size, NO_GOLD)
        chosen = rng.choice(truth.size, 20, replace=False)
        gold[chosen] = truth[chosen]
        found = ErrorRates(replace(coded, gold=gold)).stratum(0)
        assert found.shared_mistakes == "measured"
        low, high = found.rate.bounds
        held += low <= wrong <= high
    assert held >= 31


@pytest.mark.parametrize("name", ["medical_treat", "face sentiment", "dog", "rte_crowd"])
def test_labels_are_less_sure_and_predict_the_truth_better(data_folder: Folder, name: str) -> None:
    coded, truth = _crowd(data_folder, name)
    models = FittedModels(coded)
    places = np.arange(truth.size)
    loss = {
        each: -float(np.log(np.maximum(found.posteriors[places, truth], 1e-6)).mean())
        for each, found in (("model", models.aggregate()), ("calibrated", models.calibrated()))
    }
    assert loss["calibrated"] < 0.6 * loss["model"]
    assert (models.calibrated().labels(coded) == models.aggregate().labels(coded)).mean() > 0.97
