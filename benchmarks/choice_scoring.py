"""Scoring the choices of items: labelmix against lm-evaluation-harness.

Same model in memory, same texts (prompt 0040; at k = 10 the same ten worked examples before every
item), one thread each. Every choice's summed log-probability must be equal to 1e-4. Both are timed
from text to log-probabilities: the harness's `HFLM.loglikelihood` on requests that it has built
before, at the batch size that suits it best of those tried. Its whole `simple_evaluate`, with the
building of requests and metrics, is timed once beside it. Random Llama, generated items.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from _harness import Harness
from _machine import interleaved_medians, write_result
from _measure import counted_work, fitted_exponent, peak_bytes
from _models import SMALL, GeneratedItems, Language, random_llama
from training.models.load import LoadedModel, set_threads
from training.models.quiet import quiet_libraries
from training.prompts import DEFAULT_PROMPT, Example
from training.scoring.choices import encode_items, score_items

TOLERANCE = 1e-4
SHOTS = 10
# Shots -> items and repetitions: with ten shots the harness takes seconds an item.
SIZES = {0: (48, 3), SHOTS: (12, 2)}
# Shots -> batch sizes tried for the harness, on how many items.
BATCH_SIZES: dict[int, tuple[tuple[int, ...], int]] = {
    0: ((1, 2, 4, 8, 16, 32), 12),
    SHOTS: ((1, 4, 8), 2),
}


def ours(loaded: LoadedModel, items: GeneratedItems, examples: tuple[Example, ...] = ()) -> Tensor:
    """Texts to log-probabilities: (items, most choices)."""
    encoded = encode_items(
        loaded, items.questions, items.choices, items.item_ids, examples=examples
    )
    return score_items(loaded, encoded)


def best_batch_size(harness: Harness, requests: list[tuple[str, str]], shots: int) -> int:
    """Of the batch sizes tried on the first requests, the fastest."""
    sizes, items = BATCH_SIZES[shots]
    seconds = {}
    harness.loglikelihood(requests[:4], 4)
    for size in sizes:
        started = time.perf_counter()
        harness.loglikelihood(requests[: 4 * items], size)
        seconds[size] = time.perf_counter() - started
    return min(seconds, key=seconds.__getitem__)


def compare(
    folder: Path, loaded: LoadedModel, language: Language, shots: int
) -> tuple[dict[str, Any], Tensor]:
    """Score the same items on both sides; return the record and our scores."""
    count, repetitions = SIZES[shots]
    items, pool = language.items(count, seed=0), language.items(SHOTS, seed=1)
    examples = tuple(pool.examples()[:shots])
    harness = Harness(folder, loaded, items, pool)
    requests = _requests(items, examples)
    batch_size = best_batch_size(harness, requests, shots)

    with counted_work(loaded.model) as theirs_computed:
        started = time.perf_counter()
        evaluation = harness.evaluate(shots, batch_size)
        whole = time.perf_counter() - started
    assert evaluation.requests == requests, "the two sides were given different texts"
    ours(loaded, items, examples)  # the first call also checks the model
    with counted_work(loaded.model) as ours_computed:
        scores = ours(loaded, items, examples)
    difference = float((scores - evaluation.scores).nan_to_num(0.0).abs().max())
    assert scores.shape == evaluation.scores.shape
    assert difference <= TOLERANCE, f"log-probabilities differ by {difference:.2e}"

    timings = interleaved_medians(
        {
            "labelmix": lambda: ours(loaded, items, examples),
            "lm-evaluation-harness": lambda: harness.loglikelihood(requests, batch_size),
        },
        repetitions,
    )
    mine = timings["labelmix"]["median"]
    peer = timings["lm-evaluation-harness"]["median"]
    record = {
        "items": count,
        "shots": shots,
        "batch_size": batch_size,
        "ratio": peer / mine,
        "ratio_to_simple_evaluate": whole / mine,
        "simple_evaluate_seconds": whole,
        "items_per_second": {"labelmix": count / mine, "lm-evaluation-harness": count / peer},
        "tokens_computed": {
            "labelmix": ours_computed.tokens,
            "lm-evaluation-harness": theirs_computed.tokens,
        },
        "largest_difference": difference,
        "timings": timings,
    }
    return record, scores


def _requests(items: GeneratedItems, examples: tuple[Example, ...]) -> list[tuple[str, str]]:
    """The pairs that the harness must come to: checked against those that it builds."""
    rows = zip(items.questions, items.choices, strict=True)
    return [
        (DEFAULT_PROMPT.text(question, choices, examples), DEFAULT_PROMPT.answer(choice))
        for question, choices in rows
        for choice in choices
    ]


def growth(loaded: LoadedModel, language: Language) -> dict[str, dict[str, Any]]:
    """Our seconds and peak memory as items, choices or shots grow, and the fitted exponents."""
    examples = tuple(language.items(16, seed=1).examples())
    cases: dict[str, dict[int, Callable[[], object]]] = {
        "items": {n: partial(ours, loaded, language.items(n, 2)) for n in (8, 16, 32, 64)},
        "choices": {n: partial(ours, loaded, language.items(8, 2, n)) for n in (2, 4, 8, 16)},
        "shots": {
            n: partial(ours, loaded, language.items(16, 2), examples[:n]) for n in (2, 4, 8, 16)
        },
    }
    return {name: _growth_of(sizes) for name, sizes in cases.items()}


def _growth_of(sizes: Mapping[int, Callable[[], object]]) -> dict[str, Any]:
    timings = interleaved_medians({str(n): run for n, run in sizes.items()}, repetitions=2)
    seconds = [timings[str(n)]["median"] for n in sizes]
    memory = [peak_bytes(run) for run in sizes.values()]
    return {
        "sizes": list(sizes),
        "seconds": seconds,
        "peak_bytes": memory,
        "exponent_seconds": fitted_exponent(list(sizes), seconds),
        "exponent_bytes": fitted_exponent(list(sizes), memory),
    }


def main() -> None:
    """Compare at k = 0 and k = 10, then measure growth."""
    quiet_libraries()
    set_threads()
    language = Language()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = random_llama(folder / "model", SMALL, language)
        parameters = sum(weights.numel() for weights in loaded.model.parameters())
        print(
            f"Llama of {parameters / 1e6:.0f} million parameters, {torch.get_num_threads()} thread"
        )
        cases, scores = {}, {}
        for shots in SIZES:
            record, scores[shots] = compare(folder / f"harness-{shots}", loaded, language, shots)
            cases[str(shots)] = record
            _show(record)
        shared = SIZES[SHOTS][0]
        moved = float((scores[0][:shared] - scores[SHOTS]).abs().median())
        assert moved > 100 * TOLERANCE, "the worked examples hardly move the scores"
        grown = growth(loaded, language)
    for name, of in grown.items():
        print(
            f"growth with {name} {of['sizes']}: seconds ** {of['exponent_seconds']:.2f}, "
            f"memory ** {of['exponent_bytes']:.2f}, at most {max(of['peak_bytes']) / 1e6:.0f} MB"
        )
    payload = {"parameters": parameters, "tolerance": TOLERANCE, "cases": cases, "growth": grown}
    write_result("choice_scoring", payload)


def _show(record: Mapping[str, Any]) -> None:
    print(f"k = {record['shots']}, {record['items']} items, batches of {record['batch_size']}")
    for name, rate in record["items_per_second"].items():
        tokens = record["tokens_computed"][name]
        print(f"  {name:22s} {rate:7.2f} items/s, {tokens:7d} tokens computed")
    print(f"  largest difference of a log-probability: {record['largest_difference']:.1e}")
    print(f"  against its whole simple_evaluate: {record['ratio_to_simple_evaluate']:.1f}")
    print(f"ratio: {record['ratio']:.1f}")


if __name__ == "__main__":
    main()
