"""Log-probabilities and hidden states of choices; what every prompt shares is computed once.

What all prompts of a call begin with (instruction, worked examples) runs once. Each question then
runs once with all its choices beside it (`training.scoring.packed`); a model for which that would
be wrong is run pair by pair (`training.scoring.pairs`).
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from training.models.load import LoadedModel
from training.progress import TokenProgress, no_token_progress
from training.scoring.encoding import (
    EncodedItem,
    Encoding,
    encode_item,
    encode_items,
    encode_with_examples,
)
from training.scoring.hooks import Model
from training.scoring.packed import score_packed
from training.scoring.packing import share_rows, unit_tokens
from training.scoring.pairs import ScoredBatch, score_pairs
from training.scoring.prefix import Prefix, run_prefix, shared_length
from training.scoring.token_budget import ON_PROCESSOR, TokenBudget, budget_of, take_padded
from training.scoring.verification import packed_is_exact

__all__ = [
    "EncodedItem",
    "Encoding",
    "ScoredBatch",
    "TokenBudget",
    "batches_by_length",
    "choice_lengths",
    "encode_item",
    "encode_items",
    "encode_with_examples",
    "score_batch",
    "score_items",
    "score_pairs",
    "scored_batches",
]

TOKENS_PER_BATCH = ON_PROCESSOR
Normalisation = Literal["sum", "token", "character"]


def score_batch(
    model: Model,
    items: Sequence[EncodedItem],
    padding_id: int,
    layers: Sequence[int] | None = None,
    prefix: Prefix | None = None,
) -> ScoredBatch:
    """Score all choices of a batch of items, with gradient where the model has it.

    The log-probability of a choice is the SUM over its tokens (Hase et al. 2024, section 3: no
    length normalisation). `layers` index the model's hidden states, 0 being the embedding.
    `prefix`, run by `run_prefix` on these or more items, carries no gradient.
    """
    if packed_is_exact(model):
        return score_packed(model, items, padding_id, layers, prefix)
    return score_pairs(model, items, padding_id, layers)


@torch.no_grad()
def score_items(
    loaded: LoadedModel,
    items: Sequence[EncodedItem],
    budget: TokenBudget | int | None = None,
    model: Model | None = None,
    normalisation: Normalisation = "sum",
    progress: TokenProgress = no_token_progress,
) -> Tensor:
    """Log-probability of every choice: (items, most choices) float32, -inf where there is none.

    Parameters
    ----------
    loaded
        The model and its tokenizer.
    items
        Encoded items, at least one.
    budget
        Tokens of one batch; by default what suits the model's device.
    model
        Stands in for `loaded.model`, for instance one with an adapter.
    normalisation
        "sum" over the tokens of a choice (Hase et al. 2024, section 3), or that sum divided by
        its tokens ("token") or by the characters of the answer's text ("character").
    progress
        Told items done and in all, and their tokens: of prompts and choices.

    Raises
    ------
    InputError
        If one item alone does not fit into memory.
    ValueError
        If characters are asked for and items do not count them.
    """
    most = max(len(item.choices) for item in items)
    scores = torch.full((len(items), most), -torch.inf)
    done = tokens = 0
    for batch, scored in scored_batches(loaded, items, None, budget, model):
        found = scored.log_probabilities
        scores[torch.tensor(batch), : found.shape[1]] = found.float().cpu()
        done += len(batch)
        tokens += sum(items[index].all_tokens for index in batch)
        progress(done, len(items), tokens)
    return scores if normalisation == "sum" else scores / choice_lengths(items, normalisation, most)


@torch.no_grad()
def scored_batches(
    loaded: LoadedModel,
    items: Sequence[EncodedItem],
    layers: Sequence[int] | None = None,
    budget: TokenBudget | int | None = None,
    model: Model | None = None,
) -> Iterator[tuple[list[int], ScoredBatch]]:
    """Score items in batches of like length: yields positions in `items` and their scores.

    Raises InputError if one item alone does not fit into memory.
    """
    model = model if model is not None else loaded.model
    if budget is None:
        budget = budget_of(model)
    elif isinstance(budget, int):
        budget = TokenBudget(budget)
    padding_id = int(loaded.tokenizer.pad_token_id or 0)
    packed = packed_is_exact(model)
    prefix = _prefix_within(budget, model, items) if packed else None
    past = prefix.length if prefix is not None else 0
    if packed:
        lengths = [unit_tokens(item, past, layers is not None) for item in items]
    else:
        lengths = [item.tokens * len(item.choices) for item in items]
    order = sorted(range(len(items)), key=lambda index: -lengths[index])
    ordered = [lengths[index] for index in order]

    def take(start: int, tokens: int) -> tuple[int, int]:
        if not packed:
            return take_padded(ordered, start, tokens)
        rows = share_rows(ordered[start : start + tokens], past, tokens)
        longest = max(sum(ordered[start + index] for index in row) for row in rows)
        return sum(len(row) for row in rows), len(rows) * (longest + past)

    def run(start: int, end: int) -> ScoredBatch:
        batch = [items[index] for index in order[start:end]]
        return score_batch(model, batch, padding_id, layers, prefix)

    for places, scored in budget.run(len(items), take, run):
        yield [order[place] for place in places], scored


def _prefix_within(
    budget: TokenBudget, model: Model, items: Sequence[EncodedItem]
) -> Prefix | None:
    """What all prompts begin with, run once; lack of memory is told as for any item."""
    [(_, prefix)] = budget.run(
        1, lambda *_: (1, shared_length(items)), lambda *_: run_prefix(model, items)
    )
    return prefix


def batches_by_length(
    items: Sequence[EncodedItem], tokens_per_batch: int = TOKENS_PER_BATCH
) -> Iterator[list[int]]:
    """Yield positions of items of like length, each batch within a budget of padded tokens."""
    order = sorted(range(len(items)), key=lambda index: -items[index].tokens)
    lengths = [items[index].tokens for index in order]
    start = 0
    while start < len(order):
        size, _ = take_padded(lengths, start, tokens_per_batch)
        yield order[start : start + size]
        start += size


def choice_lengths(items: Sequence[EncodedItem], normalisation: Normalisation, most: int) -> Tensor:
    """What scores are divided by, (items, most choices); 1 where an item has fewer choices.

    Raises ValueError if characters are asked for and items do not count them.
    """
    lengths = torch.ones((len(items), most))
    for row, item in enumerate(items):
        if normalisation == "token":
            counts: Sequence[int] = [len(choice) for choice in item.choices]
        elif len(item.characters) == len(item.choices):
            counts = item.characters
        else:
            raise ValueError("items should count the characters of their choices; these do not.")
        lengths[row, : len(counts)] = torch.tensor(counts)
    return lengths.clamp(min=1)
