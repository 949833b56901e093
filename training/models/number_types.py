"""Which number type a model computes in: the one that was asked for, or what suits its use."""

from typing import TYPE_CHECKING, Literal

from training.models.source import ModelSource

if TYPE_CHECKING:
    import torch

Quantisation = Literal["none", "nf4"]
Use = Literal["scores", "features", "tuning"]
"""What a model is loaded for.

- "scores": log-probabilities that are compared, and answers that are generated;
- "features": hidden states that a probe reads;
- "tuning": to train adapters on.
"""

_NARROW = 256  # below this width of a hidden state, two bytes save nothing that is worth rounding


def compute_type(
    source: ModelSource, quantisation: Quantisation = "none", use: Use = "scores"
) -> str:
    """The number type that a model computes in on this machine, e.g. "float32".

    Of a model in 4 bits, the type that its packed layers multiply in.
    """
    return str(compute_dtype(source, quantisation, use, default_device())).removeprefix("torch.")


def compute_dtype(
    source: ModelSource, quantisation: Quantisation, use: Use, device: str
) -> "torch.dtype":
    """The number type that a model computes in on a device.

    What `source.dtype` asks for holds for whole models. Left at "auto" they compute in bfloat16 on
    a GPU. On a processor that multiplies it natively so do encoders and features of decoders
    (cosine to float32 .9998 and more, 2 to 3.7 times the speed). Scores stay in float32 there:
    in bfloat16 a choice's log-probability differs by up to .5. So does what adapters train on,
    but a GPU's decoders.
    """
    import torch  # loaded where it is needed: names of types are asked for everywhere

    on_processor = torch.device(device).type == "cpu"
    if quantisation == "nf4":
        return torch.float32 if on_processor else torch.bfloat16
    if source.kind == "encoder" and use == "tuning":
        return torch.float32
    if source.dtype != "auto":
        return torch.float32 if source.dtype == "float32" else torch.bfloat16
    if not on_processor:
        return torch.bfloat16
    gains = source.kind == "encoder" or (use == "features" and source.width >= _NARROW)
    return torch.bfloat16 if gains and _multiplies_bfloat16() else torch.float32


def default_device() -> str:
    """Where models go when nothing is said."""
    import torch

    return "cuda:0" if torch.cuda.is_available() else "cpu"


def _multiplies_bfloat16() -> bool:
    import torch

    # Private in torch, so its absence in another release only costs speed.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())
