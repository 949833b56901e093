"""Batches stay within their budget, which halves for good when memory runs out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from annotation.errors import InputError
from training.item_states import mean_pooled
from training.models.load import LoadedModel
from training.scoring import token_budget
from training.scoring.choices import (
    EncodedItem,
    TokenBudget,
    batches_by_length,
    encode_items,
    score_items,
)
from training.scoring.token_budget import budget_of, is_out_of_memory, take_padded


@contextmanager
def memory_for(
    model: PreTrainedModel, tokens: int, words: str | None = None
) -> Iterator[list[int]]:
    """Within the block a pass over more than `tokens` tokens runs out of memory.

    Yields the sizes of all passes tried.
    """
    tried: list[int] = []

    def limit(_: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        tried.append(args[0].numel())
        if args[0].numel() > tokens:
            raise (
                torch.OutOfMemoryError("CUDA out of memory.")
                if words is None
                else RuntimeError(words)
            )

    hook = model.get_input_embeddings().register_forward_pre_hook(limit)
    try:
        yield tried
    finally:
        hook.remove()


@pytest.fixture
def encoded(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    items = make_items(30)
    return encode_items(
        llama, items["question"].tolist(), items["choices"].tolist(), items["item_id"].tolist()
    )


@pytest.mark.parametrize(
    "words", [None, "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"]
)
def test_a_batch_that_does_not_fit_is_taken_again_at_half_the_size(
    llama: LoadedModel, encoded: list[EncodedItem], words: str | None
) -> None:
    expected = score_items(llama, encoded)
    budget = TokenBudget(4000)
    with memory_for(llama.model, 450, words) as tried:
        found = score_items(llama, encoded, budget)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert tried[0] > tried[1] > 450 >= max(tried[3:])
    assert 225 // 2 < budget.tokens <= 450
    # It stays halved: the next call tries nothing that does not fit.
    with memory_for(llama.model, 450) as tried:
        score_items(llama, encoded, budget)
    assert max(tried) <= 450


def test_one_item_too_large_for_memory_is_an_error_with_its_numbers(
    llama: LoadedModel, encoded: list[EncodedItem]
) -> None:
    largest = max(
        len(item.prompt) + sum(len(choice) - 1 for choice in item.choices) for item in encoded
    )
    with memory_for(llama.model, largest - 1), pytest.raises(InputError) as error:
        score_items(llama, encoded, TokenBudget(4000))
    assert f"one item of {largest} tokens does not fit into memory" in str(error.value)
    assert "CUDA out of memory." in str(error.value)


def test_a_prefix_too_large_for_memory_is_an_error_too(llama: LoadedModel) -> None:
    items = [EncodedItem([*range(50), 60 + i], [[5], [6]]) for i in range(3)]
    with memory_for(llama.model, 49), pytest.raises(InputError, match="one item of 50 tokens"):
        score_items(llama, items)


def test_other_errors_are_no_lack_of_memory(llama: LoadedModel, encoded: list[EncodedItem]) -> None:
    with memory_for(llama.model, 450, "shapes do not match"):  # noqa: SIM117
        with pytest.raises(RuntimeError, match="shapes do not match"):
            score_items(llama, encoded, TokenBudget(4000))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("out of memory"))


def test_encoders_halve_too(bert: LoadedModel) -> None:
    texts = ["red", "a long text of many pieces two", "zyx plum", "one two three", "w", "red"]
    expected = mean_pooled(bert, texts, [1, 2])
    budget = TokenBudget(8000)
    with memory_for(bert.model, 40):
        found = mean_pooled(bert, texts, [1, 2], budget)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert budget.tokens <= 40


def test_every_thing_is_run_once_and_in_order() -> None:
    lengths = [9, 7, 4, 4, 2, 1]
    runs: list[tuple[int, int]] = []

    def run(start: int, end: int) -> int:
        if sum(lengths[start:end]) > 10:
            raise torch.OutOfMemoryError
        runs.append((start, end))
        return end - start

    budget = TokenBudget(100)
    found = list(budget.run(6, partial(take_padded, lengths), run))
    # 54 and 27 tokens are too many, 13 are one of 9, then one of 7, then three padded to 4.
    assert runs == [(0, 1), (1, 2), (2, 5), (5, 6)]
    assert [(list(places), size) for places, size in found] == [
        ([0], 1),
        ([1], 1),
        ([2, 3, 4], 3),
        ([5], 1),
    ]
    assert budget.tokens == 13


def test_a_model_keeps_its_budget(llama: LoadedModel) -> None:
    assert budget_of(llama.model) is budget_of(llama.model)
    assert budget_of(llama.model).tokens <= token_budget.ON_PROCESSOR


@pytest.mark.parametrize(("free", "expected"), [(1 << 40, 65536), (1 << 30, 48594), (1, 1024)])
def test_an_accelerator_starts_by_its_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: int, expected: int
) -> None:
    config = SimpleNamespace(hidden_size=64, intermediate_size=128, vocab_size=4500)
    config.get_text_config = lambda **_: config
    model: Any = nn.Module()
    model.config, model.device = config, torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, free))
    # 2 x (10 x 64 + 3 x 128) + 2 x 4500 = 11,048 bytes a token, of half the free memory.
    assert budget_of(model).tokens == expected


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1; got 0"):
        TokenBudget(0)


def test_batches_by_length_by_hand() -> None:
    items = [EncodedItem([0] * (tokens - 2), [[0], [0, 0]]) for tokens in (10, 30, 9, 11, 50)]
    assert list(batches_by_length(items, 30)) == [[4], [1], [3, 0], [2]]
    assert list(batches_by_length(items, 1)) == [[4], [1], [3], [0], [2]]
    assert list(batches_by_length([], 30)) == []
