"""The loop: parts of a batch, memory that runs out, activations computed twice, sequences."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from peft import PeftModel
from torch import Tensor
from transformers import OPTConfig, OPTForCausalLM

from annotation.errors import InputError
from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource, find_model
from training.scoring.choices import EncodedItem, encode_items, score_batch
from training.tuning import activations, finetune
from training.tuning.activations import activations_fit, saved_bytes
from training.tuning.adapters import adapted, take_off
from training.tuning.diverged import TrainingDivergedError
from training.tuning.finetune import Objective, train
from training.tuning.qlora import (
    QloraSettings,
    prepare,
    train_and_score,
    train_on_sequences,
)

SHORT = QloraSettings(
    rank=4, alpha=8, batch=6, epochs=2, least_updates=1, learning_rate=5e-3, checkpointing=False
)


@pytest.fixture
def packed(llama_source: ModelSource) -> LoadedModel:
    loaded = load_model(llama_source, "nf4", device="cpu")
    prepare(loaded)
    return loaded


@pytest.fixture
def items(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    table = make_items(16)
    return encode_items(
        llama, table["question"].tolist(), table["choices"].tolist(), table["item_id"].tolist()
    )


def labels_of(items: Sequence[EncodedItem]) -> list[int]:
    return [index % len(item.choices) for index, item in enumerate(items)]


def run(loaded: LoadedModel, items: list[EncodedItem], settings: QloraSettings = SHORT) -> Tensor:
    """Ten items in batches of six and four, so that the last of an epoch is smaller."""
    return train_and_score(loaded, items[:10], labels_of(items[:10]), items[10:], settings, 0)


def test_parts_are_of_like_length_and_within_the_budget() -> None:
    objective = Objective(lambda _model, _indices: torch.zeros(0), [50, 10, 40, 30, 90])
    assert list(objective.parts([0, 1, 2, 3, 4], 100)) == [[4], [0, 2], [3, 1]]
    assert list(objective.parts([1, 3], 100)) == [[3, 1]]
    assert list(objective.parts([4, 0], 20)) == [[4], [0]]
    assert list(objective.parts([0, 1, 2, 3, 4], 1000)) == [[4, 0, 2, 3, 1]]


@pytest.mark.parametrize("tokens_per_pass", [1, 150, 300])
def test_the_result_does_not_depend_on_the_parts(
    packed: LoadedModel, items: list[EncodedItem], tokens_per_pass: int
) -> None:
    together = run(packed, items)
    apart = run(packed, items, replace(SHORT, tokens_per_pass=tokens_per_pass))
    torch.testing.assert_close(apart, together, rtol=0, atol=1e-3)
    untrained = run(packed, items, replace(SHORT, learning_rate=0.0))
    assert (together - untrained).nan_to_num().abs().max() > 0.5


def short_of_memory(monkeypatch: pytest.MonkeyPatch, most_items: int) -> list[int]:
    """Let passes of more than `most_items` items run out of memory half way; lists all passes."""
    passes: list[int] = []
    whole_accumulate = finetune._Update._accumulate

    def accumulate(update: finetune._Update, batch: Sequence[int]) -> float | None:
        whole = update.objective

        def limited(model: PeftModel, indices: Sequence[int]) -> Tensor:
            passes.append(len(indices))
            found = whole.losses(model, indices)
            if len(indices) > most_items:
                found.sum().backward()  # what a pass leaves behind must not count twice
                raise torch.OutOfMemoryError("CUDA out of memory")
            return found

        update.objective = Objective(limited, whole.tokens)
        try:
            return whole_accumulate(update, batch)
        finally:
            update.objective = whole

    monkeypatch.setattr(finetune._Update, "_accumulate", accumulate)
    return passes


def test_parts_are_halved_where_memory_runs_out(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(packed, items)
    passes = short_of_memory(monkeypatch, most_items=2)
    torch.testing.assert_close(run(packed, items), expected, rtol=0, atol=1e-3)
    assert passes[0] == 6
    assert sum(size for size in passes if size <= 2) >= 20  # two epochs of ten items


def test_dropout_is_drawn_as_if_memory_had_not_run_out(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    alike, labels = [items[0]] * 6, [0, 1, 2, 3, 0, 1]
    settings = replace(SHORT, dropout=0.4)

    def scores(settings: QloraSettings) -> Tensor:
        return train_and_score(packed, alike, labels, items[10:], settings, 0)

    alone = scores(replace(settings, tokens_per_pass=1))
    passes = short_of_memory(monkeypatch, most_items=1)
    assert torch.equal(scores(settings), alone)
    assert passes == [6, 3] + [1] * 12


def test_an_item_that_does_not_fit_alone(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, most_items=0)
    with pytest.raises(InputError, match=r"an item of \d+ tokens does not fit into memory"):
        run(packed, items)
    monkeypatch.undo()
    run(packed, items)


def test_other_errors_are_passed_on(packed: LoadedModel) -> None:
    def broken(_model: PeftModel, _indices: Sequence[int]) -> Tensor:
        raise RuntimeError("shapes do not match")

    with (
        adapted(packed, SHORT, seed=0) as model,
        pytest.raises(RuntimeError, match="shapes do not match"),
    ):
        train(model, Objective(broken, [5, 5]), SHORT, seed=0)


def test_checkpointing_changes_nothing_but_memory(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    settings = replace(SHORT, dropout=0.3)
    kept = run(packed, items, settings)
    twice = run(packed, items, replace(settings, checkpointing=True))
    torch.testing.assert_close(twice, kept, rtol=0, atol=1e-4)
    assert not any(getattr(m, "gradient_checkpointing", False) for m in packed.model.modules())


def test_checkpointing_under_the_names_that_transformers_had_before() -> None:
    calls: list[object] = []

    class Base:
        def gradient_checkpointing_enable(self, arguments: object) -> None:
            calls.append(arguments)

        def gradient_checkpointing_disable(self) -> None:
            calls.append("off")

        def modules(self) -> list[torch.nn.Module]:
            return []

    class Adapted:
        def get_base_model(self) -> Base:
            return Base()

    with finetune._checkpointed(Adapted(), True):
        assert calls == [{"use_reentrant": False}]
    assert calls[1:] == ["off"]


def test_checkpointing_that_an_architecture_does_not_have(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(packed.model), "supports_gradient_checkpointing", False)
    with pytest.raises(InputError, match=r"cannot train with \[qlora\] checkpointing .* to false"):
        run(packed, items, replace(SHORT, checkpointing=True))


def test_checkpointing_keeps_fewer_bytes(packed: LoadedModel, items: list[EncodedItem]) -> None:
    def kept(checkpointing: bool) -> int:
        with adapted(packed, SHORT, seed=0) as model:
            finetune._drop_out_in_adapters_alone(model)  # as in training
            with finetune._checkpointed(model, checkpointing):
                return saved_bytes(
                    model, lambda: score_batch(model, items[:4], 0).log_probabilities.sum()
                )

    assert kept(True) < 0.5 * kept(False)


def test_bytes_of_saved_tensors() -> None:
    model = torch.nn.Linear(4, 3, bias=False)
    x = torch.randn(5, 4, requires_grad=True)

    def forward() -> Tensor:
        # Kept: x (5 x 4) for the weight's gradient, and the exponential's result (5 x 3) once for
        # its own gradient and once more for the square's; not the weight.
        exponential = model(x).exp()
        total: Tensor = (exponential * exponential).sum()
        return total

    assert saved_bytes(model, forward) == 4 * (5 * 4 + 5 * 3)


@pytest.mark.parametrize(("there", "fits"), [(7150, True), (7140, False)])
def test_activations_are_held_against_the_memory_at_hand(
    monkeypatch: pytest.MonkeyPatch, there: int, fits: bool
) -> None:
    """Items of 10, 20 and 50 tokens: the middle one keeps 400 bytes, 20 a token.

    The largest part holds 250 tokens, so 5,000 bytes must be within .7 of what is there.
    """
    monkeypatch.setattr(activations, "bytes_there", lambda _device: there)
    model = torch.nn.Linear(1, 1)

    def losses(index: int) -> Tensor:
        tokens = [50, 20, 10][index]
        return torch.ones(5 * tokens, requires_grad=True).exp().sum()

    settings = QloraSettings(tokens_per_pass=250)
    assert activations_fit(model, losses, [50, 20, 10], settings) == fits


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_activations_do_not_fit_where_one_item_runs_out_of_memory(
    packed: LoadedModel,
    items: list[EncodedItem],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    expected = run(packed, items, replace(SHORT, checkpointing=True))

    def short(*_: object) -> int:
        raise error

    monkeypatch.setattr(activations, "saved_bytes", short)
    assert torch.equal(run(packed, items, replace(SHORT, checkpointing="auto")), expected)


def test_an_estimate_that_fails_otherwise_is_passed_on() -> None:
    def losses(_index: int) -> Tensor:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        activations_fit(torch.nn.Linear(1, 1), losses, [5], SHORT)


@pytest.mark.parametrize(
    ("setting", "there", "expected"),
    [
        ("auto", 1, True),
        ("auto", 1 << 40, False),
        (True, 1 << 40, True),
        (False, 1, False),
    ],
)
def test_when_activations_are_computed_twice(
    packed: LoadedModel,
    items: list[EncodedItem],
    monkeypatch: pytest.MonkeyPatch,
    setting: bool,
    there: int,
    expected: bool,
) -> None:
    monkeypatch.setattr(activations, "bytes_there", lambda _device: there)
    seen: set[bool] = set()

    def look(_done: int, _total: int) -> None:
        seen.add(any(getattr(m, "gradient_checkpointing", False) for m in packed.model.modules()))

    settings = replace(SHORT, checkpointing=setting)
    labels = labels_of(items[:6])
    train_and_score(packed, items[:6], labels, items[:1], settings, 0, look)
    assert seen == {expected}


def test_the_estimate_leaves_the_result_as_it_is(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    settings = replace(SHORT, dropout=0.3)
    assert torch.equal(
        run(packed, items, replace(settings, checkpointing="auto")), run(packed, items, settings)
    )


def test_soft_targets_and_redraw_rates_are_trained_on(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    train_items, labels = items[:10], np.array(labels_of(items[:10]))
    counts = np.array([len(item.choices) for item in train_items])
    most = np.arange(4)
    one_hot = (labels[:, None] == most).astype(float)
    even = (most < counts[:, None]) / counts[:, None]

    def scores(
        targets: NDArray[np.float64] | NDArray[np.int64], rates: NDArray[np.float64] | None = None
    ) -> Tensor:
        return train_and_score(
            packed, train_items, targets, items[10:], SHORT, 0, redraw_rates=rates
        )

    hard = scores(labels)
    assert torch.equal(scores(one_hot), hard)
    torch.testing.assert_close(scores(one_hot, np.zeros(10)), hard, rtol=0, atol=1e-4)
    assert (scores(0.7 * one_hot + 0.3 * even) - hard).nan_to_num().abs().max() > 0.01
    assert (scores(one_hot, np.full(10, 0.3)) - hard).nan_to_num().abs().max() > 0.01
    # Labels that are all drawn at random have no gradient.
    untrained = run(packed, items, replace(SHORT, learning_rate=0.0, weight_decay=0.0))
    torch.testing.assert_close(scores(one_hot, np.ones(10)), untrained, rtol=0, atol=1e-4)


def test_rates_of_another_length(packed: LoadedModel, items: list[EncodedItem]) -> None:
    with pytest.raises(ValueError, match=r"'redraw_rates' should be \(4,\)"):
        train_and_score(
            packed, items[:4], [0] * 4, items, SHORT, 0, redraw_rates=np.array([0.1, 0.1])
        )


PROMPTS = [[1, 40, 41, 42], [1, 50], [1, 60, 61]]
WRITTEN = [[70, 71, 72], [80], [90, 91]]
END = 2


def sequence_log_probability(model: PeftModel, prompt: list[int], target: list[int]) -> Tensor:
    """One sequence by itself, token by token, the end token last."""
    whole = [*target, END]
    logits = model(input_ids=torch.tensor([[*prompt, *whole]]), use_cache=False).logits[0]
    chances = logits.log_softmax(-1)
    return torch.stack(
        [chances[len(prompt) - 1 + place, token] for place, token in enumerate(whole)]
    ).sum()


def test_sequences_are_trained_as_by_a_plain_loop(
    packed: LoadedModel, llama_source: ModelSource
) -> None:
    settings = replace(SHORT, batch=2, epochs=4, schedule="linear_to_tenth")
    with train_on_sequences(packed, PROMPTS, WRITTEN, settings, seed=3) as model, torch.no_grad():
        pairs = list(zip(PROMPTS, WRITTEN, strict=True))
        found = torch.stack([sequence_log_probability(model, *pair) for pair in pairs])

    other = load_model(llama_source, "nf4", device="cpu")
    prepare(other)
    with adapted(other, settings, seed=3) as model:
        with torch.no_grad():
            before = torch.stack([sequence_log_probability(model, *pair) for pair in pairs])
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, weight_decay=1e-5)
        shuffler = torch.Generator().manual_seed(3)
        update = 0
        for _ in range(4):
            order = torch.randperm(3, generator=shuffler).tolist()
            for batch in (order[:2], order[2:]):
                optimizer.param_groups[0]["lr"] = 5e-3 * (1 - 0.9 * update / 8)
                losses = [-sequence_log_probability(model, *pairs[index]) for index in batch]
                optimizer.zero_grad()
                torch.stack(losses).mean().backward()
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                optimizer.step()
                update += 1
        with torch.no_grad():
            expected = torch.stack([sequence_log_probability(model, *pair) for pair in pairs])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)
    assert (found > before + 1).all()


def test_an_end_token_is_added_once(packed: LoadedModel) -> None:
    def trained(targets: list[list[int]]) -> Tensor:
        with train_on_sequences(packed, PROMPTS, targets, SHORT, 0) as model, torch.no_grad():
            return torch.stack(
                [
                    sequence_log_probability(model, prompt, target)
                    for prompt, target in zip(PROMPTS, WRITTEN, strict=True)
                ]
            )

    assert torch.equal(trained(WRITTEN), trained([[*target, END] for target in WRITTEN]))


def test_after_the_block_the_adapter_rests(packed: LoadedModel) -> None:
    ids = torch.tensor([[1, 40, 41]])
    with torch.no_grad():
        before = packed.model(ids).logits
        with train_on_sequences(packed, PROMPTS, WRITTEN, SHORT, 0) as model:
            assert not model.training
            assert (model(ids).logits - before).abs().max() > 0.1
        assert torch.equal(packed.model(ids).logits, before)


def test_a_sequence_longer_than_the_context(packed: LoadedModel) -> None:
    with (
        pytest.raises(InputError, match=r"^sequence 2: prompt and target take 193 tokens, .* 192"),
        train_on_sequences(packed, PROMPTS[:2], [[70], [80] * 190], SHORT, 0),
    ):
        pass
    with (
        pytest.raises(InputError, match=r"^item 'b': prompt and target take 193 tokens"),
        train_on_sequences(packed, PROMPTS[:2], [[70], [80] * 190], SHORT, 0, names=["a", "b"]),
    ):
        pass


def test_an_encoder_writes_no_sequences(bert: LoadedModel) -> None:
    with (
        pytest.raises(InputError, match="is an encoder and writes no text"),
        train_on_sequences(bert, PROMPTS, WRITTEN, SHORT, 0),
    ):
        pass


def test_a_loss_that_is_not_finite_names_trial_and_update(packed: LoadedModel) -> None:
    calls: list[int] = []

    def losses(model: PeftModel, indices: Sequence[int]) -> Tensor:
        calls.append(1)
        weight: Tensor = next(p for p in model.parameters() if p.requires_grad)
        return weight.sum() * torch.full((len(indices),), 1.0 if len(calls) < 3 else float("nan"))

    with (
        adapted(packed, SHORT, seed=0) as model,
        pytest.raises(
            TrainingDivergedError,
            match=r"^qlora on 9 labels, seed 4: the loss became nan at update 3; lower \[qlora\]",
        ),
    ):
        train(model, Objective(losses, [5] * 9), SHORT, seed=4)


def test_a_gradient_that_is_not_finite_ends_the_run(packed: LoadedModel) -> None:
    calls: list[int] = []

    def losses(model: PeftModel, indices: Sequence[int]) -> Tensor:
        """Of value 0; the second update's has a gradient whose square is beyond float32."""
        calls.append(1)
        weight: Tensor = next(p for p in model.parameters() if p.requires_grad)
        slope = 1e30 if len(calls) == 2 else 1.0
        nothing: Tensor = weight.sum() - weight.sum().detach()
        return nothing.expand(len(indices)) * slope

    def first_adapter() -> Tensor:
        weight: Tensor = next(p for p in model.parameters() if p.requires_grad)
        return weight.detach().clone()

    settings = replace(SHORT, schedule="linear_to_tenth")
    with adapted(packed, settings, seed=0) as model:
        first = first_adapter()
        with pytest.raises(
            TrainingDivergedError,
            match=r"^qlora on 9 labels, seed 4: the gradient's norm became inf at update 2;",
        ):
            train(model, Objective(losses, [5] * 9), settings, seed=4)
        moved = (first_adapter() - first).abs().max()
        assert 0 < moved < 2 * settings.learning_rate  # by the first update alone


def test_sequences_whose_last_update_breaks_the_model(packed: LoadedModel) -> None:
    settings = replace(SHORT, learning_rate=1e30, batch=3, epochs=1)
    with (
        pytest.raises(
            TrainingDivergedError,
            match=r"^qlora on 3 labels, seed 0: the loss became (nan|inf) after 1 update",
        ),
        train_on_sequences(packed, PROMPTS, WRITTEN, settings, 0),
    ):
        pass


@pytest.fixture(params=["gpt2", "opt"])
def dropping(
    request: pytest.FixtureRequest, tmp_path: Path, gpt2_folder: Path, llama_folder: Path
) -> LoadedModel:
    """Decoders that drop out in training: by layers, or by code and numbers of their own."""
    folder = gpt2_folder
    if request.param == "opt":
        folder = tmp_path
        for path in llama_folder.glob("token*"):
            (folder / path.name).write_bytes(path.read_bytes())
        torch.manual_seed(0)
        config = OPTConfig(
            vocab_size=296,
            hidden_size=64,
            word_embed_proj_dim=64,
            ffn_dim=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=192,
            dropout=0.3,
            layerdrop=0.5,
            init_std=0.2,
        )
        OPTForCausalLM(config).save_pretrained(folder)
    loaded = load_model(find_model(str(folder)), "nf4", device="cpu")
    prepare(loaded)
    return loaded


def test_the_models_own_dropout_is_off(dropping: LoadedModel, items: list[EncodedItem]) -> None:
    def scores(**changes: Any) -> Tensor:
        return run(dropping, items[:11], replace(SHORT, **changes))

    before = [vars(module).get("dropout") for module in dropping.model.modules()]
    together = scores()
    torch.testing.assert_close(scores(tokens_per_pass=1), together, rtol=0, atol=2e-3)
    torch.testing.assert_close(scores(checkpointing=True), together, rtol=0, atol=2e-3)
    dropped_out = [scores(dropout=0.5, tokens_per_pass=tokens) for tokens in (1, 1024)]
    assert (dropped_out[0] - dropped_out[1]).nan_to_num().abs().max() > 0.05
    take_off(dropping)
    assert [vars(module).get("dropout") for module in dropping.model.modules()] == before
