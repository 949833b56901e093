"""A Llama in a GGUF file becomes a folder that transformers reads as it reads the file itself."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFWriter, LlamaFileType
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from training.models.gguf_llama import write_hugging_face_folder
from training.models.load import load_model
from training.models.source import find_model

HEADS, KEY_HEADS, WIDTH, LAYERS = 4, 2, 32, 2
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = ["<end>", "<start>", *LETTERS, "Ġ", ".", "Ċ", "th", "the", "Ġthe"]
MERGES = ["t h", "th e", "Ġ the"]
PARTS = {
    "attn_norm": (WIDTH,),
    "ffn_norm": (WIDTH,),
    "attn_q": (WIDTH, WIDTH),
    "attn_k": (WIDTH * KEY_HEADS // HEADS, WIDTH),
    "attn_v": (WIDTH * KEY_HEADS // HEADS, WIDTH),
    "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (64, WIDTH),
    "ffn_up": (64, WIDTH),
    "ffn_down": (WIDTH, 64),
}


def write_gguf(path: Path, kind: str = "llama", tied: bool = True, splits: str = "smollm") -> Path:
    """A random Llama of two layers, with tokens of one letter and a few of several."""
    rng = np.random.default_rng(0)
    writer = GGUFWriter(path, kind)
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(64)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(100_000.0)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splits)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, *[1] * (len(TOKENS) - 2)])
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{{ messages }}")
    shapes = {"token_embd": (len(TOKENS), WIDTH), "output_norm": (WIDTH,)}
    shapes |= {} if tied else {"output": (len(TOKENS), WIDTH)}
    shapes |= {f"blk.{layer}.{part}": PARTS[part] for layer in range(LAYERS) for part in PARTS}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("tied", [True, False])
def test_every_tensor_is_that_of_the_loader_of_transformers(tmp_path: Path, tied: bool) -> None:
    path, folder = write_gguf(tmp_path / "tiny.gguf", tied=tied), tmp_path / "folder"
    folder.mkdir()
    write_hugging_face_folder(path, folder)
    ours = load_model(find_model(str(folder)), device="cpu").model
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=path.name)
    expected, found = theirs.state_dict(), ours.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name].bfloat16(), tensor.bfloat16()), name
    assert isinstance(theirs.config, LlamaConfig) and isinstance(ours, LlamaForCausalLM)
    for name in ("rms_norm_eps", "rope_parameters", "tie_word_embeddings", "num_key_value_heads"):
        value = getattr(theirs.config, name)
        found_value = getattr(ours.config, name)
        assert found_value == (pytest.approx(value) if isinstance(value, float) else value), name


def test_texts_become_the_tokens_of_the_loader_of_transformers(tmp_path: Path) -> None:
    path, folder = write_gguf(tmp_path / "tiny.gguf"), tmp_path / "folder"
    folder.mkdir()
    write_hugging_face_folder(path, folder)
    ours = AutoTokenizer.from_pretrained(folder)
    theirs = AutoTokenizer.from_pretrained(tmp_path, gguf_file=path.name)
    for text in ("the end of the day.", "<start>the\n\nend<end>", "bathe the cat"):
        assert ours(text)["input_ids"] == theirs(text)["input_ids"], text
        assert ours.decode(ours(text)["input_ids"]) == text
    assert len(ours("123")["input_ids"]) == 3  # digits stand alone
    assert (ours.eos_token, ours.bos_token, ours.pad_token) == ("<end>", "<start>", "<end>")
    assert ours.model_max_length == 128


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        write_hugging_face_folder(path, folder)
    names = sorted(own.name for own in folders[0].iterdir())
    assert "model.safetensors" in names
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    assert "transformers_version" not in json.loads((folders[0] / "config.json").read_text())


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"kind": "falcon"}, "should hold a Llama"), ({"splits": "qwen2"}, "tokenizer of kind")],
)
def test_other_models_are_refused(tmp_path: Path, settings: dict[str, str], told: str) -> None:
    path, folder = tmp_path / "other.gguf", tmp_path / "folder"
    write_gguf(path, **settings)  # type: ignore[arg-type]
    folder.mkdir()
    with pytest.raises(ValueError, match=told):
        write_hugging_face_folder(path, folder)
