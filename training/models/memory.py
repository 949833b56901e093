"""Whether a model fits, in memory and in 4 bits, told before any weight is read.

A model's skeleton is the model without weights (torch's "meta" device): names, layers and shapes.
"""

from collections import Counter
from collections.abc import Collection, Mapping

import psutil  # type: ignore[import-untyped]
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from annotation.errors import InputError

# NF4 with double quantisation: half a byte, a byte for every 64 weights' scale, and four bytes
# for every 256 scales (Dettmers et al. 2023, section 3).
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
# Beside the weights: buffers, and a small batch in flight.
MARGIN_SHARE = 0.1
MARGIN_BYTES = 256 << 20


def packed_layers(skeleton: PreTrainedModel, kept_whole: Collection[str] = ()) -> dict[str, int]:
    """Layers that 4 bits hold, by name, with their weights' count.

    These are the linear ones but the output layer, and none of `kept_whole` or within it.
    """
    output = skeleton.get_output_embeddings()
    return {
        name: module.weight.numel()
        for name, module in skeleton.named_modules()
        if (type(module) is nn.Linear or isinstance(module, Conv1D))
        and module is not output
        and not within(name, kept_whole)
    }


def check_four_bits(
    name: str, skeleton: PreTrainedModel, packed: Mapping[str, int], kept_whole: Collection[str]
) -> None:
    """Refuse a model most of whose layers 4 bits would leave as they are.

    Raises InputError, naming the layers.
    """
    output = skeleton.get_output_embeddings()
    left: Counter[str] = Counter()
    for path, module in skeleton.named_modules():
        is_left = path not in packed and module is not output and not within(path, kept_whole)
        if is_left and not isinstance(module, nn.Embedding):
            own = [p.numel() for p in module.parameters(recurse=False) if p.dim() > 1]
            left[type(module).__name__] += sum(own)
    if sum(packed.values()) <= sum(left.values()):
        kinds = ", ".join(kind for kind, count in left.most_common(3) if count)
        raise InputError(
            f"model '{name}' cannot be held in 4 bits: only linear layers can, and most of its "
            f"weights are in others ({kinds or 'none at all'}); load it whole or use another model."
        )


def bytes_needed(
    skeleton: PreTrainedModel, quantisation: str, dtype: torch.dtype, packed: int
) -> int:
    """Bytes that the model takes: its weights and a margin of a tenth and 256 MiB.

    `packed` of its weights are held in 4 bits under "nf4", the others in `dtype`.
    """
    weights = sum(parameter.numel() for parameter in skeleton.parameters())
    in_four_bits = packed if quantisation == "nf4" else 0
    size = (weights - in_four_bits) * dtype.itemsize + in_four_bits * NF4_BYTES
    return int(size * (1 + MARGIN_SHARE)) + MARGIN_BYTES


def bytes_there(device: str) -> int:
    """Bytes free on a device, or on all GPUs together for "auto" (memory where there is none)."""
    if device == "auto" and torch.cuda.is_available():
        return sum(bytes_there(f"cuda:{index}") for index in range(torch.cuda.device_count()))
    if torch.device("cpu" if device == "auto" else device).type != "cuda":
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(device)
    # What torch holds for tensors to come is free too.
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free + held


def find_place(needed: int) -> str:
    """Where a model of so many bytes goes when no device is named for it.

    The first GPU that has room, else "auto" (all GPUs) if they have it together, else the first
    GPU; the processor where there is none.
    """
    if not torch.cuda.is_available():
        return "cpu"
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    for gpu in gpus:
        if needed <= bytes_there(gpu):
            return gpu
    return "auto" if len(gpus) > 1 else gpus[0]


def check_on_gpus(name: str, model: PreTrainedModel) -> None:
    """Refuse a model that was spread so that part of it lies beside the GPUs.

    Raises InputError.
    """
    places = {str(place) for place in (getattr(model, "hf_device_map", None) or {}).values()}
    if len(places) > 1 and places & {"cpu", "disk"}:
        raise InputError(
            f"model '{name}' does not fit: its layers cannot be spread over the GPUs' free memory; "
            "take a smaller model, load it in 4 bits ('nf4') or free the GPUs."
        )


def check_fits(name: str, needed: int, quantisation: str, device: str) -> None:
    """Refuse a model that is larger than the memory at hand.

    Raises InputError that states both numbers.
    """
    there = bytes_there(device)
    if needed <= there:
        return
    remedies = ["take a smaller model"]
    if quantisation == "none":
        remedies.append("load it in 4 bits ('nf4')")
    if device != "auto" and torch.cuda.is_available() and torch.cuda.device_count() > 1:
        remedies.append("spread it over all GPUs (device_map 'auto')")
    place = "the GPUs" if device == "auto" and torch.cuda.is_available() else device
    raise InputError(
        f"model '{name}' does not fit: it needs {_gigabytes(needed)} "
        f"{'in 4 bits' if quantisation == 'nf4' else 'whole'} (weights, a tenth more and "
        f"{_gigabytes(MARGIN_BYTES)}) and {_gigabytes(there)} are free on {place}; "
        f"{' or '.join(remedies)}."
    )


def within(name: str, parents: Collection[str]) -> bool:
    """Whether a module is one of `parents` or inside one."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
