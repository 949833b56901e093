"""Load a model by folder, hub id or the name `pico`, whole or in 4 bits."""

import hashlib
import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import cached_file

from annotation.errors import InputError

PICO_FOLDER = Path(__file__).parent / "pico" / "checkpoint"
ModelKind = Literal["decoder", "encoder"]
Quantisation = Literal["none", "nf4"]
# Weight files up to this size enter the revision whole, of larger ones a block in every stretch.
_HASHED_WHOLE = 2 << 30
_HASHED_BLOCK, _HASHED_STRETCH = 1 << 20, 32 << 20


@dataclass
class LoadedModel:
    """A model ready to score or train, and what names it in a trial's key."""

    name: str
    revision: str
    kind: ModelKind
    quantisation: Quantisation
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @cached_property
    def context_length(self) -> int:
        """Most tokens of one sequence."""
        limits = [getattr(self.model.config, "max_position_embeddings", None)]
        limits.append(self.tokenizer.model_max_length)
        known = [int(limit) for limit in limits if limit is not None and limit < 1_000_000]
        return min(known, default=2048)


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from, known before any weight is read."""

    name: str
    location: str  # folder or hub id
    revision: str
    kind: ModelKind

    @property
    def label(self) -> str:
        """The name without a folder's place, which says nothing about the model."""
        return Path(self.name).resolve().name if Path(self.location).is_dir() else self.name


def find_model(name: str) -> ModelSource:
    """Resolve `pico`, a folder or a hub id, and say which revision it is.

    A folder's revision is a hash over its configuration, tokenizer and weights (of weight files
    above 2 GiB one MiB in every 32); a hub model's is the commit.

    Raises InputError if there is no such model or it has no configuration.
    """
    location = str(PICO_FOLDER) if name == "pico" else name
    folder = Path(location)
    looks_local = folder.exists() or location.startswith((".", "/", "~")) or "\\" in location
    if looks_local and not (folder / "config.json").is_file():
        raise InputError(
            f"model '{name}': no config.json there; give a folder in Hugging Face format, "
            "a hub id such as 'org/name', or 'pico'."
        )
    try:
        config = AutoConfig.from_pretrained(location, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unknown error"
        raise InputError(
            f"model '{name}': neither a folder nor a hub id that can be reached ({reason}); "
            "give a folder in Hugging Face format, a hub id such as 'org/name', or 'pico'."
        ) from None
    if config.is_encoder_decoder or not hasattr(config, "num_hidden_layers"):
        raise InputError(
            f"model '{name}' is of type '{config.model_type}': labelmix takes causal language "
            "models and text encoders; name one of these."
        )
    architectures = config.architectures or []
    decoder = any(a.endswith(("ForCausalLM", "LMHeadModel")) for a in architectures)
    revision = getattr(config, "_commit_hash", None) or _folder_revision(folder)
    return ModelSource(name, location, revision, "decoder" if decoder else "encoder")


def _folder_revision(folder: Path) -> str:
    digest = hashlib.sha256()
    names = ("*.safetensors", "*.json", "*.txt", "*.model")
    for path in sorted({path for pattern in names for path in folder.glob(pattern)}):
        size = path.stat().st_size
        digest.update(f"{path.name}:{size}:".encode())
        whole = size <= _HASHED_WHOLE
        with path.open("rb") as file:
            for start in range(0, size, _HASHED_BLOCK if whole else _HASHED_STRETCH):
                file.seek(start)
                digest.update(file.read(_HASHED_BLOCK))
    return digest.hexdigest()[:16]


def count_parameters(source: ModelSource) -> int:
    """Parameters of a model, read off the headers of its weights; 0 before they are there."""
    config = cached_file(source.location, "config.json", local_files_only=True)
    total = 0
    for path in sorted(Path(str(config)).parent.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
        total += sum(math.prod(shape) for shape in shapes)
    return total


def load_model(
    source: ModelSource, quantisation: Quantisation = "none", device: str | None = None
) -> LoadedModel:
    """Load weights (safetensors only, no remote code) and tokenizer.

    `device` defaults to the first GPU where there is one. Whole decoders are held in float32 on
    a CPU and bfloat16 on a GPU; encoders are held in bfloat16 where the processor multiplies it
    natively (cosine to float32 at least .9999 for MiniLM, twice the speed). `nf4` is 4-bit
    NormalFloat with double quantisation (Dettmers et al. 2023).

    Raises InputError if the weights cannot be loaded.
    """
    device = device or _default_device()
    arguments: dict[str, Any] = {
        "dtype": _compute_dtype(source.kind, device),
        "trust_remote_code": False,
        "use_safetensors": True,
    }
    if not Path(source.location).is_dir():
        arguments["revision"] = source.revision  # the commit that trials are kept under
    if quantisation == "nf4":
        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float32 if device == "cpu" else torch.bfloat16,
        )
        arguments["device_map"] = {"": device}
    loader = AutoModelForCausalLM if source.kind == "decoder" else AutoModel
    try:
        model = loader.from_pretrained(source.location, **arguments)
        tokenizer = AutoTokenizer.from_pretrained(source.location, trust_remote_code=False)
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"model '{source.name}': cannot be loaded: {reason}; labelmix reads safetensors "
            "weights only."
        ) from None
    if quantisation == "none":
        model = model.to(device)
    else:
        _keep_training_kernel(model)
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise InputError(
                f"model '{source.name}': its tokenizer has neither a padding nor an end token; "
                "set pad_token in tokenizer_config.json."
            )
        tokenizer.pad_token = tokenizer.eos_token
    model.eval()
    return LoadedModel(source.name, source.revision, source.kind, quantisation, model, tokenizer)


def compute_type(kind: ModelKind) -> str:
    """The number type that models of a kind compute in on this machine, e.g. "float32"."""
    return str(_compute_dtype(kind, _default_device())).removeprefix("torch.")


def _default_device() -> str:
    return "cuda:0" if torch.cuda.is_available() else "cpu"


def _compute_dtype(kind: ModelKind, device: str) -> torch.dtype:
    if device != "cpu":
        return torch.bfloat16
    # Decoders stay whole: sums of log-probabilities are compared, and small models train on.
    if kind == "encoder" and _multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _multiplies_bfloat16() -> bool:
    # Private in torch, so its absence in another release only costs speed.
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(probe and probe())


def _keep_training_kernel(model: PreTrainedModel) -> None:
    """Hold 4-bit layers on the kernel that has a gradient.

    bitsandbytes 0.50 repacks the weights in place at the first evaluation on CPUs with
    AVX512-BF16. Back in training the layer then runs without autograd, silently, and shapes that
    are no multiple of 32 x 64 crash.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def set_threads() -> None:
    """One thread unless OMP_NUM_THREADS says otherwise: two on a busy machine are far slower."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
