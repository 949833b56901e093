from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.table import texts_fingerprint
from annotation.items.validate import validate_items
from training.features import FeatureStore
from training.hardness.pool import Pool
from training.item_states import mean_pooled, probe_layers
from training.models.load import LoadedModel
from training.models.source import ModelSource
from training.task import Task

Items = Callable[..., pd.DataFrame]


def unanswered(items: pd.DataFrame) -> pd.DataFrame:
    answers = items["answer"].where(np.arange(len(items)) % 2 == 0, pd.NA).astype("Int64")
    return validate_items(items.assign(answer=answers), "here", require_answers=False)


def test_measures_and_answers_make_no_other_pool(make_items: Items) -> None:
    items = make_items(8)
    name = texts_fingerprint(items)
    assert texts_fingerprint(items.assign(grade=1.0)) == name
    assert texts_fingerprint(unanswered(items)) == name
    assert texts_fingerprint(items.iloc[::-1]) != name
    assert texts_fingerprint(items.assign(question="?")) != name
    other = items.assign(choices=[choices[::-1] for choices in items["choices"]])
    assert texts_fingerprint(other) != name


def test_answers_and_mask(make_items: Items) -> None:
    pool = Pool(unanswered(make_items(6)))
    assert (pool.answers[1::2] == -1).all() and (pool.answers[::2] >= 0).all()
    assert pool.mask.sum(1).tolist() == pool.choice_counts.tolist() == [4, 3, 2, 4, 4, 3]


def test_features_are_those_of_a_task(
    make_items: Items,
    make_task: Callable[..., Task],
    llama: LoadedModel,
    llama_source: ModelSource,
    tmp_path: Path,
) -> None:
    items = make_items(60)
    told: list[tuple[int, ...]] = []
    pool = Pool(items)
    found = pool.choice_features(tmp_path, llama_source, lambda: llama, lambda *n: told.append(n))
    task = make_task(items)
    expected = FeatureStore(tmp_path / "task", task, llama_source).get(np.arange(60), lambda: llama)
    np.testing.assert_array_equal(found, expected)
    assert told[-1][:2] == (60, 60) and {total for _, total, _ in told} == {60}
    assert told[-1][2] > 60  # tokens

    def never() -> LoadedModel:
        raise AssertionError("features are kept")

    np.testing.assert_array_equal(pool.choice_features(tmp_path, llama_source, never), found)


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_one_vector_per_question(
    make_items: Items, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    loaded: LoadedModel = request.getfixturevalue(kind)
    source: ModelSource = request.getfixturevalue(f"{kind}_source")
    items = make_items(5)
    found = Pool(items).question_features(tmp_path, source, lambda: loaded)
    width = len(probe_layers(loaded)) * loaded.model.config.hidden_size
    assert found.shape == (5, width) and np.isfinite(found).all()
    # No answer enters, so that items without one can be read.
    other = items.assign(answer=(items["answer"] + 1) % items["choices"].map(len))
    again = Pool(other).question_features(tmp_path / "other", source, lambda: loaded)
    np.testing.assert_array_equal(again, found)
    if kind == "bert":
        pooled = mean_pooled(loaded, items["question"].tolist(), probe_layers(loaded))
        np.testing.assert_allclose(found, pooled, atol=1e-5)


def test_free_form_questions_are_read_alone(
    make_items: Items, llama: LoadedModel, llama_source: ModelSource, tmp_path: Path
) -> None:
    items = make_items(3)
    bare = items.assign(choices=[[]] * 3, answer=pd.NA, answer_text=["1", "22", "333"])
    free = validate_items(bare, "here")
    found = Pool(free).question_features(tmp_path, llama_source, lambda: llama)
    other = validate_items(bare.assign(answer_text="4"), "here")
    again = Pool(other).question_features(tmp_path / "b", llama_source, lambda: llama)
    np.testing.assert_array_equal(again, found)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    with pytest.raises(InputError, match="'code_length' needs choices; item 'item-0' and 2 others"):
        Pool(free).require_choices("code_length")
