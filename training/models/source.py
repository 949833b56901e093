"""Where a model comes from: a folder, a hub id or a short name, and which revision it is."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotation.errors import InputError, MachineError, short
from annotation.faults import os_failure
from training.models.smollm2 import SMOLLM2, smollm2_folder
from training.models.trouble import told_of_model

PICO = "pico"
SHORT_NAMES = (PICO, SMOLLM2)  # of models that need no folder and no hub
PICO_FOLDER = Path(__file__).parents[1] / "pico" / "checkpoint"
_PICO_REVISION = "8f547d72d4a68778"  # whoever trains it anew writes the new one here
_WHAT_TO_GIVE = (
    f"give a folder in Hugging Face format, a hub id such as 'org/name', '{PICO}' or '{SMOLLM2}'"
)
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
_MOST_LAYERS = 2_000
_MOST_PARTS = 1_000_000  # of anything else that a configuration counts: labels, heads, experts
ModelKind = Literal["decoder", "encoder"]
# What whole models compute in; "auto" is what suits their use, see `training.models.number_types`.
WantedType = Literal["auto", "float32", "bfloat16"]
# Weight files up to this size enter the revision whole, of larger ones a block in every stretch.
_HASHED_WHOLE = 2 << 30
_HASHED_BLOCK, _HASHED_STRETCH = 1 << 20, 32 << 20


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from, known before any weight is read."""

    name: str
    location: str  # folder or hub id
    revision: str
    kind: ModelKind
    dtype: WantedType = "auto"
    width: int = 0  # of a hidden state

    @property
    def label(self) -> str:
        """The name without a folder's place, which says nothing about the model."""
        return Path(self.name).resolve().name if Path(self.location).is_dir() else self.name


def find_model(name: str, dtype: WantedType = "auto") -> ModelSource:
    """Resolve a folder, a hub id or a short name, and say which revision it is.

    `dtype` is what the whole model shall compute in.

    `pico` is the embedded model, `smollm2` the one of `training.models.smollm2`. A folder's
    revision is a hash over its configuration, tokenizer and weights (of weight files above 2 GiB
    one MiB in every 32); a hub model's is the commit.

    Raises InputError if there is no such model, it has no configuration, or the package of a short
    name is not installed; MachineError if the embedded model is damaged.
    """
    from transformers import AutoConfig, PretrainedConfig

    location = _location(name)
    folder = Path(location)
    looks_local = _exists(folder) or location.startswith((".", "/", "~")) or "\\" in location
    if looks_local and not (folder / "config.json").is_file():
        raise InputError(f"model '{name}': no config.json there; {_WHAT_TO_GIVE}.")
    if looks_local:
        what, remedy = "its configuration cannot be used", "mend config.json, or fetch it anew"
    else:
        what = "neither a folder nor a hub id that can be reached"
        remedy = _WHAT_TO_GIVE
    with told_of_model(name, what, remedy):
        _check_counts(name, PretrainedConfig.get_config_dict(location)[0])
        config = AutoConfig.from_pretrained(location, trust_remote_code=False)
        architectures = list(config.architectures or [])
    if not all(isinstance(own, str) for own in architectures):
        raise InputError(
            f"model '{name}': config.json: architectures should be texts; "
            f"got {short(architectures)}."
        )
    if config.is_encoder_decoder or not hasattr(config, "num_hidden_layers"):
        raise InputError(
            f"model '{name}' is of type '{config.model_type}': labelmix takes causal language "
            "models and text encoders; name one of these."
        )
    decoder = any(a.endswith(("ForCausalLM", "LMHeadModel")) for a in architectures)
    revision = getattr(config, "_commit_hash", None) or _folder_revision(folder)
    width = getattr(config, "hidden_size", 0)
    kind: ModelKind = "decoder" if decoder else "encoder"
    return ModelSource(
        name, location, revision, kind, dtype, width if isinstance(width, int) else 0
    )


def _location(name: str) -> str:
    """Folder or hub id of a model, which need not be there."""
    if name == PICO:
        _check_pico()
        return str(PICO_FOLDER)
    return str(smollm2_folder(_folder_revision)) if name == SMOLLM2 else name


def _check_pico() -> None:
    """The embedded model is known: one changed weight would give other results without a word."""
    try:
        found = _folder_revision(PICO_FOLDER)
    except OSError as error:
        raise os_failure(PICO_FOLDER, "read", error) from None
    if found != _PICO_REVISION:
        raise MachineError(
            f"{PICO_FOLDER}: the embedded model is damaged (revision {found}, not "
            f"{_PICO_REVISION}); install labelmix again, or name another model."
        )


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:  # a name too long for a file
        return False


def _check_counts(name: str, document: Mapping[str, object]) -> None:
    """Before a library counts up to them: layers, labels and the like that no model has so many of.

    Raises InputError.
    """
    for key, value in document.items():
        is_count = key in _LAYERS or key.startswith(("num_", "n_"))
        if not is_count or not isinstance(value, int | float):
            continue
        most = _MOST_LAYERS if key in _LAYERS else _MOST_PARTS
        least = 1 if key in _LAYERS else -1  # which stands for none, in some
        if not least <= value <= most:
            raise InputError(
                f"model '{name}': config.json: {key} should be from {least} to {most:,}; "
                f"got {short(value)}."
            )


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
    from safetensors import safe_open
    from transformers.utils import cached_file

    config = cached_file(source.location, "config.json", local_files_only=True)
    total = 0
    for path in sorted(Path(str(config)).parent.glob("*.safetensors")):
        with safe_open(path, framework="pt") as weights:
            shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118
        total += sum(math.prod(shape) for shape in shapes)
    return total
