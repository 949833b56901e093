"""Parts of the GPU benchmark that train: a grid of probes, and adapters."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from _gpu_scoring import encode
from _machine import interleaved_medians
from _models import Language
from training.models.load import LoadedModel
from training.probes.probe import LinearProbe, ProbeJob, fit_probes, score_probes
from training.scoring.choices import score_items
from training.tuning.qlora import QloraSettings, train_on_choices

PROBE_SIZES, ERROR_RATES, CHOICES = (10, 20, 40, 80, 160, 320), (0.0, 0.1, 0.2, 0.3), 4


def probe_grid(device: str, seeds: int, width: int, test_items: int) -> dict[str, Any]:
    """Fit seeds x sizes x error rates on the device and on the processor: the same answers."""
    generator = np.random.default_rng(0)
    items = 2 * PROBE_SIZES[-1] + test_items
    hidden = generator.standard_normal((items, CHOICES, 64), dtype=np.float32)
    labels = generator.integers(0, CHOICES, items)
    hidden[np.arange(items), labels, :4] += 1.0
    basis = generator.standard_normal((64, width), dtype=np.float32)
    features = generator.standard_normal((items, CHOICES, width), dtype=np.float32)
    features += hidden @ basis
    mask = np.ones((items, CHOICES), dtype=bool)
    jobs = []
    for seed in range(seeds):
        order = np.random.default_rng([1, seed]).permutation(items - test_items)
        for size in PROBE_SIZES:
            for rate in ERROR_RATES:
                rows = order[:size]
                wrong = np.random.default_rng([2, seed]).random(items)[rows] < rate
                given = np.where(wrong, (labels[rows] + 1) % CHOICES, labels[rows])
                jobs.append(ProbeJob(rows, np.eye(CHOICES)[given]))

    def answers(probes: Sequence[LinearProbe]) -> NDArray[np.int64]:
        found = score_probes(probes, features[-test_items:], mask[-test_items:])
        return np.asarray(found.argmax(-1))  # (probes, items)

    there = answers(fit_probes(features, mask, jobs, device=device))
    here = answers(fit_probes(features, mask, jobs))
    agreement = float((there == here).mean())
    assert agreement > 0.999, f"probes of the two devices agree on {agreement:.2%} of answers"
    timings = interleaved_medians(
        {
            "device": lambda: fit_probes(features, mask, jobs, device=device),
            "processor": lambda: fit_probes(features, mask, jobs),
        },
        repetitions=1,
    )
    return {
        "probes": len(jobs),
        "width": width,
        "processor_threads": torch.get_num_threads(),
        "agreement": agreement,
        "accuracy": float((there == labels[-test_items:]).mean()),
        "ratio": timings["processor"]["median"] / timings["device"]["median"],
        "timings": timings,
    }


def adapters(
    loaded: LoadedModel, language: Language, train_items: int, test_items: int, bf16_error: float
) -> dict[str, Any]:
    """Train a LoRA adapter on choices, test it, reset it and train it again.

    Asserts that the same seed comes to like scores again (rounding of a GPU may differ from run
    to run, and grows with every update) and that the model afterwards answers as before.
    """
    train, test = language.items(train_items, 2), language.items(test_items, 3)
    encoded, tested = encode(loaded, train), encode(loaded, test)
    settings = QloraSettings()
    loaded.model.requires_grad_(False)
    before = score_items(loaded, tested)
    runs = [_train_and_score(loaded, encoded, train.answers, tested, settings) for _ in range(2)]
    after = score_items(loaded, tested)
    (first, record), (second, again) = runs
    moved = float((first - before).abs().mean())
    repeated = float((first - second).abs().mean())
    restored = float((after - before).abs().max())
    assert moved > bf16_error, "training hardly changed a score"
    assert repeated < moved, f"one seed, two adapters: {repeated:.3g} apart of {moved:.3g}"
    assert restored <= 4 * bf16_error, f"the model is {restored:.3g} off after its adapter is gone"
    return {
        "train_items": train_items,
        "test_items": test_items,
        "updates": settings.updates(train_items),
        "runs": [record, again],
        "moved_by_training": moved,
        "difference_of_repetition": repeated,
        "difference_after_reset": restored,
    }


def _train_and_score(
    loaded: LoadedModel,
    train: Sequence[Any],
    labels: list[int],
    test: Sequence[Any],
    settings: QloraSettings,
) -> tuple[torch.Tensor, dict[str, float]]:
    ticks: list[float] = []
    cuda = loaded.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()

    def tick(_done: int, _total: int, _tokens: int) -> None:
        if cuda:
            torch.cuda.synchronize()
        ticks.append(time.perf_counter())

    started = time.perf_counter()
    training = train_on_choices(loaded, train, np.array(labels), settings, 0, tick)
    with training as model:
        trained = time.perf_counter()
        scores = score_items(loaded, test, model=model)
        tested = time.perf_counter()
    record = {
        "train_seconds": trained - started,
        "updates_per_second": (len(ticks) - 1) / (ticks[-1] - ticks[0]),
        "test_seconds": tested - trained,
        "test_items_per_second": len(test) / (tested - trained),
    }
    if cuda:
        record["peak_bytes"] = torch.cuda.max_memory_allocated()
    return scores, record
