"""Memory, tokens and growth: what a benchmark counts besides seconds."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from transformers import PreTrainedModel


def fitted_exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The b of values = a * sizes ** b, by least squares on logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def peak_bytes(function: Callable[[], object], device: str = "cpu") -> int:
    """Most bytes of tensors alive at once while `function` runs, above those alive before.

    On a processor every allocation of torch is recorded, which is exact where the memory of the
    process is not: freed blocks are not given back at once.
    """
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        return int(torch.cuda.max_memory_allocated() - before)
    os.environ["KINETO_LOG_LEVEL"] = "99"  # it writes to the terminal otherwise
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        function()
    profiler = recorded.profiler
    assert profiler is not None
    assert profiler.kineto_results is not None
    moves = [event for event in profiler.kineto_results.events() if event.name() == "[memory]"]
    moves.sort(key=lambda event: event.start_ns())
    alive = np.cumsum([event.nbytes() for event in moves])
    return int(alive.max(initial=0))


@dataclass
class Work:
    """What passes of a model computed, padding included."""

    tokens: int = 0
    logit_rows: int = 0  # places whose logits were computed, each over the whole vocabulary

    def matrix_operations(self, model: PreTrainedModel) -> float:
        """Additions and multiplications with weights, those of attention among tokens left out."""
        embedding = model.get_input_embeddings().weight
        head = model.get_output_embeddings().weight
        body = sum(_numbers(weights) for weights in model.parameters())
        body -= embedding.numel() + (0 if head is embedding else head.numel())
        return float(2 * (self.tokens * body + self.logit_rows * head.numel()))


def _numbers(weights: torch.nn.Parameter) -> int:
    """How many numbers a parameter stands for; 4-bit ones hold two in a byte."""
    return weights.numel() * (2 if weights.dtype == torch.uint8 else 1)


@contextmanager
def counted_work(model: PreTrainedModel) -> Iterator[Work]:
    """Count what every pass of `model` computes within the block."""
    work = Work()

    def count_tokens(_module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        work.tokens += inputs[0].numel()

    def count_logits(_module: torch.nn.Module, _inputs: object, logits: Tensor) -> None:
        work.logit_rows += logits.numel() // logits.shape[-1]

    handles = [
        model.get_input_embeddings().register_forward_pre_hook(count_tokens),
        model.get_output_embeddings().register_forward_hook(count_logits),
    ]
    try:
        yield work
    finally:
        for handle in handles:
            handle.remove()
