"""Features equal a plain loop, and each item's are computed once, whatever is interrupted."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from annotation.locks import FolderInUseError
from training import features, kept_rows
from training.features import FeatureStore
from training.item_states import mean_pooled, probe_layers
from training.kept_rows import KeptRows
from training.models.load import LoadedModel
from training.models.source import ModelSource
from training.prompts import choice_prompt, find_prompt
from training.scoring.token_budget import TokenBudget
from training.task import Task

Rows = NDArray[np.float32]


class RowCounter:
    """Counts the sequences that pass through a model."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.rows = 0
        self.loads = 0
        self._hook = loaded.model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _module: object, _args: object, arguments: dict[str, torch.Tensor]) -> None:
        self.rows += len(arguments["input_ids"])

    def load(self) -> LoadedModel:
        self.loads += 1
        return self.loaded

    def remove(self) -> None:
        self._hook.remove()


@pytest.fixture
def counted_bert(bert: LoadedModel) -> Iterator[RowCounter]:
    counter = RowCounter(bert)
    yield counter
    counter.remove()


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(40))


@pytest.fixture
def shared_task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(40, shared=("no", "yes")))


@pytest.fixture
def parts_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_SAVED_EVERY", 8)


@torch.no_grad()
def slow_mean(loaded: LoadedModel, text: str, layers: list[int]) -> Rows:
    """Mean of the hidden states of one text by itself, token by token, without padding."""
    ids = loaded.tokenizer(text)["input_ids"]
    states = loaded.model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
    parts = []
    for layer in layers:
        total = torch.zeros(states[layer].shape[-1])
        for place in range(len(ids)):
            total = total + states[layer][0, place]
        parts.append(total / len(ids))
    return np.asarray(torch.cat(parts).numpy())


@torch.no_grad()
def slow_last(loaded: LoadedModel, text: str, layers: list[int]) -> Rows:
    """Hidden states at the last token of one text."""
    ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
    states = loaded.model(input_ids=ids, output_hidden_states=True).hidden_states
    return np.asarray(torch.cat([states[layer][0, -1] for layer in layers]).numpy())


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [1]), (2, [2]), (4, [3, 4]), (6, [4, 6]), (12, [7, 12])]
)
def test_probe_layers_are_the_middle_and_the_last(
    llama: LoadedModel, monkeypatch: pytest.MonkeyPatch, count: int, expected: list[int]
) -> None:
    monkeypatch.setattr(llama.model.config, "num_hidden_layers", count)
    assert probe_layers(llama) == expected
    assert expected[0] == min(math.ceil((count + 1) / 2), count)


@pytest.mark.parametrize("tokens", [1, 100, 8192])
def test_mean_pooling_equals_a_plain_loop(bert: LoadedModel, tokens: int) -> None:
    texts = ["red", "a long text of many pieces two", "zyx plum", "one two three", "w", "red"]
    pooled = mean_pooled(bert, texts, [0, 1, 2], TokenBudget(tokens))
    slow = np.stack([slow_mean(bert, text, [0, 1, 2]) for text in texts])
    assert pooled.dtype == np.float32
    assert pooled.shape == (6, 3 * 32)
    np.testing.assert_allclose(pooled, slow, rtol=0, atol=1e-5)
    assert np.abs(pooled[0] - pooled[2]).max() > 0.1


def test_a_text_too_long_is_cut(bert: LoadedModel) -> None:
    assert bert.context_length == 48
    whole, longer = "w " * 46, "w " * 46 + "red plum " * 10  # 46 pieces and two special tokens
    states = mean_pooled(bert, [whole, longer], [2])
    np.testing.assert_allclose(states[0], states[1], rtol=0, atol=1e-5)


def test_encoder_features(
    tmp_path: Path, bert: LoadedModel, bert_source: ModelSource, task: Task
) -> None:
    positions = np.array([3, 0, 17, 2])
    found = FeatureStore(tmp_path, task, bert_source).get(positions, lambda: bert)
    layers = probe_layers(bert)
    assert found.shape == (4, 4, 32 * len(layers))
    for row, position in enumerate(positions):
        item = task.items.iloc[position]
        for slot, choice in enumerate(item["choices"]):
            slow = slow_mean(bert, f"{item['question']} {choice}", layers)
            np.testing.assert_allclose(found[row, slot], slow, rtol=0, atol=1e-5)
        assert not found[row, len(item["choices"]) :].any()


def test_decoder_features(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task
) -> None:
    positions = np.array([3, 0, 17, 2])
    found = FeatureStore(tmp_path, task, llama_source).get(positions, lambda: llama)
    layers = probe_layers(llama)
    assert found.shape == (4, 4, 64 * len(layers))
    for row, position in enumerate(positions):
        item = task.items.iloc[position]
        prompt = choice_prompt(item["question"], item["choices"])
        for slot, choice in enumerate(item["choices"]):
            slow = slow_last(llama, f"{prompt} {choice}", layers)
            np.testing.assert_allclose(found[row, slot], slow, rtol=0, atol=1e-4)
        assert not found[row, len(item["choices"]) :].any()


def test_shared_choices_give_one_vector_of_the_question(
    tmp_path: Path, bert: LoadedModel, bert_source: ModelSource, shared_task: Task
) -> None:
    positions = np.arange(6)
    found = FeatureStore(tmp_path, shared_task, bert_source).get(positions, lambda: bert)
    questions = shared_task.items["question"].tolist()[:6]
    slow = np.stack([slow_mean(bert, question, probe_layers(bert)) for question in questions])
    np.testing.assert_allclose(found, slow[:, None, :], rtol=0, atol=1e-5)


def test_shared_choices_give_one_vector_at_the_end_of_the_prompt(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, shared_task: Task
) -> None:
    positions = np.arange(6)
    found = FeatureStore(tmp_path, shared_task, llama_source).get(positions, lambda: llama)
    assert found.shape[1] == 1
    for position in positions:
        item = shared_task.items.iloc[position]
        prompt = choice_prompt(item["question"], item["choices"])
        slow = slow_last(llama, prompt, probe_layers(llama))
        np.testing.assert_allclose(found[position, 0], slow, rtol=0, atol=1e-4)


def test_each_item_is_computed_once(
    tmp_path: Path, counted_bert: RowCounter, bert_source: ModelSource, task: Task
) -> None:
    store = FeatureStore(tmp_path, task, bert_source)
    first, both = np.array([5, 1, 9]), np.array([9, 2, 5, 5, 1])
    assert store.absent(both) == 4
    before = store.get(first, counted_bert.load)
    assert counted_bert.rows == task.choice_counts[first].sum()
    assert store.absent(both) == 1
    after = store.get(both, counted_bert.load)
    assert counted_bert.rows == task.choice_counts[[1, 2, 5, 9]].sum()
    np.testing.assert_array_equal(after[[4, 0, 2]], before[[1, 2, 0]])
    np.testing.assert_array_equal(after[2], after[3])
    # A new store, as of another process, neither computes again nor loads the model.
    loads = counted_bert.loads
    again = FeatureStore(tmp_path, task, bert_source).get(both, counted_bert.load)
    np.testing.assert_array_equal(again, after)
    assert counted_bert.loads == loads


def test_progress_counts_items(
    tmp_path: Path, parts_of_eight: None, bert: LoadedModel, bert_source: ModelSource, task: Task
) -> None:
    steps: list[tuple[int, int]] = []
    store = FeatureStore(tmp_path, task, bert_source)
    store.get(np.arange(20), lambda: bert, lambda *now: steps.append(now))
    assert [items for items, _ in steps] == [8, 8, 4]
    assert all(tokens > items for items, tokens in steps)


class KilledError(Exception):
    """Stands for the end of the process."""


def kill(*_: object) -> None:
    raise KilledError


def never() -> LoadedModel:
    raise AssertionError("everything is kept")


def test_goes_on_after_a_kill_between_parts(
    tmp_path: Path,
    parts_of_eight: None,
    counted_bert: RowCounter,
    bert_source: ModelSource,
    task: Task,
) -> None:
    positions = np.arange(20)
    with pytest.raises(KilledError):
        FeatureStore(tmp_path / "cut", task, bert_source).get(positions, counted_bert.load, kill)
    done = counted_bert.rows
    assert done == task.choice_counts[:8].sum()
    resumed = FeatureStore(tmp_path / "cut", task, bert_source).get(positions, counted_bert.load)
    assert counted_bert.rows - done == task.choice_counts[8:20].sum()
    whole = FeatureStore(tmp_path / "whole", task, bert_source).get(positions, counted_bert.load)
    np.testing.assert_array_equal(resumed, whole)


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("place", ["features", "record of what is done"])
def test_goes_on_after_a_kill_while_a_part_is_saved(
    tmp_path: Path,
    parts_of_eight: None,
    monkeypatch: pytest.MonkeyPatch,
    bert: LoadedModel,
    bert_source: ModelSource,
    task: Task,
    part: int,
    place: str,
) -> None:
    calls = []

    def dying(call: Callable[..., None]) -> Callable[..., None]:
        def call_or_die(*arguments: object) -> None:
            calls.append(arguments)
            if len(calls) == part:
                raise KilledError
            call(*arguments)

        return call_or_die

    positions = np.arange(20)
    with monkeypatch.context() as patch:
        if place == "features":
            patch.setattr(kept_rows, "_fill", dying(kept_rows._fill))
        else:
            patch.setattr(KeptRows, "_write_record", dying(KeptRows._write_record))
        with pytest.raises(KilledError):
            FeatureStore(tmp_path / "cut", task, bert_source).get(positions, lambda: bert)
    store = FeatureStore(tmp_path / "cut", task, bert_source)
    assert store.absent(positions) == 20 - 8 * (part - 1)
    resumed = store.get(positions, lambda: bert)
    whole = FeatureStore(tmp_path / "whole", task, bert_source).get(positions, lambda: bert)
    np.testing.assert_array_equal(resumed, whole)


@pytest.mark.parametrize("layers", [[0], [2, 1]])
def test_layers_and_prompt_may_be_chosen(
    tmp_path: Path, llama: LoadedModel, llama_source: ModelSource, task: Task, layers: list[int]
) -> None:
    prompt = find_prompt("0306-mended")
    positions = np.arange(5)
    store = FeatureStore(tmp_path, task, llama_source, prompt, layers)
    found = store.get(positions, lambda: llama)
    for position in positions:
        item = task.items.iloc[position]
        for slot, choice in enumerate(item["choices"]):
            slow = slow_last(llama, prompt.text(item["question"]) + f" {choice}", layers)
            np.testing.assert_allclose(found[position, slot], slow, rtol=0, atol=1e-4)
    others = (
        FeatureStore(tmp_path, task, llama_source, prompt),
        FeatureStore(tmp_path, task, llama_source, layers=layers),
        FeatureStore(tmp_path, task, llama_source, prompt, [*layers, 0]),
    )
    assert [other.absent(positions) for other in others] == [5, 5, 5]
    assert FeatureStore(tmp_path, task, llama_source, prompt, layers).absent(positions) == 0


def test_no_more_than_the_wanted_states_are_kept(
    llama: LoadedModel, llama_source: ModelSource, tmp_path: Path, task: Task
) -> None:
    """The model is never asked for all its hidden states, and none outlives its batch."""
    asked: list[bool] = []

    def hooks() -> int:
        return sum(len(module._forward_pre_hooks) for module in llama.model.modules())

    # A model is tried out once, before its states are trusted.
    FeatureStore(tmp_path / "first", task, llama_source).get(np.arange(1), lambda: llama)
    before = hooks()
    hook = llama.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: asked.append(bool(kwargs.get("output_hidden_states"))),
        with_kwargs=True,
    )
    FeatureStore(tmp_path, task, llama_source).get(np.arange(5), lambda: llama)
    hook.remove()
    assert asked
    assert not any(asked)
    assert hooks() == before
    assert not llama.model.model._forward_hooks


def as_it_is(loaded: LoadedModel) -> LoadedModel:
    return loaded


def test_other_items_or_models_get_other_files(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    bert: LoadedModel,
    llama: LoadedModel,
    bert_source: ModelSource,
    llama_source: ModelSource,
    task: Task,
) -> None:
    some = np.arange(3)
    FeatureStore(tmp_path, task, bert_source).get(some, lambda: bert)
    items = make_items(40)
    items.loc[0, "question"] = "another question"
    for other, source, loaded in (
        (make_task(items), bert_source, bert),
        (task, replace(bert_source, revision="another"), bert),
        (task, llama_source, llama),
        (task, replace(llama_source, dtype="bfloat16"), llama),
    ):
        store = FeatureStore(tmp_path, other, source)
        assert store.absent(some) == 3
        store.get(some, partial(as_it_is, loaded))
        assert store.absent(some) == 0
    assert FeatureStore(tmp_path, task, bert_source).absent(some) == 0
    # A folder for each, and for the scores of each decoder by itself.
    assert len(list(tmp_path.iterdir())) == 7


def test_damaged_features_are_computed_again_with_a_note(
    tmp_path: Path,
    counted_bert: RowCounter,
    bert_source: ModelSource,
    task: Task,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Rows of zeros, as two writers once left them, are no features."""
    everything = np.arange(40)
    whole = FeatureStore(tmp_path, task, bert_source).get(everything, counted_bert.load)
    done = counted_bert.rows
    (path,) = tmp_path.glob("*/rows.float32")
    content = bytearray(path.read_bytes())
    content[5 * whole[0].nbytes : 7 * whole[0].nbytes] = bytes(2 * whole[0].nbytes)
    path.write_bytes(content)
    store = FeatureStore(tmp_path, task, bert_source)
    found = store.get(everything, counted_bert.load)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)
    assert counted_bert.rows - done == task.choice_counts[5:7].sum()
    assert [record.getMessage() for record in caplog.records] == [
        f"note: {path.parent}: features are damaged; these items are read again."
    ]
    caplog.clear()
    again = FeatureStore(tmp_path, task, bert_source).get(everything, counted_bert.load)
    np.testing.assert_array_equal(again, found)
    assert not caplog.records


def test_features_without_checksums_are_made_again(
    tmp_path: Path,
    bert: LoadedModel,
    bert_source: ModelSource,
    task: Task,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FeatureStore(tmp_path, task, bert_source)
    for old in store._of_earlier_versions:
        np.save(old, np.zeros(40))
    assert store.absent(np.arange(4)) == 4
    assert store.get(np.arange(4), lambda: bert).any()
    assert "features are of an earlier version, without checksums" in caplog.text
    assert not any(old.exists() for old in store._of_earlier_versions)


def test_one_process_computes_at_a_time(
    tmp_path: Path, bert: LoadedModel, bert_source: ModelSource, task: Task
) -> None:
    one, other = (FeatureStore(tmp_path, task, bert_source) for _ in range(2))

    def model() -> LoadedModel:
        with pytest.raises(FolderInUseError):
            other.get(np.arange(10), lambda: bert)
        return bert

    found = one.get(np.arange(10), model)
    np.testing.assert_array_equal(other.get(np.arange(10), never), found)  # computed by now
