"""Worked examples that all prompts begin with, run through the model once for generation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from training.models.load import input_device
from training.scoring.prefix import LEAST_SHARED, shared_tokens

_KINDS_OF_LAYERS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class GenerationPrefix:
    """Keys and values of the tokens that all prompts begin with.

    `layers` holds one pair per layer, each (1, heads, length, width).
    """

    length: int
    layers: list[tuple[Tensor, Tensor]]

    def cache(self, padding: Sequence[int]) -> DynamicCache:
        """The cache of a batch whose rows are padded on the left by so many tokens.

        It is what the first `length` slots of the padded rows would hold if they had run through
        the model, so that generation goes on from there as if they had: a row with p tokens of
        padding finds the first `length` - p tokens of the prefix after them, and reads the rest of
        the prefix again, in the place where other rows have tokens of their own.
        """
        # Padding slots hold the first token's keys and values; the attention mask hides them.
        place = torch.arange(self.length) - torch.tensor(list(padding))[:, None]  # (rows, length)
        place = place.clamp(min=0)
        cache = DynamicCache()
        for index, (keys, values) in enumerate(self.layers):
            own = place.to(keys.device)
            rows = [part[0][:, own].transpose(0, 1).contiguous() for part in (keys, values)]
            cache.update(*rows, index)  # each (rows, heads, length, width)
        return cache


@torch.no_grad()
def run_generation_prefix(
    model: PreTrainedModel, prompts: Sequence[list[int]]
) -> GenerationPrefix | None:
    """Run what all prompts begin with; at least one token of each prompt is left over.

    None where sharing would not pay, or where the model's cache is no plain one of keys and values
    (recurrent layers, chunked attention): then prompts run whole.
    """
    if len(prompts) < 2 or not _has_plain_cache(model):
        return None
    length = shared_tokens(prompts)
    if length < LEAST_SHARED:
        return None
    # Without a configuration the cache keeps all tokens, also of layers with a sliding window.
    cache = DynamicCache()
    ids = torch.tensor([prompts[0][:length]], device=input_device(model))
    model.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=True)
    layers = cache.layers
    if any(type(layer) is not DynamicLayer or not layer.is_initialized for layer in layers):
        return None
    if len(layers) != model.config.get_text_config(decoder=True).num_hidden_layers:
        return None
    return GenerationPrefix(length, [(layer.keys, layer.values) for layer in layers])


def _has_plain_cache(model: PreTrainedModel) -> bool:
    config = model.config.get_text_config(decoder=True)
    kinds = set(getattr(config, "layer_types", None) or _KINDS_OF_LAYERS)
    stateful = getattr(model, "_is_stateful", False)
    return kinds <= _KINDS_OF_LAYERS and not stateful and model._supports_default_dynamic_cache()
