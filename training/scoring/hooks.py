"""Read a model's hidden states and logits only where they are wanted, by hooks on its modules."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

Model: TypeAlias = nn.Module


def base_model(model: Model) -> PreTrainedModel:
    """The model itself, with adapters in place, without the wrapper that they came in."""
    unwrap = getattr(model, "get_base_model", None)
    base: PreTrainedModel = unwrap() if unwrap is not None else model
    return base


def text_config(model: Model) -> PretrainedConfig:
    """The configuration of the language model, also where it is one part of several."""
    return base_model(model).config.get_text_config(decoder=True)


def find_layers(decoder: nn.Module, count: int) -> nn.ModuleList | None:
    """The list of a decoder's `count` layers; None if there is none."""
    for module in decoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    return None


@contextmanager
def logits_at(model: Model, places: Tensor) -> Iterator[None]:
    """Within the block the model's logits are those at the flat `places` alone: (1, places, ...).

    What the model does to its logits after the output layer, such as a soft cap, stays its own.
    """
    head = base_model(model).get_output_embeddings()
    if head is None:
        raise ValueError("the model has no output embeddings")

    def pick(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        states = args[0].flatten(0, 1)
        return (states[places.to(states.device)][None], *args[1:])

    hook = head.register_forward_pre_hook(pick)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def states_at(
    model: Model, layers: Sequence[int], places: Tensor
) -> Iterator[dict[int, Tensor] | None]:
    """Collect the hidden states of `layers` at the flat `places`: {layer: (places, width)}.

    Layers count as in `output_hidden_states`: 0 is the embedding, the number of layers the last
    state after its norm. The dictionary fills as the model runs. It is None where the model's
    layers cannot be found; then ask for `output_hidden_states`.
    """
    decoder = base_model(model).get_decoder()
    count = int(text_config(model).num_hidden_layers)
    found = find_layers(decoder, count)
    if found is None:
        yield None
        return
    states: dict[int, Tensor] = {}

    def keep(layer: int, hidden: Tensor) -> None:
        flat = hidden.flatten(0, 1)
        states[layer] = flat[places.to(flat.device)]

    def before(layer: int) -> Callable[..., None]:
        def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            keep(layer, args[0] if args else kwargs["hidden_states"])

        return hook

    def after(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:  # noqa: ANN401
        keep(count, output[0])

    hooks = [
        found[layer].register_forward_pre_hook(before(layer), with_kwargs=True)
        for layer in set(layers)
        if layer < count
    ]
    if count in layers:
        hooks.append(decoder.register_forward_hook(after))
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()


def stacked(states: dict[int, Tensor], layers: Sequence[int], device: torch.device) -> Tensor:
    """Collected states in the order of `layers`: (places, layers, width)."""
    return torch.stack([states[layer].to(device) for layer in layers], dim=1)
