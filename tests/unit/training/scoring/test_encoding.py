"""Items as token ids: the batched way equals the plain one, and what does not fit is named."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from annotation.errors import InputError
from training.models.load import LoadedModel
from training.prompts import DEFAULT_PROMPT, Example, Prompt, choice_prompt, find_prompt
from training.scoring.encoding import EncodedItem, encode_item, encode_items, encode_with_examples

EXAMPLES = tuple(Example(f"{w}?", w, ("red", w)) for w in ("one", "two", "three"))


def slow_item(
    tokenizer: PreTrainedTokenizerBase,
    question: str,
    choices: Sequence[str],
    prompt: Prompt,
    examples: Sequence[Example],
) -> EncodedItem:
    """Every text tokenised whole and by itself."""
    text = prompt.text(question, choices, examples)
    ids = tokenizer(text)["input_ids"]
    answers = []
    for choice in choices:
        whole = tokenizer(text + prompt.answer(choice))["input_ids"]
        apart = tokenizer(prompt.answer(choice), add_special_tokens=False)["input_ids"]
        fits = whole[: len(ids)] == ids and not prompt.answers_apart
        answers.append(whole[len(ids) :] if fits else apart)
    return EncodedItem(ids, answers, tuple(len(choice) for choice in choices))


@pytest.mark.parametrize("version", ["0040-mended", "0040-paper", "0306-mended", "0306-paper"])
@pytest.mark.parametrize("examples", [(), EXAMPLES])
def test_batches_equal_texts_by_themselves(
    llama: LoadedModel,
    make_items: Callable[..., pd.DataFrame],
    version: str,
    examples: tuple[Example, ...],
) -> None:
    items, prompt = make_items(12), find_prompt(version)
    long = replace(llama)
    long.__dict__["context_length"] = 10_000
    questions, choices = items["question"].tolist(), items["choices"].tolist()
    encoded = encode_items(long, questions, choices, items["item_id"].tolist(), prompt, examples)
    assert [item.item_id for item in encoded] == items["item_id"].tolist()
    for item, question, own in zip(encoded, questions, choices, strict=True):
        assert item == slow_item(llama.tokenizer, question, own, prompt, examples)
        assert item == encode_item(llama.tokenizer, question, own, prompt, examples)


def test_choices_are_tokenised_as_they_stand_after_the_prompt(llama: LoadedModel) -> None:
    choices = ["red", "zy", "two plum"]
    item = encode_item(llama.tokenizer, "Which?", choices)
    prompt = choice_prompt("Which?", choices)
    assert item.prompt == llama.tokenizer(prompt)["input_ids"]
    assert [len(choice) for choice in item.choices] == [1, 3, 2]
    assert item.characters == (3, 2, 8)
    assert llama.tokenizer.decode(item.prompt + item.choices[2]) == f"<s>{prompt} two plum"


def test_answers_apart_stand_without_the_space(llama: LoadedModel) -> None:
    choices = ["red", "zy"]
    item = encode_item(llama.tokenizer, "Which?", choices, find_prompt("0040-paper", "llama"))
    # Only " red" is one token; "red" is three.
    assert [llama.tokenizer.decode(choice) for choice in item.choices] == choices
    assert [len(choice) for choice in item.choices] == [3, 2]
    assert item.characters == (3, 2)


def test_an_end_token_after_every_text_is_left_out(llama: LoadedModel) -> None:
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
    for examples in ((), EXAMPLES):
        assert encode_item(ending, "Which?", choices, examples=examples) == encode_item(
            llama.tokenizer, "Which?", choices, examples=examples
        )


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


def test_a_choice_longer_than_the_context_is_named(llama: LoadedModel) -> None:
    with pytest.raises(InputError) as error:
        encode_items(
            llama, ["Which?"], [["red", "x" * 250]], ["long one"], find_prompt("0306-paper")
        )
    assert str(error.value) == (
        "item 'long one': its longest choice alone takes 250 tokens, model "
        f"'{llama.name}' reads at most 192; shorten the item or use another model."
    )


def test_the_last_examples_are_dropped_until_every_item_fits(
    llama: LoadedModel, caplog: pytest.LogCaptureFixture
) -> None:
    choices = ["red", "green"]
    bare = encode_item(llama.tokenizer, "", choices).tokens
    with_one = encode_item(llama.tokenizer, "", choices, examples=EXAMPLES[:1]).tokens
    with_two = encode_item(llama.tokenizer, "", choices, examples=EXAMPLES[:2]).tokens
    assert bare < with_one < with_two < llama.context_length
    questions = ["", "w" * (llama.context_length - with_one)]  # one fits, to the last token
    ids = ["short", "long"]
    with caplog.at_level(logging.WARNING, "training.scoring.encoding"):
        found = encode_with_examples(llama, questions, [choices] * 2, ids, examples=EXAMPLES)
    assert found.examples == EXAMPLES[:1]
    assert found.dropped == 2
    assert [item.tokens for item in found.items] == [with_one, llama.context_length]
    one = encode_items(llama, questions, [choices] * 2, ids, examples=EXAMPLES[:1])
    assert found.items == one
    [message] = caplog.messages
    assert "the last 2 of 3 in-context examples are left out" in message


def test_an_item_that_no_number_of_examples_lets_fit_is_named(llama: LoadedModel) -> None:
    with pytest.raises(InputError, match=r"item 'long': prompt and choice take \d+ tokens"):
        encode_items(llama, ["w" * 200], [["red", "x"]], ["long"], DEFAULT_PROMPT, EXAMPLES)


def test_a_choice_of_no_tokens_is_named(llama: LoadedModel) -> None:
    with pytest.raises(InputError) as error:
        encode_items(llama, ["Which?"], [["red", ""]], ["empty one"], find_prompt("0040-paper"))
    assert str(error.value) == (
        f"item 'empty one': choice 2 is empty for the tokenizer of model '{llama.name}'; give "
        "every choice a text."
    )


def test_an_encoder_cannot_read_examples(bert: LoadedModel) -> None:
    with pytest.raises(InputError) as error:
        encode_items(bert, ["Which?"], [["red", "x"]], ["item"], DEFAULT_PROMPT, EXAMPLES)
    assert str(error.value) == (
        f"model '{bert.name}': an encoder cannot read in-context examples; use a decoder (causal) "
        "language model, or the method 'probe'."
    )


def test_no_items(llama: LoadedModel) -> None:
    assert encode_items(llama, [], [], []) == []
