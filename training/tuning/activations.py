"""How many bytes a training pass keeps for its gradients, measured on one item."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from training.models.memory import bytes_there
from training.scoring.token_budget import is_out_of_memory
from training.tuning.settings import QloraSettings

# What is free is not all for activations: gradients, optimiser state and the backward pass's own.
SHARE_OF_FREE = 0.7


def saved_bytes(model: nn.Module, forward: Callable[[], Tensor]) -> int:
    """Bytes of the tensors that autograd keeps after `forward`, the model's own aside.

    A storage that several operations keep counts once.
    """
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    storages: dict[int, int] = {}
    alive = []  # a freed storage's address could be given out again

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        forward()
    return sum(storages.values())


def activations_fit(
    model: nn.Module,
    losses: Callable[[int], Tensor],
    tokens: Sequence[int],
    settings: QloraSettings,
) -> bool:
    """Whether the largest part of a batch can keep its activations in the memory at hand.

    The item in the middle by length is passed through the model once; its bytes per token stand
    for all, and where memory runs out on it, they do not fit. `losses(index)` gives one item's loss
    with gradient, `tokens` (items,) their lengths.
    """
    order = sorted(range(len(tokens)), key=lambda index: tokens[index])
    middle, longest = order[len(order) // 2], tokens[order[-1]]
    kept = None
    try:
        kept = saved_bytes(model, lambda: losses(middle))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    if kept is None:  # here the error and the tensors that its frames held are gone
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return False
    per_token = kept / tokens[middle]
    device = next(model.parameters()).device
    largest_part = max(longest, min(settings.pass_tokens(device.type), longest * settings.batch))
    return per_token * largest_part <= SHARE_OF_FREE * bytes_there(str(device))
