"""Load a model that adapters can be trained on."""

from collections.abc import Sequence

from annotation.errors import InputError
from training.models.load import (
    Head,
    LoadedModel,
    load_model,
)
from training.models.number_types import Quantisation
from training.models.source import ModelSource


def load_for_tuning(
    source: ModelSource,
    quantisation: Quantisation = "nf4",
    shared_choices: Sequence[str] | None = None,
    device: str | None = None,
) -> LoadedModel:
    """Load a model that `train_and_score` can train: a decoder, or an encoder with its head.

    The head classifies where all items share their choices, else it rates (question, choice)
    pairs. Raises as `load_model` and `prepare` do.
    """
    head: Head | None = None
    if source.kind == "encoder":
        head = "multiple_choice" if shared_choices is None else "classification"
    classes = len(shared_choices) if head == "classification" and shared_choices else None
    loaded = load_model(source, quantisation, device, head=head, classes=classes)
    prepare(loaded)
    return loaded


def prepare(loaded: LoadedModel) -> None:
    """Freeze a base model for adapters; once after loading.

    Norms and embeddings keep their number type: they are never trained, and a hidden state in
    float32 would keep attention off a GPU's fast kernels.

    Raises InputError for a decoder that is not in 4 bits, ValueError for an encoder without head.
    """
    if loaded.kind == "encoder" and loaded.head is None:
        raise ValueError(f"encoder '{loaded.name}' has no head: load it with 'load_for_tuning'.")
    if loaded.kind == "decoder" and loaded.quantisation != "nf4":
        raise InputError(f"model '{loaded.name}' is not in 4 bits: load it with 'nf4' for qlora.")
    loaded.model.requires_grad_(False)
