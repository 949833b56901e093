"""Scores of choices are kept beside features, and one pass through the model gives both."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from training import features
from training.features import FeatureStore
from training.models import number_types
from training.models.load import LoadedModel
from training.models.source import ModelSource
from training.prompts import DEFAULT_PROMPT, find_prompt
from training.scoring.choices import Normalisation, encode_items, score_items
from training.task import Task

SOME = np.array([3, 0, 17, 2, 3])


@pytest.fixture(params=["own choices", "shared choices"])
def task(
    request: pytest.FixtureRequest,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
) -> Task:
    shared = ("no", "plum pear", "yes") if request.param == "shared choices" else None
    return make_task(make_items(40, shared=shared) if shared else make_items(40))


def never() -> LoadedModel:
    raise AssertionError("what was read once is kept")


@pytest.mark.parametrize("version", ["0040-mended", "0306-paper"])
def test_kept_scores_are_those_of_a_pass_of_their_own(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task, version: str
) -> None:
    prompt = find_prompt(version)
    found = FeatureStore(tmp_path, task, llama_source, prompt).scores(SOME, lambda: llama)
    rows = task.items.iloc[SOME]
    questions, choices = rows["question"].tolist(), rows["choices"].tolist()
    encoded = encode_items(llama, questions, choices, rows["item_id"].tolist(), prompt)
    for normalisation in get_args(Normalisation):
        expected = score_items(llama, encoded, normalisation=normalisation).numpy()
        own = found.by(normalisation)[:, : expected.shape[1]]
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-4)
        assert np.isneginf(found.by(normalisation)[:, expected.shape[1] :]).all()


def test_scores_bring_features(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task
) -> None:
    store = FeatureStore(tmp_path / "both", task, llama_source)
    store.scores(SOME, lambda: llama)
    found = store.get(SOME, never)
    alone = FeatureStore(tmp_path / "alone", task, llama_source).get(SOME, lambda: llama)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-4)
    assert FeatureStore(tmp_path / "both", task, llama_source).absent(SOME) == 0


def test_features_of_every_choice_bring_scores(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task
) -> None:
    store = FeatureStore(tmp_path / "both", task, llama_source, per_choice=True)
    store.get(SOME, lambda: llama)
    found = store.scores(SOME, never).by("sum")
    alone = FeatureStore(tmp_path / "alone", task, llama_source)
    np.testing.assert_allclose(found, alone.scores(SOME, lambda: llama).by("sum"), atol=1e-4)
    # Which states a probe reads does not change them.
    assert FeatureStore(tmp_path / "both", task, llama_source).absent_scores(SOME) == 0


def test_scores_leave_features_alone_that_are_there(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task
) -> None:
    store = FeatureStore(tmp_path, task, llama_source)
    before = store.get(SOME, lambda: llama)
    store.scores(np.arange(20), lambda: llama)
    np.testing.assert_array_equal(store.get(SOME, never), before)
    assert store.absent(np.arange(20)) == 0


def test_another_number_type_is_another_pass(
    tmp_path: Path,
    llama: LoadedModel,
    llama_source: ModelSource,
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Features in bfloat16 bring no scores, which are promised in float32; nor the reverse."""
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: True)
    wide = replace(llama_source, width=256)
    store = FeatureStore(tmp_path, task, wide, per_choice=True)
    store.get(SOME, lambda: llama)
    assert store.absent_scores(SOME) == 4
    store.scores(np.arange(20), lambda: llama)
    assert (store.absent(np.arange(20)), store.absent_scores(np.arange(20))) == (16, 0)
    # Asked for one type for all, they share a pass again.
    half = FeatureStore(tmp_path / "half", task, replace(wide, dtype="bfloat16"), per_choice=True)
    half.get(SOME, lambda: llama)
    assert half.absent_scores(SOME) == 0


def test_answers_and_measures_change_nothing_that_is_kept(
    tmp_path: Path,
    llama: LoadedModel,
    llama_source: ModelSource,
    task: Task,
    make_task: Callable[..., Task],
) -> None:
    FeatureStore(tmp_path, task, llama_source).scores(SOME, lambda: llama)
    items = task.items.assign(another=1.0, answer=(task.items["answer"] * 0).astype("Int64"))
    other = FeatureStore(tmp_path, make_task(items), llama_source, DEFAULT_PROMPT)
    assert (other.absent(SOME), other.absent_scores(SOME)) == (0, 0)


def test_damaged_scores_are_read_again(
    tmp_path: Path,
    llama: LoadedModel,
    llama_source: ModelSource,
    task: Task,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FeatureStore(tmp_path, task, llama_source)
    before = store.scores(SOME, lambda: llama).by("sum")
    path = store._score_folder / "rows.float32"
    content = bytearray(path.read_bytes())
    content[1] ^= 255  # of the first item's first score
    path.write_bytes(content)
    again = FeatureStore(tmp_path, task, llama_source)
    np.testing.assert_allclose(again.scores(SOME, lambda: llama).by("sum"), before, atol=1e-4)
    assert "damaged; these items are read again" in caplog.text


def test_progress_tells_every_item_once(
    tmp_path: Path,
    llama: LoadedModel,
    llama_source: ModelSource,
    task: Task,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "_SAVED_EVERY", 8)
    told: list[tuple[int, int]] = []
    store = FeatureStore(tmp_path, task, llama_source)
    store.scores(np.arange(20), lambda: llama, lambda items, tokens: told.append((items, tokens)))
    assert sum(items for items, _ in told) == 20
    assert all(tokens > 4 * items for items, tokens in told)
    store.get(np.arange(30), lambda: llama, lambda items, tokens: told.append((items, tokens)))
    assert sum(items for items, _ in told) == 30
