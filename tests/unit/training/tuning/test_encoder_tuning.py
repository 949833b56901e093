"""Encoders with a head: both kinds of items, whole and in 4 bits, against a plain loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import BertForMaskedLM, BertModel, PreTrainedModel

from annotation.errors import InputError
from training.models.heads import initialise
from training.models.load import (
    Head,
    LoadedModel,
    load_model,
)
from training.models.number_types import Quantisation
from training.models.source import ModelSource, find_model
from training.scoring.token_budget import TokenBudget, budget_of
from training.tuning.encoders import EncodedText, encode_texts, score_texts
from training.tuning.qlora import (
    QloraSettings,
    encode_for_tuning,
    load_for_tuning,
    prepare,
    save_adapter,
    train_and_score,
    train_on_choices,
)

SHORT = QloraSettings(
    rank=4,
    alpha=8,
    batch=5,
    epochs=2,
    least_updates=1,
    learning_rate=5e-3,
    restarts=0,
    checkpointing=False,
)
SHARED = ("red", "green", "blue")
KINDS: list[tuple[Head, Quantisation]] = [
    ("multiple_choice", "none"),
    ("multiple_choice", "nf4"),
    ("classification", "none"),
    ("classification", "nf4"),
]


def load(source: ModelSource, head: Head, quantisation: Quantisation) -> LoadedModel:
    shared = SHARED if head == "classification" else None
    return load_for_tuning(source, quantisation, shared, device="cpu")


def encoded(loaded: LoadedModel, table: pd.DataFrame) -> list[EncodedText]:
    return encode_texts(loaded, table["question"].tolist(), table["choices"].tolist())


@pytest.fixture
def tables(make_items: Callable[..., pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Two to four choices an item, or three that all share."""
    return {"multiple_choice": make_items(18), "classification": make_items(18, SHARED)}


def labels_of(items: list[EncodedText]) -> list[int]:
    return [index % item.choices for index, item in enumerate(items)]


def run(
    loaded: LoadedModel, items: list[EncodedText], settings: QloraSettings = SHORT, seed: int = 0
) -> Tensor:
    return train_and_score(loaded, items[:12], labels_of(items[:12]), items[12:], settings, seed)


@pytest.mark.parametrize(("head", "quantisation"), KINDS)
def test_the_head_is_never_in_four_bits(
    bert_source: ModelSource, head: Head, quantisation: Quantisation
) -> None:
    """A new head in 4 bits would be read as packed weights that it does not have."""
    loaded = load(bert_source, head, quantisation)
    packed = [n for n, m in loaded.model.named_modules() if isinstance(m, Linear4bit)]
    assert loaded.head_layers == ("classifier",)
    assert type(loaded.model.classifier) is nn.Linear
    assert loaded.model.classifier.out_features == (3 if head == "classification" else 1)
    assert len(packed) == (13 if quantisation == "nf4" else 0)  # six a layer and the pooler
    assert {p.dtype for n, p in loaded.model.named_parameters() if n not in packed} <= {
        torch.float32,
        torch.uint8,
    }


def test_layers_that_the_checkpoint_lacks_are_part_of_the_head(
    tmp_path: Path, bert_folder: Path, tables: dict[str, pd.DataFrame]
) -> None:
    """A model trained to fill gaps has no pooler."""
    config = BertModel.from_pretrained(bert_folder).config
    BertForMaskedLM(config).save_pretrained(tmp_path)
    for path in bert_folder.glob("token*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    loaded = load(find_model(str(tmp_path)), "multiple_choice", "nf4")
    assert loaded.head_layers == ("classifier", "bert.pooler.dense")
    assert type(loaded.model.bert.pooler.dense) is nn.Linear
    items = encoded(loaded, tables["multiple_choice"])
    first = run(loaded, items, seed=1)
    run(loaded, items, seed=2)
    assert torch.equal(run(loaded, items, seed=1), first)


def plain_logits(
    model: nn.Module, loaded: LoadedModel, question: str, choices: list[str]
) -> Tensor:
    """One (question, choice) pair, or one question, at a time, without padding."""
    if loaded.head == "classification":
        classified: Tensor = model(**loaded.tokenizer(question, return_tensors="pt")).logits[0]
        return classified
    logits = []
    for choice in choices:
        fields = loaded.tokenizer(question, choice, return_tensors="pt")
        logits.append(model(**{name: field[None] for name, field in fields.items()}).logits[0, 0])
    return torch.stack(logits)


@pytest.mark.parametrize(("head", "quantisation"), KINDS)
def test_training_equals_a_plain_loop(
    bert_source: ModelSource,
    tables: dict[str, pd.DataFrame],
    head: Head,
    quantisation: Quantisation,
) -> None:
    settings = replace(SHORT, schedule="linear_to_tenth", weight_decay=0.1)
    fast_model = load(bert_source, head, quantisation)
    table = tables[head]
    items = encoded(fast_model, table)
    fast = run(fast_model, items, settings, seed=6)

    slow = load(bert_source, head, quantisation)
    rows = list(zip(table["question"], table["choices"], strict=True))
    linear = [
        name
        for name, module in slow.model.named_modules()
        if isinstance(module, nn.Linear) and name != "classifier"
    ]
    torch.manual_seed(6)
    model = get_peft_model(
        slow.model,
        LoraConfig(r=4, lora_alpha=8, target_modules=linear, modules_to_save=["classifier"]),
    )
    own_head = model.base_model.model.classifier.modules_to_save["default"]
    copy_head(fast_model, own_head, settings, seed=6)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert len(trained) == 2 * 13 + 2
    optimizer = torch.optim.AdamW(trained, weight_decay=0.1)
    shuffler = torch.Generator().manual_seed(6)
    labels = labels_of(items[:12])
    update = 0
    for _ in range(2):
        order = torch.randperm(12, generator=shuffler).tolist()
        for batch in (order[:5], order[5:10], order[10:]):
            optimizer.param_groups[0]["lr"] = 5e-3 * (1 - 0.9 * update / 6)
            optimizer.zero_grad()
            losses = [
                F.cross_entropy(plain_logits(model, slow, *rows[i]), torch.tensor(labels[i]))
                for i in batch
            ]
            torch.stack(losses).mean().backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            update += 1
    with torch.no_grad():
        for row, (question, choices) in enumerate(rows[12:]):
            expected = plain_logits(model, slow, question, choices).log_softmax(0)
            torch.testing.assert_close(fast[row, : len(expected)], expected, rtol=0, atol=1e-3)
            assert torch.isneginf(fast[row, len(expected) :]).all()


def copy_head(loaded: LoadedModel, head: nn.Module, settings: QloraSettings, seed: int) -> None:
    """The head as `loaded` starts from it: what an untrained adapter's checkpoint holds."""
    found: dict[str, Tensor] = {}
    untrained = replace(settings, learning_rate=0.0)
    item = EncodedText([loaded.tokenizer("one")] * 2, 2)
    if loaded.head == "classification":
        item = EncodedText([loaded.tokenizer("one")], 3)
    with train_on_choices(loaded, [item], [0], untrained, seed) as model:
        wrapper = model.base_model.model.classifier
        found.update(wrapper.modules_to_save["default"].state_dict())
        head.load_state_dict({name: value.clone() for name, value in found.items()})


@pytest.mark.parametrize(("head", "quantisation"), KINDS)
def test_trials_do_not_influence_each_other(
    bert_source: ModelSource,
    tables: dict[str, pd.DataFrame],
    head: Head,
    quantisation: Quantisation,
) -> None:
    loaded = load(bert_source, head, quantisation)
    items = encoded(loaded, tables[head])
    first = run(loaded, items, seed=1)
    other = run(loaded, items, seed=2)
    assert torch.equal(run(loaded, items, seed=1), first)
    assert not torch.allclose(other, first, atol=1e-2)
    fresh = load(bert_source, head, quantisation)
    assert torch.equal(run(fresh, items, seed=1), first)


@pytest.mark.parametrize("head", ["multiple_choice", "classification"])
def test_training_lowers_the_loss_on_what_it_trains_on(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame], head: Head
) -> None:
    loaded = load(bert_source, head, "none")
    items = encoded(loaded, tables[head])[:8]
    labels = torch.tensor(labels_of(items))

    def loss(updates: int) -> float:
        settings = replace(SHORT, least_updates=updates)
        scores = train_and_score(loaded, items, labels.tolist(), items, settings, 0)
        return F.nll_loss(scores, labels).item()

    assert loss(80) < 0.3 * loss(1)


@pytest.mark.parametrize(("head", "quantisation"), KINDS)
def test_the_result_does_not_depend_on_the_parts(
    bert_source: ModelSource,
    tables: dict[str, pd.DataFrame],
    head: Head,
    quantisation: Quantisation,
) -> None:
    loaded = load(bert_source, head, quantisation)
    items = encoded(loaded, tables[head])
    together = run(loaded, items)
    apart = run(loaded, items, replace(SHORT, tokens_per_pass=1))
    torch.testing.assert_close(apart, together, rtol=0, atol=1e-4)


def test_checkpointing_changes_nothing(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "multiple_choice", "none")
    items = encoded(loaded, tables["multiple_choice"])
    kept = run(loaded, items)
    torch.testing.assert_close(
        run(loaded, items, replace(SHORT, checkpointing=True)), kept, rtol=0, atol=1e-4
    )


def test_rows_of_a_batch_do_not_matter_to_each_other(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "multiple_choice", "none")
    items = encoded(loaded, tables["multiple_choice"])
    together = score_texts(loaded, items)
    alone = score_texts(loaded, items, budget=TokenBudget(1))
    assert together.shape == (18, 4)
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5)
    assert [int(row.isfinite().sum()) for row in together] == [item.choices for item in items]
    torch.testing.assert_close(together.exp().sum(1), torch.ones(18))


@contextmanager
def memory_for(model: PreTrainedModel, tokens: int) -> Iterator[list[int]]:
    """Within the block a pass over more tokens runs out of memory; yields the sizes tried."""
    tried: list[int] = []

    def limit(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        tried.append(args[0].numel())
        if args[0].numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    embeddings: nn.Module = model.get_input_embeddings()
    hook = embeddings.register_forward_pre_hook(limit)
    try:
        yield tried
    finally:
        hook.remove()


@pytest.mark.parametrize("head", ["multiple_choice", "classification"])
def test_scoring_goes_on_in_halves_where_memory_runs_out(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame], head: Head
) -> None:
    loaded = load(bert_source, head, "none")
    items = encoded(loaded, tables[head])
    expected = score_texts(loaded, items, budget=TokenBudget(10_000))
    largest = max(item.tokens for item in items)
    with memory_for(loaded.model, largest) as tried:
        found = score_texts(loaded, items, budget=TokenBudget(10_000))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert tried[0] > largest
    with memory_for(loaded.model, largest):
        score_texts(loaded, items)
    halved = budget_of(loaded.model).tokens
    assert halved <= largest
    with memory_for(loaded.model, largest) as tried:
        score_texts(loaded, items)  # the model remembers
    assert max(tried) <= max(halved, largest)
    with (
        memory_for(loaded.model, largest - 1),
        pytest.raises(InputError, match=f"one item of {largest} tokens does not fit into memory"),
    ):
        score_texts(loaded, items)


def test_batches_keep_to_their_tokens_with_padding(bert_source: ModelSource) -> None:
    """One item of two long rows and many of four short ones: all are padded to the longest."""
    loaded = load(bert_source, "multiple_choice", "none")
    questions = ["red " * 30, *["red"] * 6]
    choices = [["one", "two"], *[["one", "two", "three", "goat"]] * 6]
    items = encode_texts(loaded, questions, choices)
    assert [item.tokens for item in items[:2]] == [2 * 31, 4 * 2]
    for tokens, expected in ((40, [62, 40, 8]), (92, [62, 48]), (93, [62, 48]), (186, [186, 40])):
        with memory_for(loaded.model, 1000) as tried:
            score_texts(loaded, items, budget=TokenBudget(tokens))
        assert tried == expected


def test_evaluation_leaves_training_as_it_was(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "multiple_choice", "nf4")
    items = encoded(loaded, tables["multiple_choice"])
    expected = run(loaded, items)
    evaluated = load(bert_source, "multiple_choice", "nf4")
    score_texts(evaluated, items)
    assert torch.equal(run(evaluated, items), expected)


def test_a_saved_adapter_brings_its_head(
    tmp_path: Path, bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "classification", "nf4")
    items = encoded(loaded, tables["classification"])
    with train_on_choices(loaded, items[:12], labels_of(items[:12]), SHORT, 0) as model:
        save_adapter(model, tmp_path / "adapter")
        expected = score_texts(loaded, items, model)
    again = load(bert_source, "classification", "nf4")
    read = PeftModel.from_pretrained(again.model, tmp_path / "adapter").eval()
    torch.testing.assert_close(score_texts(again, items, read), expected, rtol=0, atol=1e-6)


def test_long_texts_are_cut(bert_source: ModelSource) -> None:
    """The tokenizer allows 48 tokens; the longer text of a pair gives way."""
    loaded = load(bert_source, "multiple_choice", "none")
    (item,) = encode_texts(loaded, ["red " * 60], [["blue", "green plum"]])
    assert [len(row["input_ids"]) for row in item.rows] == [48, 48]
    end = loaded.tokenizer("green plum", add_special_tokens=False)["input_ids"]
    assert item.rows[1]["input_ids"][-len(end) :] == end
    assert item.tokens == 96


def test_rows_of_a_task_are_encoded_as_the_model_reads_them(
    bert_source: ModelSource, llama: LoadedModel, tables: dict[str, pd.DataFrame]
) -> None:
    table = tables["classification"]
    rows = (table["question"].tolist(), table["choices"].tolist(), table["item_id"].tolist())

    def shape(loaded: LoadedModel) -> tuple[int, int]:
        """Rows that the first item takes, and its choices."""
        first = encode_for_tuning(loaded, *rows)[0]
        if isinstance(first, EncodedText):
            return len(first.rows), first.choices
        return 1, len(first.choices)

    assert shape(load(bert_source, "classification", "none")) == (1, 3)
    assert shape(load(bert_source, "multiple_choice", "none")) == (3, 3)
    assert shape(llama) == (1, 3)


def test_a_head_is_drawn_from_its_generator() -> None:
    first, norm, last = nn.Linear(400, 50), nn.LayerNorm(50), nn.Linear(50, 2, bias=False)
    head = nn.Sequential(first, norm, last)
    for parameter in head.parameters():
        parameter.data.fill_(9)
    initialise(head, 0.1, torch.Generator().manual_seed(4))
    expected = torch.empty(50, 400).normal_(0, 0.1, generator=torch.Generator().manual_seed(4))
    assert torch.equal(first.weight, expected)
    assert not first.bias.any()
    assert (norm.weight == 1).all()
    assert not norm.bias.any()
    assert 0.05 < last.weight.std() < 0.2


def test_another_tasks_head_is_replaced(
    tmp_path: Path, bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    five = load_for_tuning(bert_source, "none", ["a", "b", "c", "d", "e"], device="cpu")
    five.model.save_pretrained(tmp_path)
    five.tokenizer.save_pretrained(tmp_path)
    source = replace(find_model(str(tmp_path)), kind="encoder")
    loaded = load(source, "classification", "nf4")
    assert loaded.head_layers == ("classifier",)
    assert type(loaded.model.classifier) is nn.Linear
    items = encoded(loaded, tables["classification"])
    expected = run(load(bert_source, "classification", "nf4"), items)
    torch.testing.assert_close(run(loaded, items), expected, rtol=0, atol=1e-4)


def test_layers_that_are_not_there(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "multiple_choice", "none")
    items = encoded(loaded, tables["multiple_choice"])
    with pytest.raises(
        InputError, match=r"has no linear layer 'q_proj' .* dense, key, query, value"
    ):
        run(loaded, items, replace(SHORT, target_modules="q_proj"))


def test_peft_names_layers_for_encoders_too(
    bert_source: ModelSource, tables: dict[str, pd.DataFrame]
) -> None:
    loaded = load(bert_source, "multiple_choice", "none")
    run(
        loaded, encoded(loaded, tables["multiple_choice"]), replace(SHORT, target_modules="default")
    )
    adapters = {
        n.rpartition(".lora_A")[0] for n, _ in loaded.model.named_parameters() if "lora_A" in n
    }
    assert {name.rpartition(".")[2] for name in adapters} == {"query", "value"}


def test_heads_go_on_encoders(llama_source: ModelSource, bert_source: ModelSource) -> None:
    with pytest.raises(ValueError, match="is a decoder"):
        load_model(llama_source, head="multiple_choice")
    with pytest.raises(ValueError, match="'classes' goes with the head 'classification'; got None"):
        load_model(bert_source, head="classification")
    with pytest.raises(ValueError, match="'classes' goes with the head 'classification'; got 3"):
        load_model(bert_source, head="multiple_choice", classes=3)
    with pytest.raises(InputError, match="is not in 4 bits"):
        prepare(load_model(llama_source, device="cpu"))
