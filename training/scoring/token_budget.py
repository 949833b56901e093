"""How many tokens run at once: sized by the device, halved when memory runs out."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from annotation.errors import InputError
from training.scoring.hooks import Model, base_model, text_config

Result = TypeVar("Result")

ON_PROCESSOR = 1024  # tokens: what a layer then works on stays in the processor's caches
MOST, LEAST = 65536, 1024  # tokens: more keeps no accelerator busier
_budgets: WeakKeyDictionary[nn.Module, "TokenBudget"] = WeakKeyDictionary()


class TokenBudget:
    """Tokens that one batch may hold, padding and copies of a shared prefix counted.

    Raises ValueError if `tokens` is below 1.
    """

    def __init__(self, tokens: int = ON_PROCESSOR) -> None:
        if tokens < 1:
            raise ValueError(f"'tokens' should be at least 1; got {tokens}.")
        self.tokens = tokens

    def run(
        self,
        count: int,
        take: Callable[[int, int], tuple[int, int]],
        run: Callable[[int, int], Result],
    ) -> Iterator[tuple[range, Result]]:
        """Run `count` things in order, in batches within the budget.

        A batch that does not fit into memory halves the budget, for good, and is taken again.

        Parameters
        ----------
        take
            (start, budget) -> how many things from `start` on make a batch, at least one, and how
            many tokens they take.
        run
            (start, end) -> what comes of one batch.

        Raises
        ------
        InputError
            If one thing alone does not fit into memory.
        """
        start = 0
        while start < count:
            size, tokens = take(start, self.tokens)
            result: Result | None = None
            try:
                result = run(start, start + size)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                shortage = " ".join(str(error).split())[:200]
                fits = size > 1
            else:
                yield range(start, start + size), result
                start += size
                continue
            # Here the error and the tensors that its frames held are gone.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if not fits:
                raise InputError(
                    f"one item of {tokens} tokens does not fit into memory ({shortage}); use a "
                    "smaller or 4-bit model, a device with more memory, or fewer in-context "
                    "examples."
                )
            self.tokens = max(1, min(self.tokens, tokens) // 2)


def budget_of(model: Model) -> TokenBudget:
    """The budget of a model, which remembers what did not fit."""
    base = base_model(model)
    if base not in _budgets:
        _budgets[base] = TokenBudget(_first_guess(model))
    return _budgets[base]


def take_padded(lengths: Sequence[int], start: int, tokens: int) -> tuple[int, int]:
    """How many sequences from `start` on make a batch within `tokens`, and what they take.

    `lengths` descend; every sequence of a batch is padded to its first.
    """
    longest = lengths[start]
    size = min(len(lengths) - start, max(1, tokens // longest))
    return size, size * longest


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on an accelerator or in the processor's allocator."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def _first_guess(model: Model) -> int:
    device = base_model(model).device
    if device.type != "cuda":
        return ON_PROCESSOR
    free, _ = torch.cuda.mem_get_info(device)
    config = text_config(model)
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    # Of every token: some ten states and three inner ones of a layer at a time, in two bytes; of
    # every third token logits, once as they come and once in four bytes.
    bytes_per_token = 2 * (10 * config.hidden_size + 3 * inner) + 2 * config.vocab_size
    return int(max(LEAST, min(MOST, free // 2 // bytes_per_token)))
