"""Scores, gradients and hidden states equal those of one full sequence per prompt and choice."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Literal

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource
from training.prompts import Example
from training.scoring.choices import (
    EncodedItem,
    TokenBudget,
    encode_items,
    score_batch,
    score_items,
    score_pairs,
    scored_batches,
)
from training.scoring.prefix import run_prefix
from training.scoring.verification import packed_is_exact

TOLERANCE = 1e-4


def slow_score(model: PreTrainedModel, prompt: Sequence[int], choice: Sequence[int]) -> Tensor:
    """Log-probability of one choice, its sequence run by itself and in full."""
    logits = model(input_ids=torch.tensor([[*prompt, *choice]]), use_cache=False).logits[0]
    total = torch.zeros(())
    for place, token in enumerate(choice):
        total = total + logits[len(prompt) + place - 1].log_softmax(-1)[token]
    return total


def slow_scores(model: PreTrainedModel, items: Sequence[EncodedItem]) -> Tensor:
    most = max(len(item.choices) for item in items)
    rows = []
    for item in items:
        scores = [slow_score(model, item.prompt, choice) for choice in item.choices]
        rows.append(torch.stack(scores + [torch.tensor(-torch.inf)] * (most - len(scores))))
    return torch.stack(rows)


def encode(loaded: LoadedModel, items: pd.DataFrame) -> list[EncodedItem]:
    return encode_items(
        loaded, items["question"].tolist(), items["choices"].tolist(), items["item_id"].tolist()
    )


@pytest.fixture
def encoded(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    """Twelve items; all decoders share the tokenizer."""
    return encode(llama, make_items(12))


@pytest.fixture
def one_token(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    """Items whose choices are one token each: no second pass is needed."""
    return encode(llama, make_items(5, shared=("yes", "no", "red")))


@pytest.fixture(scope="session")
def long_llama(llama: LoadedModel) -> LoadedModel:
    """The tiny Llama with a context that ten worked examples fit into."""
    torch.manual_seed(5)
    config = LlamaConfig.from_dict(
        {**llama.model.config.to_dict(), "max_position_embeddings": 2048}
    )
    tokenizer = deepcopy(llama.tokenizer)
    tokenizer.model_max_length = 2048
    model = LlamaForCausalLM(config).eval()
    return LoadedModel("long", "", "decoder", "none", model, tokenizer)


@pytest.fixture(autouse=True)
def no_gradients_are_left(llama: LoadedModel) -> Iterator[None]:
    yield
    llama.model.zero_grad()
    llama.model.eval()


def test_the_items_differ_as_they_should(encoded: list[EncodedItem]) -> None:
    lengths = {len(choice) for item in encoded for choice in item.choices}
    assert min(lengths) == 1
    assert max(lengths) > 20
    assert {len(item.choices) for item in encoded} == {2, 3, 4}
    prompts = {len(item.prompt) for item in encoded}
    assert len(prompts) > 5
    assert 12 < min(prompts) < 40  # the wide window holds some prompts whole
    assert max(prompts) > 60  # and not others


@pytest.mark.parametrize("tokens", [1, 400, 8192])
def test_scores_equal_the_slow_twin(
    decoder: LoadedModel, encoded: list[EncodedItem], tokens: int
) -> None:
    assert packed_is_exact(decoder.model)
    fast = score_items(decoder, encoded, TokenBudget(tokens))
    with torch.no_grad():
        slow = slow_scores(decoder.model, encoded)
    assert fast.shape == (12, 4)
    torch.testing.assert_close(fast, slow, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("padding", ["left", "right"])
def test_pairs_equal_the_slow_twin(
    decoder: LoadedModel, encoded: list[EncodedItem], padding: Literal["left", "right"]
) -> None:
    with torch.no_grad():
        pairs = score_pairs(decoder.model, encoded, 0, padding=padding)
        slow = slow_scores(decoder.model, encoded)
    torch.testing.assert_close(pairs.log_probabilities, slow, rtol=0, atol=TOLERANCE)


def test_scores_of_one_token_choices_equal_the_slow_twin(
    decoder: LoadedModel, one_token: list[EncodedItem]
) -> None:
    assert {len(choice) for item in one_token for choice in item.choices} == {1}
    fast = score_items(decoder, one_token)
    with torch.no_grad():
        slow = slow_scores(decoder.model, one_token)
    torch.testing.assert_close(fast, slow, rtol=0, atol=TOLERANCE)


def test_the_tolerance_tells_choices_apart(
    decoder: LoadedModel, encoded: list[EncodedItem]
) -> None:
    """One token of the prompt moves the scores by far more than the tolerance."""
    item = encoded[0]
    shorter = replace(item, prompt=[*item.prompt[:-5], *item.prompt[-4:]])
    moved = score_items(decoder, [item]) - score_items(decoder, [shorter])
    assert moved.abs().min() > 100 * TOLERANCE


def test_another_model_may_stand_in(
    llama: LoadedModel, gpt2_folder: str, encoded: list[EncodedItem]
) -> None:
    from transformers import AutoModelForCausalLM

    other = AutoModelForCausalLM.from_pretrained(gpt2_folder).eval()
    torch.testing.assert_close(
        score_items(llama, encoded, model=other),
        score_items(replace(llama, model=other), encoded),
        rtol=0,
        atol=0,
    )


def gradients(model: PreTrainedModel, scores: Tensor, labels: Sequence[int]) -> dict[str, Tensor]:
    """Gradient of the multiple-choice loss with respect to every parameter."""
    model.zero_grad()
    F.cross_entropy(scores, torch.tensor(labels)).backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("items", ["encoded", "one_token"])
def test_gradients_equal_the_slow_twin(
    decoder: LoadedModel, items: str, request: pytest.FixtureRequest
) -> None:
    batch: list[EncodedItem] = request.getfixturevalue(items)[:5]
    labels = [len(item.choices) - 1 for item in batch]
    model = decoder.model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    padding_id = int(decoder.tokenizer.pad_token_id)
    fast = gradients(model, score_batch(model, batch, padding_id).log_probabilities, labels)
    slow = gradients(model, slow_scores(model, batch), labels)
    assert fast.keys() == slow.keys() == dict(model.named_parameters()).keys()
    assert max(gradient.abs().max().item() for gradient in slow.values()) > 0.1
    for name, gradient in slow.items():
        torch.testing.assert_close(fast[name], gradient, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("items", ["encoded", "one_token"])
def test_hidden_states_equal_the_full_sequences(
    decoder: LoadedModel, items: str, request: pytest.FixtureRequest
) -> None:
    batch: list[EncodedItem] = request.getfixturevalue(items)
    layers = [0, 1, 2]
    padding_id = int(decoder.tokenizer.pad_token_id)
    with torch.no_grad():
        states = score_batch(decoder.model, batch, padding_id, layers).states
    assert states is not None
    most = max(len(item.choices) for item in batch)
    assert states.shape == (len(batch), most, 3, 64)
    for row, item in enumerate(batch):
        assert not states[row, len(item.choices) :].any()
        for slot, choice in enumerate(item.choices):
            ids = torch.tensor([[*item.prompt, *choice]])
            with torch.no_grad():
                whole = decoder.model(input_ids=ids, output_hidden_states=True).hidden_states
            for place, layer in enumerate(layers):
                torch.testing.assert_close(
                    states[row, slot, place], whole[layer][0, -1], rtol=0, atol=TOLERANCE
                )


def test_layers_do_not_change_scores(llama: LoadedModel, one_token: list[EncodedItem]) -> None:
    with torch.no_grad():
        bare = score_batch(llama.model, one_token, 0)
        with_states = score_batch(llama.model, one_token, 0, layers=[1])
    assert bare.states is None
    torch.testing.assert_close(bare.log_probabilities, with_states.log_probabilities)


@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("shots", [0, 10])
def test_worked_examples_run_once_and_change_no_score(
    long_llama: LoadedModel,
    make_items: Callable[..., pd.DataFrame],
    shots: int,
    padding: Literal["left", "right"],
) -> None:
    items = make_items(6)
    examples = [Example(f"{word}?", word, ("red", word)) for word in "abcdefghij"][:shots]
    encoded = encode_items(
        long_llama,
        items["question"].tolist(),
        items["choices"].tolist(),
        items["item_id"].tolist(),
        examples=examples,
    )
    shared = run_prefix(long_llama.model, encoded)
    assert (shared is not None) == bool(shots)  # "Question:" alone is not worth a pass
    with torch.no_grad():
        pairs = score_pairs(long_llama.model, encoded, 0, [1, 2], padding)
    assert pairs.states is not None
    found = score_items(long_llama, encoded)
    torch.testing.assert_close(found, pairs.log_probabilities, rtol=0, atol=TOLERANCE)
    for batch, scored in scored_batches(long_llama, encoded, [1, 2], TokenBudget(600)):
        assert scored.states is not None
        own = pairs.states[batch, : scored.states.shape[1]]
        torch.testing.assert_close(scored.states, own, rtol=0, atol=TOLERANCE)


def test_the_prefix_runs_once_and_stays_as_it_was(llama: LoadedModel) -> None:
    shared = list(range(10, 60))
    items = [EncodedItem([*shared, 60 + i], [[5], [6, 7]]) for i in range(8)]
    passes: list[tuple[int, ...]] = []
    hook = llama.model.get_input_embeddings().register_forward_pre_hook(
        lambda _, args: passes.append(tuple(args[0].shape))
    )
    scores = score_items(llama, items, TokenBudget(60))
    hook.remove()
    # An item has one token of its own and one of its second choice; a row 25 tokens, half of 50.
    assert passes[0] == (1, 50)
    assert {rows for rows, _ in passes[1:]} == {1}
    assert sum(rows * width for rows, width in passes[1:]) == 16
    prefix = run_prefix(llama.model, items)
    assert prefix is not None
    before = [layer.keys.clone() for layer in prefix.cache.layers]
    with torch.no_grad():
        first = score_batch(llama.model, items, 0, prefix=prefix).log_probabilities
        again = score_batch(llama.model, items, 0, prefix=prefix).log_probabilities
    assert torch.equal(first, again)
    torch.testing.assert_close(first, scores, rtol=0, atol=TOLERANCE)
    for layer, keys in zip(prefix.cache.layers, before, strict=True):
        assert torch.equal(layer.keys, keys)


def test_a_score_does_not_depend_on_its_company(
    decoder: LoadedModel, encoded: list[EncodedItem]
) -> None:
    together = score_items(decoder, encoded)
    for index, item in enumerate(encoded):
        alone = score_items(decoder, [item])[0]
        own = together[index, : len(item.choices)]
        torch.testing.assert_close(alone, own, rtol=0, atol=TOLERANCE)


def test_logits_are_computed_only_where_they_are_read(llama: LoadedModel) -> None:
    items = [EncodedItem([4, 5, 6], [[7], [8, 9], [7, 8, 9]]), EncodedItem([4], [[5], [6]])]
    read: list[int] = []
    hook = llama.model.lm_head.register_forward_hook(
        lambda _module, args, _output: read.append(args[0].shape[:-1].numel())
    )
    with torch.no_grad():
        score_batch(llama.model, items, 0)
    hook.remove()
    # The end of each question, the first of two tokens and the first two of three.
    assert read == [2 + 1 + 2]


def test_normalisation_by_hand(llama: LoadedModel) -> None:
    items = [
        EncodedItem([4, 5], [[7], [8, 9]], (3, 12)),
        EncodedItem([4, 5], [[7], [8, 9], [7, 8, 9, 10]], (1, 4, 10)),
    ]
    sums = score_items(llama, items)
    assert sums.shape == (2, 3)
    assert sums[0, 2] == -torch.inf
    by_token = score_items(llama, items, normalisation="token")
    by_character = score_items(llama, items, normalisation="character")
    torch.testing.assert_close(by_token, sums / torch.tensor([[1, 2, 1], [1, 2, 4]]))
    torch.testing.assert_close(by_character, sums / torch.tensor([[3, 12, 1], [1, 4, 10]]))
    with pytest.raises(ValueError, match="count the characters"):
        score_items(llama, [EncodedItem([4], [[5], [6]])], normalisation="character")


def test_an_adapter_is_scored_with_its_wrapper(
    llama_source: ModelSource, encoded: list[EncodedItem]
) -> None:
    from peft import LoraConfig, get_peft_model

    loaded = load_model(llama_source, device="cpu")
    base = score_items(loaded, encoded)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    adapted = get_peft_model(loaded.model, config).eval()
    with torch.no_grad():
        slow = slow_scores(adapted, encoded)
    found = score_items(loaded, encoded, model=adapted)
    torch.testing.assert_close(found, slow, rtol=0, atol=TOLERANCE)
    assert (found - base)[base.isfinite()].abs().max() > 1
