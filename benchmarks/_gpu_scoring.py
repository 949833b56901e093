"""Parts of the GPU benchmark that read a model: its matrix rate, choices' scores, hidden states."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from _machine import Timing, interleaved_medians
from _measure import counted_work, peak_bytes
from _models import GeneratedItems, Language
from training.item_states import probe_layers
from training.models.load import LoadedModel
from training.prompts import DEFAULT_PROMPT, Example
from training.scoring.choices import (
    EncodedItem,
    batches_by_length,
    encode_items,
    score_items,
    score_pairs,
    scored_batches,
)

PLAIN_TOKENS = 16_384  # padded tokens of a batch of pairs, which forms logits at all of them


@dataclass(frozen=True)
class Lengths:
    """How much is scored: items at k = 0 and at k = `shots`, and for the hidden states."""

    items: int
    shots: int
    items_with_shots: int
    items_for_states: int
    items_in_float32: int


def matrix_rate(device: str, size: int) -> float:
    """Additions and multiplications a second of a bf16 product of two (size, size) matrices."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = []
    for _ in range(10):
        finish(device)
        started = time.perf_counter()
        for _ in range(5):
            left @ right
        finish(device)
        seconds.append((time.perf_counter() - started) / 5)
    return 2 * size**3 / statistics.median(seconds[3:])


def finish(device: str) -> None:
    """Wait for the device."""
    if device != "cpu":
        torch.cuda.synchronize()


@torch.no_grad()
def plain_scores(loaded: LoadedModel, items: Sequence[EncodedItem]) -> Tensor:
    """Every (prompt, choice) pair a sequence of its own: (items, most choices)."""
    most = max(len(item.choices) for item in items)
    scores = torch.full((len(items), most), -torch.inf)
    for batch in batches_by_length(items, PLAIN_TOKENS // most):
        found = score_pairs(loaded.model, [items[i] for i in batch], _padding(loaded))
        scores[torch.tensor(batch)] = found.log_probabilities.float().cpu()
    return scores


def rounding(loaded: LoadedModel, items: Sequence[EncodedItem]) -> dict[str, float]:
    """Root mean square error of bf16 scores, ours and plain, to the same weights in float32.

    Asserts that ours is no worse than the plain way.
    """
    mine, plain = score_items(loaded, items), plain_scores(loaded, items)
    cast_weights(loaded, torch.float32)
    exact = plain_scores(loaded, items)
    cast_weights(loaded, torch.bfloat16)
    errors = {"labelmix": _distance(mine, exact), "plain": _distance(plain, exact)}
    assert errors["labelmix"] <= 1.5 * errors["plain"] + 1e-3, f"errors to float32: {errors}"
    return errors


def cast_weights(loaded: LoadedModel, dtype: torch.dtype) -> None:
    """Hold weights in `dtype`; the rotary frequencies stay in float32, which bf16 would spoil."""
    for weights in loaded.model.parameters():
        weights.data = weights.data.to(dtype)


def scoring(
    loaded: LoadedModel,
    language: Language,
    shots: int,
    count: int,
    bf16_error: float,
    folder: Path,
) -> dict[str, Any]:
    """Time our scorer against plain pairs, and the harness where it is installed.

    Both ways must agree to four times the error that bf16 itself makes.
    """
    items, pool = language.items(count, 0), language.items(max(shots, 1), 1)
    examples = tuple(pool.examples()[:shots])
    encoded = encode(loaded, items, examples)
    ways: dict[str, Callable[[], object]] = {
        "labelmix": lambda: score_items(loaded, encoded),
        "plain": lambda: plain_scores(loaded, encoded),
    }
    difference = _distance(score_items(loaded, encoded), plain_scores(loaded, encoded))
    assert difference <= 4 * bf16_error, f"scores are {difference:.3g} apart"
    if find_spec("lm_eval"):
        from _harness import Harness

        harness = Harness(folder, loaded, items, pool)
        requests = _requests(items, examples)
        ways["lm-evaluation-harness"] = lambda: harness.loglikelihood(requests, 32)
    timings = interleaved_medians(ways, repetitions=3)
    return {
        "items": count,
        "shots": shots,
        "difference": difference,
        "ratio": timings["plain"]["median"] / timings["labelmix"]["median"],
        "ways": {name: _rates(loaded, way, timings[name], count) for name, way in ways.items()},
    }


def _rates(
    loaded: LoadedModel, way: Callable[[], object], timing: Timing, items: int
) -> dict[str, Any]:
    """What one way took and reached; `operations_per_second` are of products with weights."""
    with counted_work(loaded.model) as work:
        memory = peak_bytes(way, loaded.device.type)
    seconds = timing["median"]
    return {
        "seconds": timing["seconds"],
        "items_per_second": items / seconds,
        "tokens_computed": work.tokens,
        "tokens_per_second": work.tokens / seconds,
        "operations_per_second": work.matrix_operations(loaded.model) / seconds,
        "peak_bytes_above_model": memory,
    }


def hidden_states(loaded: LoadedModel, language: Language, count: int) -> dict[str, Any]:
    """Our hidden states against the plain loop; vectors must point the same way."""
    encoded = encode(loaded, language.items(count, 0))
    layers = probe_layers(loaded)
    moved = {"labelmix": 0, "plain": 0}

    def ours() -> Tensor:
        found: list[Tensor] = [torch.empty(0)] * count
        moved["labelmix"] = 0
        for batch, scored in scored_batches(loaded, encoded, layers):
            assert scored.states is not None
            states = scored.states.cpu()  # (batch, choices, layers, width)
            moved["labelmix"] += states.nbytes
            for index, own in zip(batch, states, strict=True):
                found[index] = own
        return torch.stack(found)

    @torch.no_grad()
    def plain() -> Tensor:
        found: list[Tensor] = [torch.empty(0)] * count
        moved["plain"] = 0
        for batch in batches_by_length(encoded, PLAIN_TOKENS // 4):
            pairs = [(encoded[i].prompt, choice) for i in batch for choice in encoded[i].choices]
            padded = loaded.tokenizer.pad(
                {"input_ids": [[*prompt, *choice] for prompt, choice in pairs]},
                padding_side="right",
                return_tensors="pt",
            ).to(loaded.device)
            output = loaded.model(**padded, output_hidden_states=True)
            everything = torch.stack(output.hidden_states).cpu()  # (layers, pairs, tokens, width)
            moved["plain"] += everything.nbytes
            ends = torch.tensor([len(prompt) + len(choice) - 1 for prompt, choice in pairs])
            picked = everything[layers][:, torch.arange(len(pairs)), ends].transpose(0, 1)
            for index, own in zip(batch, picked.unflatten(0, (len(batch), -1)), strict=True):
                found[index] = own
        return torch.stack(found)

    alike = torch.cosine_similarity(ours().float(), plain().float(), dim=-1)
    assert float(alike.min()) > 0.99, f"hidden states differ: cosine {float(alike.min()):.4f}"
    timings = interleaved_medians({"labelmix": ours, "plain": plain}, repetitions=3)
    return {
        "items": count,
        "ratio": timings["plain"]["median"] / timings["labelmix"]["median"],
        "least_cosine": float(alike.min()),
        "bytes_moved": moved,
        "timings": timings,
    }


def encode(
    loaded: LoadedModel, items: GeneratedItems, examples: tuple[Example, ...] = ()
) -> list[EncodedItem]:
    """Items as token ids."""
    return encode_items(loaded, items.questions, items.choices, items.item_ids, examples=examples)


def _requests(items: GeneratedItems, examples: tuple[Example, ...]) -> list[tuple[str, str]]:
    return [
        (DEFAULT_PROMPT.text(question, choices, examples), DEFAULT_PROMPT.answer(choice))
        for question, choices in zip(items.questions, items.choices, strict=True)
        for choice in choices
    ]


def _padding(loaded: LoadedModel) -> int:
    return int(loaded.tokenizer.pad_token_id or 0)


def _distance(one: Tensor, other: Tensor) -> float:
    """Root mean square difference of scores."""
    return float((one - other).square().mean().sqrt())
