"""Every architecture scores as its plain runs do; one that cannot in one pass is run plainly."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from training.scoring import packed, packing, verification
from training.scoring.choices import ScoredBatch, score_batch, score_pairs
from training.scoring.encoding import EncodedItem
from training.scoring.hooks import find_layers
from training.scoring.prefix import run_prefix
from training.scoring.verification import packed_is_exact

TOLERANCE = 1e-4
LAYERS = [0, 1, 2]
SHAPE = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = {**SHAPE, "sliding_window": 20}
MIXED = {"layer_types": ["sliding_attention", "full_attention"]}
OLDER = {
    "vocab_size": 96,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
}
IN_ONE_PASS: dict[str, tuple[str, dict[str, Any]]] = {
    "grouped queries": ("Llama", SHAPE),
    "sliding window": ("Mistral", WINDOW),
    "windows in some layers": ("Gemma3Text", {**WINDOW, **MIXED, "head_dim": 8}),
    "windows from a layer on": (
        "Qwen2",
        {**WINDOW, "use_sliding_window": True, "max_window_layers": 1},
    ),
    "capped logits": ("Gemma2", {**WINDOW, "head_dim": 8, "final_logit_softcapping": 3.0}),
    "scaled logits": ("Cohere", {**SHAPE, "logit_scale": 0.3}),
    "divided logits": ("Granite", {**SHAPE, "logits_scaling": 4.0}),
    "learned positions": ("GPT2", {**OLDER, "n_positions": 256}),
    "parallel blocks": ("GPTNeoX", {**OLDER, "intermediate_size": 48}),
    "experts": ("Mixtral", {**SHAPE, "num_local_experts": 4}),
    "offset positions": (
        "OPT",
        {**OLDER, "ffn_dim": 48, "word_embed_proj_dim": 32, "init_std": 0.2},
    ),
}
PAIR_BY_PAIR: dict[str, tuple[str, dict[str, Any]]] = {
    "ALiBi": ("Bloom", OLDER),
    "ALiBi, silently": ("Mpt", {"vocab_size": 96, "d_model": 32, "n_layers": 2, "n_heads": 4}),
    "local attention": (
        "GPTNeo",
        {
            "vocab_size": 96,
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
        },
    ),
    "recurrent": ("Mamba", {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2}),
}


def make(kind: str, settings: dict[str, Any]) -> PreTrainedModel:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**settings)
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture(scope="module")
def items() -> list[EncodedItem]:
    """Sixty shared tokens, then questions and choices of many lengths; 1 to 4 choices."""
    generator = torch.Generator().manual_seed(1)

    def draw(count: int) -> list[int]:
        drawn: list[int] = torch.randint(3, 96, (count,), generator=generator).tolist()
        return drawn

    shared = draw(60)
    shapes = [(3, (1, 2, 30)), (40, (5, 5, 5, 5)), (12, (1,)), (7, (3, 9))]
    return [EncodedItem(shared + draw(q), [draw(n) for n in lengths]) for q, lengths in shapes]


def slow(model: PreTrainedModel, items: list[EncodedItem]) -> tuple[Tensor, Tensor]:
    """Each choice by itself: scores and states at last tokens, (choices of all items, ...)."""
    scores, states = [], []
    for item in items:
        for choice in item.choices:
            ids = torch.tensor([item.prompt + choice])
            output = model(input_ids=ids, output_hidden_states=True)
            logs = output.logits[0].log_softmax(-1)
            places = range(len(item.prompt) - 1, ids.shape[1] - 1)
            pairs = zip(places, choice, strict=True)
            scores.append(torch.stack([logs[place, token] for place, token in pairs]).sum())
            states.append(torch.stack([output.hidden_states[layer][0, -1] for layer in LAYERS]))
    return torch.stack(scores), torch.stack(states)


def check(scored: ScoredBatch, expected: tuple[Tensor, Tensor]) -> None:
    present = scored.log_probabilities.isfinite()
    found = scored.log_probabilities[present]
    torch.testing.assert_close(found, expected[0], rtol=0, atol=TOLERANCE)
    if scored.states is not None:
        states = scored.states[present]
        torch.testing.assert_close(states, expected[1], rtol=0, atol=TOLERANCE)


@pytest.fixture(params=IN_ONE_PASS)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return make(*IN_ONE_PASS[request.param])


@torch.no_grad()
def test_one_pass_equals_every_choice_by_itself(
    model: PreTrainedModel, items: list[EncodedItem]
) -> None:
    expected = slow(model, items)
    assert packed_is_exact(model)
    prefix = run_prefix(model, items)
    assert prefix is not None
    assert prefix.length == 60
    check(score_batch(model, items, 0), expected)
    check(score_batch(model, items, 0, LAYERS), expected)
    check(score_batch(model, items, 0, None, prefix), expected)
    check(score_batch(model, items, 0, LAYERS, prefix), expected)
    check(score_pairs(model, items, 0, LAYERS), expected)
    check(score_pairs(model, items, 0, LAYERS, "left"), expected)


def test_gradients_equal_those_of_every_choice_by_itself(
    model: PreTrainedModel, items: list[EncodedItem]
) -> None:
    def gradients(scores: Tensor) -> dict[str, Tensor]:
        model.zero_grad()
        F.cross_entropy(scores.nan_to_num(neginf=-1e9), torch.tensor([2, 0, 0, 1])).backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    fast = gradients(score_batch(model, items, 0).log_probabilities)
    plain = gradients(score_pairs(model, items, 0).log_probabilities)
    assert fast.keys() == plain.keys()
    size = max(float(gradient.abs().max()) for gradient in plain.values())
    assert size > 0.1
    for name, gradient in plain.items():
        torch.testing.assert_close(fast[name], gradient, rtol=TOLERANCE, atol=TOLERANCE * size)


@pytest.mark.parametrize("name", PAIR_BY_PAIR)
@torch.no_grad()
def test_other_architectures_are_run_pair_by_pair_and_say_so_once(
    name: str, items: list[EncodedItem], caplog: pytest.LogCaptureFixture
) -> None:
    model = make(*PAIR_BY_PAIR[name])
    expected = slow(model, items)
    with caplog.at_level(logging.WARNING, "training"):
        check(score_batch(model, items, 0, LAYERS), expected)
        check(score_batch(model, items, 0), expected)
    assert not packed_is_exact(model)
    [message] = [record.getMessage() for record in caplog.records if "training" in record.name]
    assert message.startswith(f"{type(model).__name__}: every (prompt, choice) pair is run by")


def without_window(batch: packing.PackedBatch, past: int, dtype: torch.dtype, *_: int) -> Tensor:
    return packing.attention_mask(batch, past, dtype)


def seeing_all(batch: packing.PackedBatch, past: int, *_: object) -> Tensor:
    rows, width = batch.ids.shape
    hidden = torch.ones(width, past + width, dtype=torch.bool).triu(past + 1)
    return torch.zeros(rows, 1, width, past + width).masked_fill(hidden, -1e30)


@pytest.mark.parametrize(
    ("kind", "settings", "mask"),
    [
        ("Mistral", {**SHAPE, "sliding_window": 4096}, without_window),
        ("Gemma3Text", {**WINDOW, **MIXED, "head_dim": 8, "sliding_window": 512}, without_window),
        ("Llama", SHAPE, seeing_all),
    ],
)
def test_a_wrong_mask_is_noticed_also_by_windows_wider_than_what_is_tried(
    kind: str,
    settings: dict[str, Any],
    mask: Callable[..., Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert packed_is_exact(make(kind, settings))
    monkeypatch.setattr(packed, "attention_mask", mask)
    assert not packed_is_exact(make(kind, settings))


def test_the_trial_leaves_the_model_as_it_was() -> None:
    model = make("Mistral", WINDOW).train()
    model.model.layers[0].eval()
    modes = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    assert packed_is_exact(model)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert model.config.sliding_window == 20
    assert all(weights.grad is None for weights in model.parameters())


def test_a_model_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make("Llama", SHAPE)
    assert packed_is_exact(model)
    monkeypatch.setattr(verification, "_difference", lambda _: "must not be asked again")
    assert packed_is_exact(model)


def test_lack_of_memory_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise torch.OutOfMemoryError("none left")

    model = make("Llama", SHAPE)
    with monkeypatch.context() as patch:
        patch.setattr(verification, "score_packed", too_much)
        with pytest.raises(torch.OutOfMemoryError):
            packed_is_exact(model)
    assert packed_is_exact(model)


@torch.no_grad()
def test_states_where_the_layers_cannot_be_found(
    items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("Llama", SHAPE)
    assert find_layers(model, 2) is model.model.layers
    monkeypatch.setattr("training.scoring.hooks.find_layers", lambda *_: None)
    check(score_batch(model, items, 0, LAYERS), slow(model, items))
    assert packed_is_exact(model)
