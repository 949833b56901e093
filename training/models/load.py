"""Load a model, whole or in 4 bits, with or without a head."""

import os
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMultipleChoice,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from annotation.errors import InputError, short
from training.models.heads import head_layers
from training.models.memory import (
    bytes_needed,
    check_fits,
    check_four_bits,
    check_on_gpus,
    find_place,
    packed_layers,
)
from training.models.number_types import Quantisation, Use, compute_dtype, default_device
from training.models.source import ModelKind, ModelSource
from training.models.trouble import told_of_model

if TYPE_CHECKING:
    from peft import PeftModel

# How an encoder answers: a number per question and choice, or one per choice of a fixed list.
Head = Literal["multiple_choice", "classification"]


@dataclass
class LoadedModel:
    """A model ready to score or train, and what names it in a trial's key."""

    name: str
    revision: str
    kind: ModelKind
    quantisation: Quantisation
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    head: Head | None = None
    head_layers: tuple[str, ...] = ()  # trained beside the adapter, never in 4 bits
    # Its settings, and the model with it: put on for training, switched off in between.
    adapter: "tuple[object, PeftModel] | None" = field(default=None, repr=False, compare=False)

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        return input_device(self.model)

    @cached_property
    def context_length(self) -> int:
        """Most tokens of one sequence."""
        limits = [getattr(self.model.config, "max_position_embeddings", None)]
        limits.append(self.tokenizer.model_max_length)
        limits.append(_positions_after_padding(self.model))
        known = [int(limit) for limit in limits if limit is not None and limit < 1_000_000]
        return min(known, default=2048)


def input_device(model: PreTrainedModel) -> torch.device:
    """Where a model's inputs go: of one that is spread over devices, to its embeddings."""
    device: torch.device = model.device
    if len(set((getattr(model, "hf_device_map", None) or {}).values())) > 1:
        device = model.get_input_embeddings().weight.device
    return device


def _positions_after_padding(model: PreTrainedModel) -> int | None:
    """Positions of a model that counts them from behind its padding token's id, as RoBERTa does.

    Such a model sets one position of its table aside for padding and never uses those before it.
    """
    for name, module in model.named_modules():
        positions = isinstance(module, nn.Embedding) and "position" in name.rpartition(".")[2]
        if positions and module.padding_idx is not None:
            return int(module.num_embeddings - module.padding_idx - 1)
    return None


def load_model(
    source: ModelSource,
    quantisation: Quantisation = "none",
    device: str | None = None,
    device_map: Literal["auto"] | None = None,
    head: Head | None = None,
    classes: int | None = None,
    use: Use = "scores",
) -> LoadedModel:
    """Load weights (safetensors only, no remote code) and tokenizer.

    Parameters
    ----------
    source
        From `find_model`.
    quantisation
        "none", or "nf4": 4-bit NormalFloat with double quantisation (Dettmers et al. 2023).
        What number type the model computes in, `training.models.number_types` says; what is not
        packed in 4 bits is held in the same, but in float32 beside a head.
    device
        Where there are GPUs, defaults to the first that has room for the model; where none has
        but all of them together have, the model is spread over them (device_map "auto").
    device_map
        "auto" spreads the model over all GPUs in any case; `device` is then not asked for.
    head
        For an encoder that is to be trained: "multiple_choice" scores pairs of question and
        choice, "classification" the `classes` choices that all items share.
    classes
        Number of shared choices, with "classification" alone.
    use
        What it is loaded for. With a head it is tuned, whatever this says.

    Raises
    ------
    InputError
        If the weights cannot be loaded, do not fit the memory at hand (told before any is read),
        or cannot be held in 4 bits.
    ValueError
        If a head is asked of a decoder, or `classes` does not go with the head.
    """
    if head is not None and source.kind != "encoder":
        raise ValueError(f"'head' is for encoders; '{source.name}' is a decoder.")
    if (head == "classification") != (classes is not None):
        raise ValueError(f"'classes' goes with the head 'classification'; got {classes}.")
    wanted, device = device_map or device, device or default_device()
    computes = compute_dtype(source, quantisation, use if head is None else "tuning", device)
    dtype = torch.float32 if head else computes
    arguments: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    if classes is not None:
        arguments |= {"num_labels": classes}
    if head is not None:
        arguments |= {"ignore_mismatched_sizes": True}  # another task's head is drawn anew too
    if not Path(source.location).is_dir():
        arguments["revision"] = source.revision  # the commit that trials are kept under
    loader = _loader(source.kind, head)
    told = (source.name, "cannot be loaded", "labelmix reads safetensors weights only")
    with told_of_model(*told):
        skeleton, new_layers = _skeleton(source, loader, arguments)
    packed = packed_layers(skeleton, new_layers)
    if quantisation == "nf4":
        check_four_bits(source.name, skeleton, packed, new_layers)
    needed = bytes_needed(skeleton, quantisation, dtype, sum(packed.values()))
    place = wanted or find_place(needed)
    check_fits(source.name, needed, quantisation, place)
    del skeleton
    if quantisation == "nf4":
        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=computes,
            llm_int8_skip_modules=list(new_layers) or None,
        )
    if place == "auto" or quantisation == "nf4":
        arguments["device_map"] = place if place == "auto" else {"": place}
    with told_of_model(*told):
        model = loader.from_pretrained(source.location, dtype=dtype, **arguments)
    check_on_gpus(source.name, model)
    tokenizer = _tokenizer(source)
    embeddings = model.get_input_embeddings()
    if isinstance(embeddings, nn.Embedding):
        embeddings.register_forward_pre_hook(
            partial(_refuse_unknown_tokens, source.name, tokenizer)
        )
    if quantisation == "nf4":
        _keep_training_kernel(model)
    elif place != "auto":
        model = model.to(place)
    model.eval()
    return LoadedModel(
        source.name,
        source.revision,
        source.kind,
        quantisation,
        model,
        tokenizer,
        head,
        new_layers,
    )


def model_outline(source: ModelSource) -> LoadedModel:
    """A model without its weights: it tells sizes and counts tokens, and computes nothing.

    Raises InputError if its configuration or tokenizer cannot be used.
    """
    loader = _loader(source.kind, None)
    is_folder = Path(source.location).is_dir()
    with told_of_model(source.name, "cannot be loaded", "labelmix reads safetensors weights only"):
        skeleton, _ = _skeleton(source, loader, {} if is_folder else {"revision": source.revision})
    tokenizer = _tokenizer(source)
    return LoadedModel(source.name, source.revision, source.kind, "none", skeleton, tokenizer)


def _tokenizer(source: ModelSource) -> PreTrainedTokenizerBase:
    """The tokenizer, with a padding token."""
    with told_of_model(
        source.name,
        "its tokenizer cannot be used",
        "mend tokenizer.json and tokenizer_config.json, or fetch them anew",
    ):
        tokenizer = AutoTokenizer.from_pretrained(source.location, trust_remote_code=False)
        longest = tokenizer.model_max_length
        if isinstance(longest, bool) or not isinstance(longest, int | float):
            raise InputError(
                f"model '{source.name}': tokenizer_config.json: model_max_length should be a "
                f"number; got {short(longest)}."
            )
        tokenizer(_ANY_TEXT)  # some vocabularies fail at the first word that they lack
        if tokenizer.pad_token_id is None:
            if tokenizer.eos_token is None:
                raise InputError(
                    f"model '{source.name}': its tokenizer has neither a padding nor an end token; "
                    "set pad_token in tokenizer_config.json."
                )
            tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _refuse_unknown_tokens(
    name: str, tokenizer: PreTrainedTokenizerBase, embeddings: nn.Embedding, inputs: tuple[Any, ...]
) -> None:
    """Before a model looks them up: on a GPU, what lies beyond its table ends the whole process.

    Raises InputError.
    """
    ids = inputs[0] if inputs else None
    known = embeddings.num_embeddings
    if not isinstance(ids, torch.Tensor) or ids.numel() == 0 or int(ids.max()) < known:
        return
    token = int(ids.max())
    raise InputError(
        f"model '{name}': its tokenizer gives token {token}, of "
        f"{short(tokenizer.decode([token]))}, and the model knows 0 to {known - 1}; fetch "
        "tokenizer and model from one place."
    )


_ANY_TEXT = "Question: how many? (A) 7 apples\n(B) none.\nAnswer: \u2603"


def _loader(kind: ModelKind, head: Head | None) -> Any:  # noqa: ANN401 - transformers' own types
    if head is not None:
        multiple_choice = head == "multiple_choice"
        return AutoModelForMultipleChoice if multiple_choice else AutoModelForSequenceClassification
    return AutoModelForCausalLM if kind == "decoder" else AutoModel


def _skeleton(
    source: ModelSource,
    loader: Any,  # noqa: ANN401 - transformers' own types
    arguments: dict[str, Any],
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """The model without its weights, and the layers of its head."""
    if loader in (AutoModelForCausalLM, AutoModel):
        revision = {k: v for k, v in arguments.items() if k == "revision"}
        config = AutoConfig.from_pretrained(source.location, trust_remote_code=False, **revision)
        with torch.device("meta"):
            return loader.from_config(config), ()
    skeleton, report = loader.from_pretrained(
        source.location, device_map="meta", output_loading_info=True, **arguments
    )
    changed = [name for name, *_ in report["mismatched_keys"]]
    return skeleton, head_layers(skeleton, [*report["missing_keys"], *changed])


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
