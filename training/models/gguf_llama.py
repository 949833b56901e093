"""A Llama in one GGUF file, made into an ordinary folder in Hugging Face format.

GGUF is the format of llama.cpp (specified in the repository ggml-org/ggml): metadata, the
tokenizer among them, and tensors that are mostly packed in a few bits. The package `gguf` reads and
unpacks them; names, the order of rows and the tokenizer are turned into those of transformers here.
Two runs write the same bytes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from annotation.arrays import Features

if TYPE_CHECKING:
    from gguf import GGUFReader

_WHOLE_MODEL = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_OF_A_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TIED = "output.weight"  # absent where the embedding serves as output layer
_SPECIAL_TOKEN = 3  # llama.cpp's kind of a control token
_SIGNIFICANT_DIGITS = 6  # of a float32, in which the metadata hold small numbers


def write_hugging_face_folder(gguf_file: Path, folder: Path) -> None:
    """Write config.json, model.safetensors (bfloat16) and the tokenizer into an empty folder.

    Raises ImportError without the package `gguf`; ValueError if the file is no GGUF file of a Llama
    with a byte-level tokenizer; OSError if a file cannot be read or written.
    """
    from gguf import GGUFReader

    reader = GGUFReader(gguf_file)
    metadata = {name: field.contents() for name, field in reader.fields.items()}
    kind = metadata["general.architecture"], metadata["tokenizer.ggml.model"]
    if kind != ("llama", "gpt2"):
        raise ValueError(f"{gguf_file}: should hold a Llama with a gpt2 tokenizer; got {kind}.")
    tied = all(tensor.name != _TIED for tensor in reader.tensors)
    _write_json(folder / "config.json", _configuration(metadata, tied))
    _write_tokenizer(metadata, folder)
    # As bytes, so that a full disk is told by the system, not in words of the library's own.
    content = save(_weights(reader, metadata), {"format": "pt"})
    (folder / "model.safetensors").write_bytes(content)


def _configuration(metadata: Mapping[str, Any], tied: bool) -> dict[str, object]:
    def own(name: str) -> Any:  # noqa: ANN401 - numbers of several types
        return metadata[f"llama.{name}"]

    heads, epsilon = own("attention.head_count"), own("attention.layer_norm_rms_epsilon")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(metadata["tokenizer.ggml.tokens"]),
        "hidden_size": own("embedding_length"),
        "intermediate_size": own("feed_forward_length"),
        "num_hidden_layers": own("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": own("attention.head_count_kv"),
        "max_position_embeddings": own("context_length"),
        "rms_norm_eps": float(f"{epsilon:.{_SIGNIFICANT_DIGITS}g}"),
        "rope_theta": own("rope.freq_base"),
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "bos_token_id": metadata["tokenizer.ggml.bos_token_id"],
        "eos_token_id": metadata["tokenizer.ggml.eos_token_id"],
        "pad_token_id": metadata["tokenizer.ggml.padding_token_id"],
        "dtype": "bfloat16",
    }


def _weights(reader: "GGUFReader", metadata: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Transformers' name -> tensor, rounded to bfloat16."""
    from gguf import dequantize

    heads = {
        "attn_q": metadata["llama.attention.head_count"],
        "attn_k": metadata["llama.attention.head_count_kv"],
    }
    weights = {}
    for tensor in reader.tensors:
        values = np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        part = tensor.name.split(".")[-2]
        if part in heads:
            values = _rows_by_half(values, heads[part])
        weights[_name(tensor.name)] = torch.from_numpy(values).bfloat16().contiguous()
    return weights


def _rows_by_half(values: Features, heads: int) -> Features:
    """Rows of queries or keys in transformers' order, (heads x width, columns).

    Rotary positions turn pairs of rows of a head: llama.cpp has each pair side by side,
    transformers has the first of all pairs, then the second of all.
    """
    rows, columns = values.shape
    pairs = values.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows, columns))


def _name(tensor: str) -> str:
    """What transformers calls a tensor of llama.cpp, e.g. "blk.0.attn_q.weight".

    Raises ValueError if it is of no Llama.
    """
    if tensor in _WHOLE_MODEL:
        return _WHOLE_MODEL[tensor]
    block, layer, part, ending = [*tensor.split("."), "", "", ""][:4]
    if block != "blk" or part not in _OF_A_LAYER or ending != "weight":
        raise ValueError(f"tensor '{tensor}' is of no Llama.")
    return f"model.layers.{layer}.{_OF_A_LAYER[part]}.{ending}"


def _write_tokenizer(metadata: Mapping[str, Any], folder: Path) -> None:
    """Byte pairs within single digits and byte-level words, as SmolLM2's own tokenizer has them."""
    if metadata["tokenizer.ggml.pre"] != "smollm":
        raise ValueError(f"tokenizer of kind '{metadata['tokenizer.ggml.pre']}' is not known.")
    tokens = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(BPE({token: index for index, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = metadata["tokenizer.ggml.token_type"]
    special = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _SPECIAL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")

    def named(name: str) -> str:
        return str(tokens[metadata[f"tokenizer.ggml.{name}_token_id"]])

    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": named("bos"),
        "eos_token": named("eos"),
        "pad_token": named("padding"),
        "unk_token": named("unknown"),
        "chat_template": metadata["tokenizer.chat_template"],
        "model_max_length": metadata["llama.context_length"],
        "clean_up_tokenization_spaces": False,
    }
    _write_json(folder / "tokenizer_config.json", settings)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
