"""Tiny random models in the Hugging Face format, loaded as any model is, and tables of items.

Their weights are drawn wide (a standard deviation of about .2, not .02), so that attention and
positions matter: a wrong mask or position moves a score by far more than the tests' tolerances.
"""

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from annotation.items.validate import validate_items
from annotation.strata.bands import Strata
from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource, find_model
from training.task import Task, TestSizes

PADDING, START, END = "<pad>", "<s>", "</s>"
# Each of these is one token after a space; every other word is one token a byte.
WORDS = ("red", "green", "blue", "plum", "pear", "goat", "one", "two", "three", "yes", "no")
CONTEXT = 192


def byte_tokenizer(ends_texts: bool = False) -> PreTrainedTokenizerFast:
    """Byte-level pairs: the words of `WORDS` are one token, others as many as they have bytes.

    Texts open with the start token; with `ends_texts` they also close with the end token.
    """
    vocabulary = [PADDING, START, END, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    merges = []
    for word in WORDS:
        joined = "Ġ"  # how byte-level tokenizers write a space
        for letter in word:
            merges.append((joined, letter))
            joined += letter
            vocabulary.append(joined)
    ids = {token: index for index, token in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=list(dict.fromkeys(merges))))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A {END}" if ends_texts else f"{START} $A",
        special_tokens=[(START, ids[START]), (END, ids[END])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=START,
        eos_token=END,
        pad_token=PADDING,
        model_max_length=CONTEXT,
    )


def word_piece_tokenizer() -> PreTrainedTokenizerFast:
    """Pieces of one letter, and the words of `WORDS` whole."""
    letters = string.ascii_lowercase + string.digits
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *WORDS]
    vocabulary += [f"##{letter}" for letter in letters]
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(vocab=ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=48,
    )


def write(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_llama(folder: Path, intermediate_size: int = 96) -> Path:
    """Two layers of grouped-query attention, four heads on two keys and values."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=intermediate_size,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return write(LlamaForCausalLM(config), tokenizer, folder)


@pytest.fixture(autouse=True)
def on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins are compared in float32, so no test here takes a GPU, nor does a worker process."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llama(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="session")
def save_llama() -> Callable[..., Path]:
    """`save_llama(folder, intermediate_size=96)` writes the tiny Llama."""
    return write_llama


def write_mistral(folder: Path, sliding_window: int) -> Path:
    """A decoder that attends to the last `sliding_window` tokens only."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        sliding_window=sliding_window,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    return write(MistralForCausalLM(config), tokenizer, folder)


@pytest.fixture(scope="session")
def narrow_mistral_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its window is smaller than any prompt."""
    return write_mistral(tmp_path_factory.mktemp("models") / "narrow_mistral", 12)


@pytest.fixture(scope="session")
def wide_mistral_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its window holds some prompts whole and not others."""
    return write_mistral(tmp_path_factory.mktemp("models") / "wide_mistral", 50)


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder with learned absolute positions."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(2)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=CONTEXT,
        n_embd=64,
        n_layer=2,
        n_head=4,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return write(GPT2LMHeadModel(config), tokenizer, tmp_path_factory.mktemp("models") / "gpt2")


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = word_piece_tokenizer()
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    return write(BertModel(config), tokenizer, tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="session")
def llama_source(llama_folder: Path) -> ModelSource:
    return find_model(str(llama_folder))


@pytest.fixture(scope="session")
def bert_source(bert_folder: Path) -> ModelSource:
    return find_model(str(bert_folder))


@pytest.fixture(scope="session")
def llama(llama_source: ModelSource) -> LoadedModel:
    """Whole, in float32; tests leave it as they found it."""
    return load_model(llama_source, device="cpu")


@pytest.fixture(scope="session")
def bert(bert_source: ModelSource) -> LoadedModel:
    """In float32, also where encoders are held in bfloat16."""
    loaded = load_model(bert_source, device="cpu")
    loaded.model.float()
    return loaded


@pytest.fixture(params=["llama", "narrow_mistral", "wide_mistral", "gpt2"])
def decoder(request: pytest.FixtureRequest) -> LoadedModel:
    """One decoder after the other: grouped queries, sliding windows, learned positions."""
    folder = request.getfixturevalue(f"{request.param}_folder")
    return load_model(find_model(str(folder)), device="cpu")


Pieces = tuple[str, ...]
# One token each, of several tokens, and both; from two to four choices.
CHOICES: tuple[Pieces, ...] = (
    ("red", "green", "blue", "plum"),
    ("a long choice of many tokens", "one", "zyx"),
    ("goat", "pear"),
    ("two plum", "red red red", "x", "three goat"),
)


def item_table(count: int, shared: Pieces | None = None) -> pd.DataFrame:
    """Items of 1 to 6 `steps`, questions of different lengths, with 2 to 4 choices or `shared`."""
    rng = np.random.default_rng(count)
    rows = []
    for index in range(count):
        choices = list(shared or CHOICES[index % len(CHOICES)])
        words = rng.choice([*WORDS, "w"], size=int(rng.integers(1, 9)))
        rows.append(
            {
                "item_id": f"item-{index}",
                "question": f"{' '.join(words)} {index}?",
                "choices": choices,
                "answer": int(rng.integers(len(choices))),
                "steps": float(index % 6 + 1),
            }
        )
    return validate_items(pd.DataFrame(rows), "made")


@pytest.fixture(scope="session")
def make_items() -> Callable[..., pd.DataFrame]:
    """`make_items(count, shared=None)`."""
    return item_table


@pytest.fixture(scope="session")
def make_task() -> Callable[..., Task]:
    """`make_task(items, target=10, others=6)`: bands of 1-2, 3-4 and 5-6 steps, target hard."""

    def make(items: pd.DataFrame, target: int = 10, others: int = 6) -> Task:
        return Task(
            items, Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(target, others)
        )

    return make
