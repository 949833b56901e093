"""The head of an encoder: the layers on top that answer, which no checkpoint brings."""

from collections.abc import Collection

import torch
from torch import nn
from transformers import PreTrainedModel


def head_layers(skeleton: PreTrainedModel, missing: Collection[str]) -> tuple[str, ...]:
    """Names of the modules that are trained from nothing.

    Whatever stands outside the encoder itself, and layers within it that the checkpoint lacks,
    such as the pooler of a model that was trained without one.

    Parameters
    ----------
    skeleton
        The model with its head.
    missing
        Names of the parameters that the checkpoint lacks.
    """
    outside = [
        name
        for name, module in skeleton.named_children()
        if name != skeleton.base_model_prefix and any(True for _ in module.parameters())
    ]
    owners = dict.fromkeys(sorted(name.rpartition(".")[0] for name in missing))
    inside = [name for name in owners if name.partition(".")[0] not in outside]
    return (*outside, *inside)


@torch.no_grad()
def initialise(head: nn.Module, deviation: float, generator: torch.Generator) -> None:
    """Draw a head anew: normal weights, no offsets; what only scales starts as it does in torch.

    Numbers are drawn on the processor, so that every device starts from the same head.
    """
    for module in head.modules():
        if isinstance(module, nn.Linear):
            drawn = torch.empty(module.weight.shape).normal_(0, deviation, generator=generator)
            module.weight.copy_(drawn)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.LayerNorm):
            module.reset_parameters()
