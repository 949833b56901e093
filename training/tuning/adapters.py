"""LoRA adapters on a loaded model: put on once, reset for every trial, switched off in between."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import ModulesToSaveWrapper
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from annotation.errors import InputError
from training.models.heads import initialise
from training.models.load import LoadedModel
from training.models.memory import within
from training.tuning.settings import QloraSettings

ADAPTER = "default"  # peft's name for a model's only adapter


@contextmanager
def adapted(loaded: LoadedModel, settings: QloraSettings, seed: int) -> Iterator[PeftModel]:
    """The model with a fresh adapter drawn from `seed`; afterwards it answers as without one.

    An adapter of the same shape that is there already is reset, not put on again. Its numbers are
    those that `torch.manual_seed(seed); peft.get_peft_model(...)` would draw, whatever ran before
    and on whatever device; so is a head's, where the model has one.

    Raises InputError if `target_modules` names layers that the model does not have.
    """
    model = _put_on(loaded, settings)
    try:
        model.base_model.enable_adapter_layers()
        _reset(model, loaded, seed)
        yield model
    finally:
        model.zero_grad()
        model.base_model.disable_adapter_layers()
        loaded.model.eval()


def take_off(loaded: LoadedModel) -> None:
    """Remove what adapters left on the model, also after wrapping was interrupted."""
    loaded.adapter = None
    for name, module in list(loaded.model.named_modules()):
        if isinstance(module, BaseTunerLayer | ModulesToSaveWrapper):
            parent, _, own = name.rpartition(".")
            bare = module.original_module if _is_wrapper(module) else module.get_base_layer()
            setattr(loaded.model.get_submodule(parent), own, bare)
    if hasattr(loaded.model, "peft_config"):
        del loaded.model.peft_config
    loaded.model.requires_grad_(False)


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter as an ordinary peft checkpoint: `PeftModel.from_pretrained(base, folder)`.

    `model` is what `adapted` yields, before the block ends. A head is saved along.
    """
    model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)


def _put_on(loaded: LoadedModel, settings: QloraSettings) -> PeftModel:
    """An adapter of the settings' shape, put on unless it is there already."""
    shape = (settings.rank, settings.alpha, settings.dropout, settings.target_modules)
    if loaded.adapter is not None and loaded.adapter[0] == shape:
        return loaded.adapter[1]
    take_off(loaded)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=_targets(loaded, settings.target_modules),
        modules_to_save=list(loaded.head_layers) or None,
        task_type="CAUSAL_LM" if loaded.kind == "decoder" else None,
    )
    try:
        model = get_peft_model(loaded.model, config)
        if any(module.lora_embedding_A for module in _lora_layers(model)):
            raise ValueError("adapters go on linear layers, not on embeddings")
    except ValueError as error:
        take_off(loaded)
        reason = str(error).splitlines()[0]
        raise InputError(
            f"model '{loaded.name}': no adapter can be put on it ({reason}); "
            "check [qlora] target_modules."
        ) from None
    except BaseException:  # interrupted half way
        take_off(loaded)
        raise
    loaded.adapter = (shape, model)
    return model


def _targets(loaded: LoadedModel, wanted: str) -> str | list[str] | None:
    """Names of layers in peft's terms; None for those it names for the architecture."""
    linear = [
        name
        for name, module in loaded.model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and not within(name, loaded.head_layers)
    ]
    if wanted == "default":
        return None
    if wanted == "all-linear":
        return wanted if loaded.head is None else linear
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if not any(path == name or path.endswith(f".{name}") for path in linear):
            ends = sorted({path.rpartition(".")[2] for path in linear})
            raise InputError(
                f"model '{loaded.name}' has no linear layer '{name}' to put an adapter on; set "
                f"[qlora] target_modules to 'all-linear' or some of {', '.join(ends)}."
            )
    return names


def _lora_layers(model: nn.Module) -> list[LoraLayer]:
    return [module for module in model.modules() if isinstance(module, LoraLayer)]


def _is_wrapper(module: nn.Module) -> bool:
    return isinstance(module, ModulesToSaveWrapper)


@torch.no_grad()
def _reset(model: PeftModel, loaded: LoadedModel, seed: int) -> None:
    """Draw A, and a head, from the seed; B becomes zero, so that the adapter adds nothing yet."""
    generator = torch.Generator().manual_seed(seed)
    for layer in _lora_layers(model):
        a, b = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        # peft makes both matrices, each drawn by torch, and then draws A again.
        _draw(a, generator)
        _draw(b, generator)
        a.copy_(_draw(a, generator))
        b.zero_()
    deviation = float(getattr(loaded.model.config, "initializer_range", 0.02))
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            initialise(module.modules_to_save[ADAPTER], deviation, generator)


def _draw(like: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers as torch draws a linear layer's, on the processor whatever the device."""
    empty = torch.empty(like.shape)
    return nn.init.kaiming_uniform_(empty, a=math.sqrt(5), generator=generator)
