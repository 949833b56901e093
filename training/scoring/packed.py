"""Scores of choices in one pass over packed rows: each prefix and question computed once."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from training.scoring.encoding import EncodedItem
from training.scoring.hooks import Model, base_model, logits_at, stacked, states_at, text_config
from training.scoring.packing import PackedBatch, attention_mask, pack, share_rows, unit_tokens
from training.scoring.pairs import ScoredBatch, assemble
from training.scoring.prefix import Prefix

_LOGITS_AT_ONCE = 1 << 22  # numbers; larger pieces leave the processor's caches


def score_packed(
    model: Model,
    items: Sequence[EncodedItem],
    padding_id: int,
    layers: Sequence[int] | None = None,
    prefix: Prefix | None = None,
) -> ScoredBatch:
    """Score all choices of a batch in one pass, with gradient where the model has it.

    `prefix` holds what all prompts begin with; it carries no gradient. Logits are computed only
    where a choice's token is predicted, hidden states kept only at each choice's last token.
    """
    past = prefix.length if prefix is not None else 0
    with_last = layers is not None
    lengths = [unit_tokens(item, past, with_last) for item in items]
    order = sorted(range(len(items)), key=lambda index: -lengths[index])
    rows = [
        [order[index] for index in row]
        for row in share_rows([lengths[index] for index in order], past)
    ]
    base = base_model(model)
    batch = pack(items, rows, past, with_last, padding_id, base.device)
    arguments: dict[str, Any] = {"use_cache": False}
    if prefix is not None:
        arguments = {"use_cache": True, "past_key_values": prefix.cache}
    with ExitStack() as stack:
        stack.enter_context(logits_at(model, batch.sources))
        kept = None
        if layers is not None:
            kept = stack.enter_context(states_at(model, layers, batch.ends))
            arguments["output_hidden_states"] = kept is None
        output = model(
            input_ids=batch.ids,
            attention_mask=_masks(model, batch, past),
            position_ids=batch.positions,
            **arguments,
        )
    logits = output.logits[0]  # (places, vocabulary)
    scores = _choice_scores(logits, batch, sum(len(item.choices) for item in items))
    states = None
    if layers is not None:
        if kept is None:
            kept = {
                layer: output.hidden_states[layer].flatten(0, 1)[batch.ends] for layer in layers
            }
        states = stacked(kept, layers, logits.device)
    return assemble(items, scores, states)


def _choice_scores(logits: Tensor, batch: PackedBatch, choices: int) -> Tensor:
    """Summed log-probability of every choice, (choices,), of logits (places, vocabulary)."""
    device = logits.device
    sources, ids = batch.target_sources.to(device), batch.target_ids.to(device)
    pieces = logits.split(max(1, _LOGITS_AT_ONCE // logits.shape[-1]))
    normalisers = torch.cat([piece.float().logsumexp(-1) for piece in pieces])  # (places,)
    log_probabilities = logits[sources, ids].float() - normalisers[sources]  # (targets,)
    return log_probabilities.new_zeros(choices).index_add(
        0, batch.target_choices.to(device), log_probabilities
    )


def _masks(model: Model, batch: PackedBatch, past: int) -> Tensor | dict[str, Tensor]:
    """One mask for all layers, or one by type of layer where only some have a sliding window."""
    config = text_config(model)
    dtype = base_model(model).get_input_embeddings().weight.dtype
    types = set(getattr(config, "layer_types", None) or ())
    window = getattr(config, "sliding_window", None)
    if types == {"full_attention"} or window is None or batch.last_position < window:
        return attention_mask(batch, past, dtype)
    windowed = attention_mask(batch, past, dtype, int(window))
    if not types:
        return windowed
    masks = {"sliding_attention": windowed}
    if "full_attention" in types:
        masks["full_attention"] = attention_mask(batch, past, dtype)
    return masks
