"""Scores of choices the plain way: every (prompt, choice) pair is a sequence of its own."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from training.scoring.encoding import EncodedItem
from training.scoring.hooks import Model, base_model


@dataclass
class ScoredBatch:
    """`log_probabilities` (items, choices), -inf where an item has fewer choices.

    `states` (items, choices, layers, width): hidden states at each choice's last token, zeros
    where an item has fewer choices; None unless layers were asked for.
    """

    log_probabilities: Tensor
    states: Tensor | None


def score_pairs(
    model: Model,
    items: Sequence[EncodedItem],
    padding_id: int,
    layers: Sequence[int] | None = None,
    padding: Literal["left", "right"] = "right",
) -> ScoredBatch:
    """Score every pair as one sequence of a padded batch, as any causal model can be run.

    What the one-pass scoring of `training.scoring.packed` must equal; it stands in where a model
    cannot be run that way. `layers` index the model's hidden states, 0 being the embedding.
    """
    pairs = [(item.prompt, choice) for item in items for choice in item.choices]
    width = max(len(prompt) + len(choice) for prompt, choice in pairs)
    ids = torch.full((len(pairs), width), padding_id)
    mask = torch.zeros((len(pairs), width), dtype=torch.long)
    starts = []
    for row, (prompt, choice) in enumerate(pairs):
        start = width - len(prompt) - len(choice) if padding == "left" else 0
        ids[row, start : start + len(prompt) + len(choice)] = torch.tensor([*prompt, *choice])
        mask[row, start : start + len(prompt) + len(choice)] = 1
        starts.append(start + len(prompt))
    base = base_model(model)
    ids, mask = ids.to(base.device), mask.to(base.device)
    arguments: dict[str, Any] = {}
    if padding == "left" and "position_ids" in inspect.signature(base.forward).parameters:
        arguments["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
    output = model(
        input_ids=ids,
        attention_mask=mask,
        use_cache=False,
        output_hidden_states=layers is not None,
        **arguments,
    )
    logits = output.logits
    sums = []
    for row, (_, choice) in enumerate(pairs):
        predicting = logits[row, starts[row] - 1 : starts[row] + len(choice) - 1].float()
        targets = torch.tensor(choice, device=logits.device)[:, None]
        sums.append(predicting.log_softmax(-1).gather(-1, targets).sum())
    states = None
    if layers is not None:
        lengths = [len(choice) for _, choice in pairs]
        ends = torch.tensor([s + n - 1 for s, n in zip(starts, lengths, strict=True)])
        picked = [
            output.hidden_states[layer][torch.arange(len(pairs)), ends].to(logits.device)
            for layer in layers
        ]
        states = torch.stack(picked, dim=1)
    return assemble(items, torch.stack(sums), states)


def assemble(items: Sequence[EncodedItem], scores: Tensor, states: Tensor | None) -> ScoredBatch:
    """Spread scores (choices,) and states (choices, layers, width) of all items over a table."""
    counts = [len(item.choices) for item in items]
    most = max(counts)
    places = [i * most + k for i, count in enumerate(counts) for k in range(count)]
    index = torch.tensor(places, device=scores.device)
    table = scores.new_full((len(items) * most,), -torch.inf).index_put((index,), scores)
    if states is not None:
        flat = states.new_zeros((len(items) * most, *states.shape[1:]))
        states = flat.index_put((index,), states).unflatten(0, (len(items), most))
    return ScoredBatch(table.unflatten(0, (len(items), most)), states)
