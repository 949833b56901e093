"""Random models with a real tokenizer, and items in the language it was trained on.

Nothing is downloaded: a lexicon of made-up words in Zipf's proportions gives the text that a
byte-level BPE tokenizer is trained on, so that frequent words are one token and rare ones several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from training.models.load import LoadedModel, load_model
from training.models.source import find_model
from training.prompts import DEFAULT_PROMPT, Example

Indices = NDArray[np.int64]

PADDING, START, END = "<pad>", "<s>", "</s>"
WORDS = 20_000
# Of an item as ARC has it: prompt 0040 of about 65 tokens, four choices of about 7, 2 to 20.
QUESTION_TOKENS, CHOICE_TOKENS = (9, 30), (2, 20)


@dataclass(frozen=True)
class LlamaSize:
    """The shape of a Llama; `vocabulary` may be larger than the tokenizer's."""

    layers: int
    width: int
    heads: int
    key_value_heads: int
    inner: int
    vocabulary: int
    context: int = 2048


TINY = LlamaSize(2, 64, 4, 2, 128, 2048)
SMALL = LlamaSize(8, 512, 8, 4, 1408, 8192)  # 31 million parameters
ONE_BILLION = LlamaSize(16, 2048, 32, 8, 8192, 128_256)  # 1.5 thousand million


@dataclass(frozen=True)
class GeneratedItems:
    """Items in lists, as `training.scoring.choices.encode_items` takes them."""

    questions: list[str]
    choices: list[list[str]]
    answers: list[int]

    @property
    def item_ids(self) -> list[str]:
        return [f"item-{index}" for index in range(len(self.questions))]

    def examples(self) -> list[Example]:
        """The items with their gold answers, as worked examples."""
        rows = zip(self.questions, self.choices, self.answers, strict=True)
        return [Example(question, own[gold], tuple(own)) for question, own, gold in rows]


class Language:
    """Made-up words, and a tokenizer of `vocabulary` tokens trained on text made of them."""

    def __init__(self, vocabulary: int = SMALL.vocabulary) -> None:
        generator = np.random.default_rng(0)
        syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
        lengths = generator.integers(2, 5, 2 * WORDS)
        drawn = ("".join(generator.choice(syllables, length)) for length in lengths)
        self.words = list(dict.fromkeys(drawn))[:WORDS]
        frequency = 1 / (np.arange(len(self.words)) + 3.0)
        self._cumulative = (frequency / frequency.sum()).cumsum()
        self.tokenizer = _train_tokenizer(self._text(), vocabulary)
        pieces = self.tokenizer([f" {word}" for word in self.words], add_special_tokens=False)
        self._tokens = np.array([len(ids) for ids in pieces["input_ids"]])

    def items(self, count: int, seed: int, choices: int = 4) -> GeneratedItems:
        """Draw ARC-sized items; all tokens are counted after a space."""
        generator = np.random.default_rng([1, seed])
        questions, listed = [], []
        for _ in range(count):
            questions.append(self.phrase(int(generator.integers(*QUESTION_TOKENS)), generator))
            low, high = CHOICE_TOKENS
            lengths = low + generator.gamma(1.5, 3.6, choices).round().astype(int)
            texts = [self.phrase(int(length), generator) for length in lengths.clip(low, high)]
            listed.append(texts)
        answers = [int(answer) for answer in generator.integers(0, choices, count)]
        return GeneratedItems(questions, listed, answers)

    def phrase(self, tokens: int, generator: np.random.Generator) -> str:
        """Words that take exactly `tokens` tokens."""
        words: list[str] = []
        while tokens > 0:
            drawn = self._draw(8, generator)
            fitting = drawn[self._tokens[drawn] <= tokens]
            index = int(fitting[0]) if fitting.size else int(self._single[drawn[0] % 100])
            words.append(self.words[index])
            tokens -= int(self._tokens[index])
        return " ".join(words)

    def _draw(self, shape: int | tuple[int, ...], generator: np.random.Generator) -> Indices:
        drawn: Indices = self._cumulative.searchsorted(generator.random(shape))
        return drawn.clip(max=len(self.words) - 1)

    @cached_property
    def _single(self) -> Indices:
        """Words of one token."""
        return np.flatnonzero(self._tokens == 1)

    def _text(self) -> list[str]:
        """Sentences, and some in the shape of items, so that their marks become tokens too."""
        generator = np.random.default_rng(2)
        drawn = self._draw((40_000, 10), generator).tolist()
        sentences = [" ".join(self.words[index] for index in row) for row in drawn]
        for start in range(0, len(sentences) // 10, 5):
            question, *choices = sentences[start : start + 5]
            sentences.append(DEFAULT_PROMPT.text(question, choices) + f" {choices[0]}")
        return sentences


def _train_tokenizer(text: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE; texts open with a start token, as Llama's do."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PADDING, START, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, tokenizer.token_to_id(START))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PADDING
    )


def write_llama(
    folder: Path,
    size: LlamaSize,
    language: Language,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write a random Llama and its tokenizer in Hugging Face format; return the folder.

    Weights are drawn on `device`, so that a large model is drawn fast where there is a GPU.
    """
    tokenizer = language.tokenizer
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.key_value_heads,
        max_position_embeddings=size.context,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def random_llama(folder: Path, size: LlamaSize, language: Language) -> LoadedModel:
    """A random Llama in float32 on the processor, written to `folder` and loaded as any model."""
    write_llama(folder, size, language)
    return load_model(find_model(str(folder)), device="cpu")
