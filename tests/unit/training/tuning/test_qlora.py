"""Adapters learn, repeat to the bit, leave the 4-bit base as it was, and have right gradients."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bitsandbytes
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from annotation.errors import InputError
from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource, find_model
from training.scoring.choices import (
    EncodedItem,
    Normalisation,
    encode_items,
    score_batch,
    score_items,
)
from training.tuning import finetune, qlora
from training.tuning.diverged import TrainingDivergedError
from training.tuning.qlora import (
    QloraSettings,
    Tries,
    prepare,
    train_and_score,
    train_on_choices,
)

SHORT = QloraSettings(rank=4, alpha=8, batch=4, epochs=1, least_updates=4, restarts=0)


def in_four_bits(source: ModelSource) -> LoadedModel:
    loaded = load_model(source, "nf4", device="cpu")
    prepare(loaded)
    return loaded


@pytest.fixture
def packed(llama_source: ModelSource) -> LoadedModel:
    """A fresh model in 4 bits."""
    return in_four_bits(llama_source)


@pytest.fixture
def items(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    table = make_items(24)
    return encode_items(
        llama, table["question"].tolist(), table["choices"].tolist(), table["item_id"].tolist()
    )


def labels_of(items: list[EncodedItem]) -> list[int]:
    return [index % len(item.choices) for index, item in enumerate(items)]


def run(
    loaded: LoadedModel,
    items: list[EncodedItem],
    settings: QloraSettings = SHORT,
    seed: int = 0,
    normalisation: Normalisation = "sum",
) -> Tensor:
    """Train on the first twelve items, score the others."""
    return train_and_score(
        loaded,
        items[:12],
        labels_of(items[:12]),
        items[12:],
        settings,
        seed,
        normalisation=normalisation,
    )


def mean_loss(scores: Tensor, labels: list[int]) -> float:
    return F.cross_entropy(scores, torch.tensor(labels)).item()


def stored_state(loaded: LoadedModel) -> dict[str, Tensor]:
    """The base model's own tensors; a resting adapter's are left out."""
    return {
        name.replace(".base_layer.", "."): value.clone()
        for name, value in loaded.model.state_dict().items()
        if ".lora_" not in name
    }


def test_training_lowers_the_loss_on_what_it_trains_on(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    train, labels = items[:8], labels_of(items[:8])
    before = mean_loss(score_items(packed, train), labels)
    settings = replace(SHORT, learning_rate=3e-3, least_updates=60)
    after = mean_loss(train_and_score(packed, train, labels, train, settings, 0), labels)
    assert after < 0.3 * before


def test_no_learning_without_a_learning_rate(packed: LoadedModel, items: list[EncodedItem]) -> None:
    """A fresh adapter adds nothing, so an untrained one scores as the base does."""
    scores = run(packed, items, replace(SHORT, learning_rate=0.0))
    torch.testing.assert_close(scores, score_items(packed, items[12:]), rtol=0, atol=1e-5)


def test_one_seed_gives_one_result_and_two_seeds_two(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    first = run(packed, items, seed=3)
    assert torch.equal(run(packed, items, seed=3), first)
    assert not torch.allclose(run(packed, items, seed=4), first, atol=1e-3)


def test_a_run_after_others_equals_one_on_a_fresh_model(
    packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    run(packed, items, replace(SHORT, rank=8, dropout=0.1), seed=9)
    score_items(packed, items)
    after_others = run(packed, items)
    torch.manual_seed(12345)  # nor does it matter what was drawn before
    assert torch.equal(after_others, run(in_four_bits(llama_source), items))


def test_dropout_repeats_with_the_seed(packed: LoadedModel, items: list[EncodedItem]) -> None:
    settings = replace(SHORT, dropout=0.5)
    first = run(packed, items, settings)
    assert torch.equal(run(packed, items, settings), first)
    assert not torch.allclose(run(packed, items), first, atol=1e-3)


def test_nothing_is_dropped_from_the_test(packed: LoadedModel, items: list[EncodedItem]) -> None:
    train, settings = items[:12], replace(SHORT, dropout=0.5)
    twice = [items[12], items[12]]
    first, second = train_and_score(packed, train, labels_of(train), twice, settings, 0)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def assert_same_base(loaded: LoadedModel, before: dict[str, Tensor]) -> None:
    after = stored_state(loaded)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_the_base_model_is_untouched(packed: LoadedModel, items: list[EncodedItem]) -> None:
    before, scores = stored_state(packed), score_items(packed, items)
    run(packed, items)
    assert_same_base(packed, before)
    assert torch.equal(score_items(packed, items), scores)


def test_the_base_model_is_untouched_by_an_interrupted_run(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    def interrupt(done: int, total: int, tokens: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    before, scores = stored_state(packed), score_items(packed, items)
    with pytest.raises(KeyboardInterrupt):
        train_and_score(packed, items, labels_of(items), items, SHORT, 0, interrupt)
    assert_same_base(packed, before)
    assert torch.equal(score_items(packed, items), scores)
    assert all(parameter.grad is None for parameter in packed.model.parameters())


def test_a_training_that_failed_is_begun_anew_and_told(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another adapter, until the loss ends under that of guessing."""
    seeds: list[int] = []
    losses = [9.0, 9.0, 0.1]

    def trained(*args: Any, **_: Any) -> float:
        seeds.append(args[3])
        return losses[len(seeds) - 1]

    monkeypatch.setattr(qlora, "train", trained)
    train, test = items[:12], items[12:]

    def tries(restarts: int) -> Tries:
        seeds.clear()
        told, settings = Tries(), replace(SHORT, restarts=restarts)
        train_and_score(packed, train, labels_of(train), test, settings, 5, tries=told)
        return told

    assert tries(2) == Tries(2, False)
    assert seeds[0] == 5 and len(set(seeds)) == 3
    again = list(seeds)
    assert tries(2) == Tries(2, False) and seeds == again  # the same, whenever it is asked for
    assert tries(1) == Tries(1, True)
    assert tries(0) == Tries(0, True)


def test_the_mean_of_several_adapters_answers(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against each of them trained by itself; the first is what one alone is."""
    seeds: list[int] = []
    whole = finetune.train

    def noted(*args: Any, **named: Any) -> float:
        seeds.append(args[3])
        return whole(*args, **named)

    monkeypatch.setattr(qlora, "train", noted)
    told: list[tuple[int, int]] = []
    settings = replace(SHORT, learning_rate=1e-2)
    train, test = items[:12], items[12:]
    together = train_and_score(
        packed,
        train,
        labels_of(train),
        test,
        replace(settings, members=3),
        5,
        lambda done, total, _: told.append((done, total)),
    )
    assert told == [(done, 18) for done in range(1, 19)]
    assert seeds[0] == 5 and len(set(seeds)) == 3
    alone = [run(packed, items, settings, seed).softmax(1) for seed in list(seeds)]
    mean = torch.stack(alone).mean(0)
    torch.testing.assert_close(together.exp(), mean, rtol=0, atol=1e-4)
    assert not torch.allclose(together.exp(), alone[0], atol=1e-3)


def test_labels_that_are_learnt_need_no_restart(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    told = Tries()
    settings = replace(SHORT, least_updates=60, learning_rate=5e-3)
    train_and_score(packed, items[:8], labels_of(items[:8]), items[8:], settings, 0, tries=told)
    assert told == Tries(0, False)


def test_progress_is_told_every_update(packed: LoadedModel, items: list[EncodedItem]) -> None:
    told: list[tuple[int, int, int]] = []
    tested: list[tuple[int, int, int]] = []
    settings = replace(SHORT, batch=5, epochs=2, least_updates=1)
    train_and_score(
        packed,
        items[:12],
        labels_of(items[:12]),
        items[12:],
        settings,
        0,
        lambda done, total, tokens: told.append((done, total, tokens)),
        testing=lambda: lambda *now: tested.append(now),
    )
    assert [now[:2] for now in told] == [(done, 6) for done in range(1, 7)]  # 5 + 5 + 2, twice
    assert told[-1][2] == 2 * sum(item.all_tokens for item in items[:12])
    assert tested[-1] == (len(items) - 12, len(items) - 12, sum(i.all_tokens for i in items[12:]))


def test_scores_with_an_adapter_equal_one_by_one(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    test = items[12:]
    together = run(packed, items)
    alone = [
        train_and_score(packed, items[:12], labels_of(items[:12]), [item], SHORT, 0)[0]
        for item in test[:3]
    ]
    for row, scores in enumerate(alone):
        torch.testing.assert_close(together[row, : len(scores)], scores, rtol=0, atol=1e-4)
        assert torch.isneginf(together[row, len(scores) :]).all()


def test_an_encoder_without_a_head_is_refused(bert: LoadedModel) -> None:
    with pytest.raises(ValueError, match="has no head: load it with 'load_for_tuning'"):
        prepare(bert)


def test_a_model_that_is_not_in_four_bits_is_refused(llama: LoadedModel) -> None:
    with pytest.raises(InputError, match="is not in 4 bits: load it with 'nf4' for qlora"):
        prepare(llama)


def test_a_loss_that_is_not_finite_ends_the_run(
    packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    before = stored_state(packed)
    with pytest.raises(TrainingDivergedError, match=r"the loss became (nan|inf) at update \d+"):
        run(packed, items, replace(SHORT, learning_rate=1e30))
    assert_same_base(packed, before)
    assert torch.equal(run(packed, items), run(in_four_bits(llama_source), items))


@pytest.mark.parametrize("rate", [1e20, 1e30])
def test_a_run_that_its_last_update_breaks_is_told(
    packed: LoadedModel, items: list[EncodedItem], rate: float
) -> None:
    settings = replace(SHORT, batch=12, least_updates=1, learning_rate=rate)
    with pytest.raises(TrainingDivergedError, match=r"^qlora on 12 labels, seed 4: .* 1 update"):
        run(packed, items, settings, seed=4)
    train_items, labels = items[:12], labels_of(items[:12])
    with (
        pytest.raises(TrainingDivergedError, match=r"the loss became (nan|inf) after 1 update"),
        train_on_choices(packed, train_items, labels, settings, 4),
    ):
        pass


def test_scores_that_are_not_finite_are_told(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(_: LoadedModel, test: list[EncodedItem], __: PeftModel, *___: object) -> Tensor:
        scores = score_items(packed, test)
        for row, item in enumerate(test):
            scores[row, : len(item.choices)] = 0.0
        scores[1, 0], scores[2, 1], scores[2, 0] = torch.nan, -torch.inf, torch.inf
        return scores

    monkeypatch.setattr(qlora, "score_encoded", scored)
    with pytest.raises(TrainingDivergedError) as error:
        run(packed, items, seed=4)
    assert str(error.value) == (
        "qlora on 12 labels, seed 4: after 6 updates the scores of 2 test items are not finite; "
        "lower [qlora] learning_rate."
    )


# What follows guards against two faults of bitsandbytes 0.50 on CPUs with AVX512-BF16. There, the
# first evaluation repacks a layer's weights; back in training the layer then runs without autograd,
# and layers that are no multiple of 32 x 64 crash.


@pytest.mark.parametrize("supported", [True, False])
def test_no_layer_is_left_on_the_kernel_without_a_gradient(
    llama_source: ModelSource, monkeypatch: pytest.MonkeyPatch, supported: bool
) -> None:
    monkeypatch.setattr(bitsandbytes.nn.modules, "has_avx512bf16", lambda: supported)
    loaded = load_model(llama_source, "nf4", device="cpu")
    layers = [module for module in loaded.model.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 14
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)


def adapter_gradients(
    loaded: LoadedModel, items: list[EncodedItem], evaluate_first: bool
) -> dict[str, Tensor]:
    """Gradients of a fresh adapter whose B is not zero, so that both halves have one."""
    torch.manual_seed(0)
    adapted = get_peft_model(
        loaded.model,
        LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False),
    )
    padding_id = int(loaded.tokenizer.pad_token_id)
    if evaluate_first:
        adapted.eval()
        with torch.no_grad():
            score_batch(adapted, items, padding_id)
    adapted.train()
    scores = score_batch(adapted, items, padding_id).log_probabilities
    F.cross_entropy(scores, torch.tensor(labels_of(items))).backward()
    gradients = {n: p.grad.clone() for n, p in adapted.named_parameters() if p.grad is not None}
    adapted.unload()
    return gradients


# 96 is a multiple of 32 and no multiple of 64, 72 is neither, 128 is both.
@pytest.mark.parametrize("intermediate_size", [128, 96, 72])
def test_evaluation_leaves_training_as_it_was(
    tmp_path: Path,
    save_llama: Callable[..., Path],
    items: list[EncodedItem],
    intermediate_size: int,
) -> None:
    source = find_model(str(save_llama(tmp_path / "model", intermediate_size)))
    batch = items[:6]
    fresh = adapter_gradients(in_four_bits(source), batch, evaluate_first=False)
    evaluated = adapter_gradients(in_four_bits(source), batch, evaluate_first=True)
    assert len(fresh) == 2 * 14  # A and B of every 4-bit layer
    assert evaluated.keys() == fresh.keys()
    for name, gradient in fresh.items():
        assert gradient.abs().max() > 1e-3
        torch.testing.assert_close(evaluated[name], gradient, rtol=1e-4, atol=1e-4)


def unpacked(loaded: LoadedModel, source: ModelSource) -> LoadedModel:
    """The same model with its 4-bit weights written out in float32."""
    whole = load_model(source, device="cpu")
    plain = dict(whole.model.named_modules())
    for name, module in loaded.model.named_modules():
        if isinstance(module, Linear4bit):
            weight = dequantize_4bit(module.weight.data, module.weight.quant_state)
            plain[name].weight.data.copy_(weight)
    whole.model.requires_grad_(False)
    return whole


def test_scores_and_gradients_equal_those_of_the_unpacked_model(
    packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    whole = unpacked(packed, llama_source)
    torch.testing.assert_close(
        score_items(packed, items), score_items(whole, items), rtol=0, atol=1e-3
    )
    batch = items[:6]
    fast = adapter_gradients(packed, batch, evaluate_first=True)
    slow = adapter_gradients(whole, batch, evaluate_first=True)
    assert fast.keys() == slow.keys()
    for name, gradient in slow.items():
        cosine = F.cosine_similarity(fast[name].flatten(), gradient.flatten(), dim=0)
        assert cosine > 0.9999
        torch.testing.assert_close(fast[name].norm(), gradient.norm(), rtol=1e-3, atol=1e-5)


def slow_lengths(item: EncodedItem, normalisation: Normalisation) -> Tensor:
    """What the scores of an item's choices are divided by."""
    if normalisation == "sum":
        return torch.ones(len(item.choices))
    counts = [len(c) for c in item.choices] if normalisation == "token" else item.characters
    return torch.tensor(counts, dtype=torch.float32)


def slow_training(
    whole: LoadedModel,
    items: list[EncodedItem],
    settings: QloraSettings,
    seed: int,
    normalisation: Normalisation,
) -> Tensor:
    """What `run` does, on a model that is not packed, one sequence after the other."""
    torch.manual_seed(seed)
    model = get_peft_model(
        whole.model,
        LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )

    def scores_of(item: EncodedItem) -> Tensor:
        scores = []
        for choice in item.choices:
            ids = torch.tensor([*item.prompt, *choice])
            places = torch.arange(len(item.prompt), len(ids))
            logits = model(input_ids=ids[None], use_cache=False).logits[0]
            scores.append(logits.log_softmax(-1)[places - 1, ids[places]].sum())
        return torch.stack(scores)

    train, labels, test = items[:12], labels_of(items[:12]), items[12:]
    total = settings.epochs * 3  # twelve items in batches of four
    warm_up = max(1, int(settings.warm_up * total))
    adapter = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(adapter, weight_decay=1e-5)
    shuffler = torch.Generator().manual_seed(seed)
    update = 0
    for _ in range(settings.epochs):
        order = torch.randperm(12, generator=shuffler).tolist()
        for batch in (order[:4], order[4:8], order[8:]):
            left = (total - update) / (total - warm_up + 1)
            rate = settings.learning_rate * min((update + 1) / warm_up, left)
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses = []
            for i in batch:
                lengths = slow_lengths(train[i], normalisation)
                scores = scores_of(train[i]) / lengths * lengths.mean()
                losses.append(-scores.log_softmax(0)[labels[i]])
            model.zero_grad()
            torch.stack(losses).mean().backward()
            norm = torch.stack([p.grad.norm() for p in adapter if p.grad is not None]).norm()
            for parameter in adapter:
                if parameter.grad is not None and norm > settings.largest_gradient:
                    parameter.grad *= settings.largest_gradient / norm
            optimizer.step()
            update += 1
    with torch.no_grad():
        rows = [scores_of(item) / slow_lengths(item, normalisation) for item in test]
    most = max(len(row) for row in rows)
    return torch.stack([F.pad(row, (0, most - len(row)), value=-torch.inf) for row in rows])


@pytest.mark.parametrize("normalisation", ["sum", "character"])
def test_training_equals_a_plain_loop(
    packed: LoadedModel,
    llama_source: ModelSource,
    items: list[EncodedItem],
    normalisation: Normalisation,
) -> None:
    settings = replace(SHORT, epochs=3, least_updates=1, learning_rate=1e-2)
    slow = slow_training(unpacked(packed, llama_source), items, settings, 5, normalisation)
    fast = run(packed, items, settings, 5, normalisation)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-3)
    moved = (slow - score_items(packed, items[12:], normalisation=normalisation)).nan_to_num()
    assert moved.abs().max() > (2.0 if normalisation == "sum" else 0.2)


def test_four_bits_change_the_scores_a_little(
    packed: LoadedModel, llama: LoadedModel, items: list[EncodedItem]
) -> None:
    """So the tests above compare with a quantised model, not with the whole one."""
    difference = (score_items(packed, items) - score_items(llama, items)).nan_to_num()
    assert difference.abs().max() > 0.05
