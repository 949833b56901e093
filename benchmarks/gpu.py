"""The claims of speed on a GPU, with a random Llama of a billion parameters in bf16 and 4 bits.

Choice scoring at k = 0 and k = 10 and hidden states against the plain way (every pair by itself),
a grid of probes against the processor, and adapter training. Rates are of products with weights,
as a share of what one large bf16 product reaches on the same device. Without a GPU nothing is
measured. The 4-bit part needs bitsandbytes and is left out without it.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from _gpu_scoring import (
    Lengths,
    cast_weights,
    encode,
    hidden_states,
    matrix_rate,
    rounding,
    scoring,
)
from _gpu_training import adapters, probe_grid
from _machine import write_result
from _models import ONE_BILLION, SMALL, TINY, Language, LlamaSize, write_llama
from training.models.load import LoadedModel, load_model, set_threads
from training.models.number_types import Quantisation
from training.models.quiet import quiet_libraries
from training.models.source import find_model


@dataclass(frozen=True)
class Plan:
    """Device and sizes of a run."""

    device: str
    model: LlamaSize
    matrix: int
    lengths: Lengths
    probe_seeds: int
    probe_width: int
    train_items: int
    test_items: int


FULL = Plan("cuda:0", ONE_BILLION, 8192, Lengths(1000, 10, 100, 200, 32), 5, 8192, 160, 1000)
SMOKE = Plan("cpu", TINY, 256, Lengths(12, 3, 6, 6, 6), 1, 256, 8, 8)


def measure(
    loaded: LoadedModel, plan: Plan, language: Language, rate: float, error: float, folder: Path
) -> dict[str, Any]:
    """Scoring, hidden states and adapters of one model."""
    lengths = plan.lengths
    found: dict[str, Any] = {"model_bytes": int(loaded.model.get_memory_footprint())}
    for shots, count in ((0, lengths.items), (lengths.shots, lengths.items_with_shots)):
        name = f"{loaded.quantisation}-{shots}"
        case = scoring(loaded, language, shots, count, error, folder / name)
        print(f"{loaded.quantisation}, k = {shots}, {count} items")
        for way, reached in case["ways"].items():
            reached["share_of_matrix_rate"] = reached["operations_per_second"] / rate
            print(
                f"  {way:22s} {reached['items_per_second']:8.1f} items/s "
                f"{reached['tokens_per_second']:9.0f} tokens/s, "
                f"{reached['share_of_matrix_rate']:.0%} of the matrix rate, "
                f"{reached['peak_bytes_above_model'] / 1e9:.2f} GB above the model"
            )
        print(f"ratio: {case['ratio']:.1f}")
        found[f"scoring_{shots}"] = case
    states = hidden_states(loaded, language, lengths.items_for_states)
    print(f"hidden states, bytes moved: {states['bytes_moved']}")
    print(f"ratio: {states['ratio']:.1f}")
    tuned = adapters(loaded, language, plan.train_items, plan.test_items, error)
    last: Mapping[str, float] = tuned["runs"][-1]
    print(
        f"adapter: {last['updates_per_second']:.1f} updates/s, {tuned['updates']} updates and "
        f"{plan.test_items} test items in {last['train_seconds'] + last['test_seconds']:.1f} s"
    )
    return found | {"hidden_states": states, "adapters": tuned}


def run(plan: Plan) -> dict[str, Any]:
    """All parts; returns the record."""
    started = time.perf_counter()
    rate = matrix_rate(plan.device, plan.matrix)
    print(f"bf16 matrix rate: {rate / 1e12:.1f} TFLOP/s")
    language = Language(min(plan.model.vocabulary, SMALL.vocabulary))
    record: dict[str, Any] = {"matrix_operations_per_second": rate}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_llama(folder / "model", plan.model, language, plan.device, torch.bfloat16)
        source = find_model(str(folder / "model"))
        kinds: list[Quantisation] = ["none"]
        if find_spec("bitsandbytes"):
            kinds.append("nf4")
        else:
            print("4 bits: left out, bitsandbytes is not installed")
        record["nf4_measured"] = "nf4" in kinds
        error = 0.0
        for kind in kinds:
            loaded = load_model(source, kind, plan.device)
            if kind == "none":
                cast_weights(loaded, torch.bfloat16)
                record["parameters"] = loaded.model.num_parameters()
                items = encode(loaded, language.items(plan.lengths.items_in_float32, 0))
                errors = rounding(loaded, items)
                error = max(errors.values())
                record["bf16_errors"] = errors
                print(f"error of bf16 scores to float32: {errors}")
            record["bf16" if kind == "none" else kind] = measure(
                loaded, plan, language, rate, error, folder
            )
            del loaded
            if plan.device != "cpu":
                torch.cuda.empty_cache()
    grid = probe_grid(plan.device, plan.probe_seeds, plan.probe_width, plan.test_items)
    print(f"{grid['probes']} probes, device against {grid['processor_threads']} thread(s)")
    print(f"ratio: {grid['ratio']:.1f}")
    seconds = time.perf_counter() - started
    print(f"whole run: {seconds:.0f} s")
    return record | {"probe_grid": grid, "seconds": seconds}


def main() -> None:
    """Measure and write the result, where there is a GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    tiny = parser.parse_args().tiny
    quiet_libraries()
    set_threads()
    if tiny:  # every part once on the processor, nothing kept
        run(SMOKE)
        return
    if not torch.cuda.is_available():
        print("no GPU here: nothing is measured, and results/gpu.json stays as it is")
        return
    write_result("gpu", run(FULL))


if __name__ == "__main__":
    main()
