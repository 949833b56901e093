"""The tokens that all prompts of a call begin with, run through the model once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from training.scoring.encoding import EncodedItem
from training.scoring.hooks import Model, base_model

# A shorter prefix costs more, in a pass of its own and longer attention, than it saves.
LEAST_SHARED = 24  # tokens


@dataclass(frozen=True)
class Prefix:
    """Keys and values of `length` tokens that every prompt begins with."""

    length: int
    cache: DynamicCache


class _SharedLayer(DynamicLayer):  # type: ignore[misc]  # its types are not exported
    """Keys and values of the prefix, (1, heads, tokens, width), set before every row's own.

    The rows' own are not kept: one pass reads them once, and the next must find the prefix as it
    was.
    """

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        rows = key_states.shape[0]
        assert self.keys is not None
        assert self.values is not None
        keys = self.keys.expand(rows, -1, -1, -1)
        values = self.values.expand(rows, -1, -1, -1)
        return torch.cat([keys, key_states], dim=2), torch.cat([values, value_states], dim=2)


def shared_length(items: Sequence[EncodedItem]) -> int:
    """Tokens that all items' prompts have in common; see `shared_tokens`."""
    return shared_tokens([item.prompt for item in items])


def shared_tokens(prompts: Sequence[list[int]]) -> int:
    """Tokens that all prompts have in common, at least one of each prompt left over."""
    length = 0
    # What the least and the greatest of several sequences share, all of them share.
    for one, other in zip(min(prompts), max(prompts), strict=False):
        if one != other:
            break
        length += 1
    return min(length, min(len(prompt) for prompt in prompts) - 1)


@torch.no_grad()
def run_prefix(model: Model, items: Sequence[EncodedItem]) -> Prefix | None:
    """Run what all prompts begin with; None where sharing it would not pay."""
    length = shared_length(items) if len(items) > 1 else 0
    if length < LEAST_SHARED:
        return None
    return prefix_of(model, items[0].prompt[:length])


@torch.no_grad()
def prefix_of(model: Model, tokens: Sequence[int]) -> Prefix:
    """Keys and values of `tokens`, which rows of a later pass may all attend to."""
    base = base_model(model)
    ids = torch.tensor([list(tokens)], device=base.device)
    # A plain cache keeps all tokens, also of layers that look back over a window only.
    cache = DynamicCache()
    base.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=True)
    layers = []
    for layer in cache.layers:
        if type(layer) is not DynamicLayer:
            raise ValueError(f"a cache layer of type {type(layer).__name__} cannot be shared")
        shared = _SharedLayer()
        shared.lazy_initialization(layer.keys, layer.values)
        shared.keys, shared.values = layer.keys, layer.values
        layers.append(shared)
    cache.layers = layers
    return Prefix(len(tokens), cache)
