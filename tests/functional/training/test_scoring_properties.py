"""Whatever the lengths: scores equal those of every pair, rows hold every item once."""

from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from training.models.load import LoadedModel
from training.scoring.choices import (
    EncodedItem,
    TokenBudget,
    batches_by_length,
    score_items,
    score_pairs,
    scored_batches,
)
from training.scoring.packing import share_rows, unit_tokens
from training.scoring.verification import packed_is_exact

LENGTHS = st.tuples(st.integers(1, 80), st.lists(st.integers(1, 12), min_size=1, max_size=4))
TOKENS = st.integers(0, 31)
ITEMS = st.lists(
    st.tuples(
        st.lists(TOKENS, min_size=1, max_size=30),
        st.lists(st.lists(TOKENS, min_size=1, max_size=12), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=7,
)


@cache
def tiny_llama() -> LoadedModel:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
    )
    model = LlamaForCausalLM(config).eval()
    tokenizer = SimpleNamespace(pad_token_id=0)  # all that scoring asks of it
    return LoadedModel("llama", "", "decoder", "none", model, tokenizer)


@settings(max_examples=60, deadline=None)
@given(st.lists(TOKENS, max_size=60), ITEMS, st.integers(1, 400))
def test_scores_and_states_equal_every_pair_by_itself(
    shared: list[int], drawn: list[tuple[list[int], list[list[int]]]], tokens: int
) -> None:
    loaded = tiny_llama()
    assert packed_is_exact(loaded.model)
    items = [EncodedItem(shared + prompt, choices) for prompt, choices in drawn]
    with torch.no_grad():
        expected = score_pairs(loaded.model, items, 0, [1, 2])
    found = score_items(loaded, items, TokenBudget(tokens))
    torch.testing.assert_close(found, expected.log_probabilities, rtol=0, atol=1e-4)
    assert expected.states is not None
    seen: list[int] = []
    for batch, scored in scored_batches(loaded, items, [1, 2], TokenBudget(tokens)):
        assert scored.states is not None
        own = expected.states[batch, : scored.states.shape[1]]
        torch.testing.assert_close(scored.states, own, rtol=0, atol=1e-4)
        seen += batch
    assert sorted(seen) == list(range(len(items)))


def encoded(lengths: tuple[int, list[int]]) -> EncodedItem:
    prompt, choices = lengths
    return EncodedItem([0] * prompt, [[0] * choice for choice in choices])


@given(st.lists(LENGTHS, max_size=40), st.integers(1, 500))
def test_batches(lengths: list[tuple[int, list[int]]], budget: int) -> None:
    items = [encoded(each) for each in lengths]
    batches = list(batches_by_length(items, budget))
    assert sorted(index for batch in batches for index in batch) == list(range(len(items)))
    sizes = [[items[index].tokens for index in batch] for batch in batches]
    for size in sizes:
        assert len(size) == 1 or max(size) * len(size) <= budget
    # Items of like length stand together, and no two batches could have been one.
    flat = [tokens for size in sizes for tokens in size]
    assert flat == sorted(flat, reverse=True)
    for size, following in pairwise(sizes):
        assert size[0] * (len(size) + 1) > budget
        assert min(size) >= max(following)


@given(st.lists(LENGTHS, min_size=1, max_size=40), st.integers(0, 300), st.integers(1, 2000))
def test_rows(lengths: list[tuple[int, list[int]]], past: int, budget: int) -> None:
    units = sorted((unit_tokens(encoded(each), 0, True) for each in lengths), reverse=True)
    every = share_rows(units, past)
    assert sorted(index for row in every for index in row) == list(range(len(units)))
    longest = max(units[0], past // 2)
    assert all(sum(units[index] for index in row) <= longest for row in every)
    some = share_rows(units, past, budget)
    taken = sorted(index for row in some for index in row)
    assert taken == list(range(len(taken)))  # the longest, none left out between
    width = max(sum(units[index] for index in row) for row in some)
    assert len(taken) == 1 or len(some) * (width + past) <= budget
