"""What reading costs, counted beforehand, is what a model then sees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from training.features import FeatureStore
from training.models.load import LoadedModel, model_outline
from training.models.source import ModelSource
from training.prompts import DEFAULT_PROMPT
from training.reading_cost import ReadingCost, reading_cost, weights_of_a_token
from training.scoring.encoding import encode_item
from training.task import Task


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(40))


@pytest.mark.parametrize("per_choice", [False, True])
def test_an_encoders_tokens_are_those_that_pass_through_it(
    task: Task, bert: LoadedModel, bert_source: ModelSource, tmp_path: Path, per_choice: bool
) -> None:
    store = FeatureStore(tmp_path, task, bert_source, per_choice=per_choice)
    items = np.arange(12)
    told = store.cost(items, model_outline(bert_source))
    seen = 0

    def count(_module: object, _args: object, arguments: dict[str, Any]) -> None:
        nonlocal seen
        seen += int(arguments["attention_mask"].sum())

    hook = bert.model.register_forward_pre_hook(count, with_kwargs=True)
    store.get(items, lambda: bert)
    hook.remove()
    assert told.tokens == seen > 0
    assert told.flops == 2.0 * weights_of_a_token(bert.model) * seen


def test_a_decoder_reads_every_choice_only_where_it_has_features(
    task: Task, llama: LoadedModel, llama_source: ModelSource, tmp_path: Path
) -> None:
    items = np.array([3, 1, 3])
    each = FeatureStore(tmp_path, task, llama_source, per_choice=True).cost(items, llama)
    rows = task.items.iloc[[1, 3]]  # each once
    texts = list(zip(rows["question"], rows["choices"], strict=True))
    encoded = [encode_item(llama.tokenizer, *own) for own in texts]
    prompts = sum(len(own.prompt) for own in encoded)
    choices = sum(len(choice) for own in encoded for choice in own.choices)
    assert each.tokens == prompts + choices
    assert reading_cost(rows, 1, llama, DEFAULT_PROMPT).tokens == prompts


def test_an_outline_counts_as_the_whole_model_does(
    llama: LoadedModel, llama_source: ModelSource
) -> None:
    outline = model_outline(llama_source)
    assert all(own.device == torch.device("meta") for own in outline.model.parameters())
    assert weights_of_a_token(outline.model) == weights_of_a_token(llama.model)
    assert outline.context_length == llama.context_length
    tables = llama.model.get_input_embeddings()
    every = {id(own): own.numel() for own in llama.model.parameters()}
    assert weights_of_a_token(llama.model) == sum(every.values()) - tables.weight.numel()


def test_costs_add_up() -> None:
    assert ReadingCost(3, 6.0) + ReadingCost(4, 8.0) == ReadingCost(7, 14.0)
