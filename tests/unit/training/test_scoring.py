"""Scores, gradients and hidden states equal those of one full sequence per prompt and choice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from annotation.errors import InputError
from training.models import LoadedModel
from training.prompts import choice_prompt
from training.scoring import (
    EncodedItem,
    batches_by_length,
    encode_item,
    encode_items,
    score_batch,
    score_items,
)

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


@pytest.mark.parametrize("tokens_per_batch", [1, 400, 8192])
def test_scores_equal_the_slow_twin(
    decoder: LoadedModel, encoded: list[EncodedItem], tokens_per_batch: int
) -> None:
    fast = score_items(decoder, encoded, tokens_per_batch)
    with torch.no_grad():
        slow = slow_scores(decoder.model, encoded)
    assert fast.shape == (12, 4)
    torch.testing.assert_close(fast, slow, rtol=0, atol=TOLERANCE)


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


def test_choices_are_tokenised_as_they_stand_after_the_prompt(llama: LoadedModel) -> None:
    choices = ["red", "zy", "two plum"]
    item = encode_item(llama.tokenizer, "Which?", choices)
    prompt = choice_prompt("Which?", choices)
    assert item.prompt == llama.tokenizer(prompt)["input_ids"]
    assert [len(choice) for choice in item.choices] == [1, 3, 2]
    assert llama.tokenizer.decode(item.prompt + item.choices[2]) == f"<s>{prompt} two plum"


def test_an_end_token_after_every_text_is_left_out(llama: LoadedModel) -> None:
    from tokenizers.processors import TemplateProcessing

    ending = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(llama.tokenizer.backend_tokenizer.to_str()),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )
    ending.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    assert ending("red")["input_ids"][-1] == ending.eos_token_id
    choices = ["red", "zy"]
    assert encode_item(ending, "Which?", choices) == encode_item(llama.tokenizer, "Which?", choices)


def test_a_merge_across_the_border_leaves_prompt_and_choice_apart() -> None:
    """Where ": " is one token, the prompt's own tokens still stand, and the choice by itself."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<end>", *alphabet, ":Ġ"])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[(":", "Ġ")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>")
    item = encode_item(tokenizer, "Which?", ["ab", "c"])
    assert item.prompt[-1] == vocabulary[":"]
    assert item.choices == [[vocabulary[t] for t in "Ġab"], [vocabulary[t] for t in "Ġc"]]


def test_an_item_too_long_for_the_context_is_named(llama: LoadedModel) -> None:
    choices = ["red", "green"]
    spare = llama.context_length - encode_item(llama.tokenizer, "", choices).tokens
    fits, too_long = "w" * spare, "w" * (spare + 1)
    [item] = encode_items(llama, [fits], [choices], ["fits"])
    assert item.tokens == llama.context_length == 192
    with pytest.raises(InputError) as error:
        encode_items(llama, [fits, too_long], [choices, choices], ["fits", "long one"])
    assert str(error.value) == (
        f"item 'long one': prompt and choice take 193 tokens, model '{llama.name}' reads at most "
        "192; shorten the item or use another model."
    )


def test_batches_by_length_by_hand() -> None:
    items = [EncodedItem([0] * (tokens - 2), [[0], [0, 0]]) for tokens in (10, 30, 9, 11, 50)]
    assert list(batches_by_length(items, 30)) == [[4], [1], [3, 0], [2]]
    assert list(batches_by_length(items, 1)) == [[4], [1], [3], [0], [2]]
    assert list(batches_by_length([], 30)) == []
