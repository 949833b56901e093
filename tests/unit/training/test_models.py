"""Models are found, named by a revision of their content, and loaded whole or in 4 bits."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from annotation.errors import InputError
from training import models
from training.models import ModelSource, count_parameters, find_model, load_model


def copy_of(folder: Path, destination: Path) -> Path:
    destination.mkdir()
    for path in folder.iterdir():
        (destination / path.name).write_bytes(path.read_bytes())
    return destination


def edit_json(path: Path, drop: str = "", **changes: object) -> None:
    content = json.loads(path.read_text()) | changes
    content.pop(drop, None)
    path.write_text(json.dumps(content))


def test_kind_is_read_off_the_configuration(
    llama_source: ModelSource, bert_source: ModelSource, gpt2_folder: Path
) -> None:
    assert llama_source.kind == "decoder"
    assert bert_source.kind == "encoder"
    assert find_model(str(gpt2_folder)).kind == "decoder"  # GPT2LMHeadModel


def test_unknown_folder(tmp_path: Path) -> None:
    name = str(tmp_path / "nowhere")
    with pytest.raises(InputError) as error:
        find_model(name)
    assert str(error.value) == (
        f"model '{name}': no config.json there; give a folder in Hugging Face format, a hub id "
        "such as 'org/name', or 'pico'."
    )


def test_folder_without_a_configuration(tmp_path: Path, llama_folder: Path) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"no config\.json there"):
        find_model(str(folder))


@pytest.mark.parametrize("name", ["org/none", "no such model", "a/b/c"])
def test_hub_id_out_of_reach(name: str) -> None:
    with pytest.raises(InputError, match=rf"^model '{name}': neither a folder nor a hub id"):
        find_model(name)


@pytest.mark.parametrize("text", ["{", "{}", '{"model_type": "no-such-architecture"}'])
def test_configuration_that_cannot_be_used(tmp_path: Path, llama_folder: Path, text: str) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"^model '") as error:
        find_model(str(folder))
    assert "\n" not in str(error.value)


def test_a_copy_has_the_same_revision(tmp_path: Path, llama_source: ModelSource) -> None:
    copy = find_model(str(copy_of(Path(llama_source.location), tmp_path / "copy")))
    assert copy.revision == llama_source.revision
    assert copy.name != llama_source.name


def test_revision_changes_with_weights(tmp_path: Path, llama_source: ModelSource) -> None:
    folder = copy_of(Path(llama_source.location), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][0] += 1e-3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert find_model(str(folder)).revision != llama_source.revision


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_revision_changes_with_configuration_and_tokenizer(
    tmp_path: Path, llama_source: ModelSource, name: str
) -> None:
    folder = copy_of(Path(llama_source.location), tmp_path / "model")
    edit_json(folder / name, a_remark="changed")
    assert find_model(str(folder)).revision != llama_source.revision


def test_revision_follows_a_block_of_every_stretch_of_a_large_file(
    tmp_path: Path, llama_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_HASHED_WHOLE", 1000)
    monkeypatch.setattr(models, "_HASHED_BLOCK", 100)
    monkeypatch.setattr(models, "_HASHED_STRETCH", 2000)
    folder = copy_of(Path(llama_source.location), tmp_path / "model")
    path = folder / "model.safetensors"
    content = path.read_bytes()
    revisions = {find_model(str(folder)).revision}
    for place in (50, 4050):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        revisions.add(models._folder_revision(folder))
    path.write_bytes(content + b"\0")
    revisions.add(models._folder_revision(folder))
    assert len(revisions) == 4


def test_count_parameters(llama_source: ModelSource, bert_source: ModelSource) -> None:
    for source in (llama_source, bert_source):
        model = load_model(source).model
        assert count_parameters(source) == sum(p.numel() for p in model.parameters())


def test_loads_decoders_in_float32_and_ready_to_score(llama_source: ModelSource) -> None:
    loaded = load_model(llama_source, device="cpu")
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    assert not loaded.model.training
    assert (loaded.name, loaded.revision) == (llama_source.name, llama_source.revision)
    assert loaded.quantisation == "none"


@pytest.mark.parametrize(
    ("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)], ids=["bf16", "fp32"]
)
def test_encoders_are_held_in_what_the_processor_multiplies(
    bert_source: ModelSource, monkeypatch: pytest.MonkeyPatch, native: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(models, "_multiplies_bfloat16", lambda: native)
    loaded = load_model(bert_source, device="cpu")
    assert {p.dtype for p in loaded.model.parameters()} == {dtype}


def test_four_bits_hold_every_linear_layer_but_the_output(llama_source: ModelSource) -> None:
    from bitsandbytes.nn import Linear4bit

    loaded = load_model(llama_source, "nf4", device="cpu")
    packed = [n for n, m in loaded.model.named_modules() if isinstance(m, Linear4bit)]
    plain = [n for n, m in loaded.model.named_modules() if type(m) is torch.nn.Linear]
    assert len(packed) == 2 * 7  # per layer: q, k, v, o, gate, up, down
    assert plain == ["lm_head"]


def test_context_length_is_the_smaller_of_model_and_tokenizer(
    tmp_path: Path, llama_folder: Path, bert_source: ModelSource
) -> None:
    assert load_model(bert_source).context_length == 48  # the tokenizer's; the model reads 64
    folder = copy_of(llama_folder, tmp_path / "model")
    edit_json(folder / "tokenizer_config.json", drop="model_max_length")
    edit_json(folder / "config.json", max_position_embeddings=77)
    assert load_model(find_model(str(folder))).context_length == 77


def test_end_token_stands_in_for_a_missing_padding_token(
    tmp_path: Path, llama_folder: Path
) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    edit_json(folder / "tokenizer_config.json", drop="pad_token")
    tokenizer = load_model(find_model(str(folder))).tokenizer
    assert tokenizer.pad_token == tokenizer.eos_token == "</s>"


def test_neither_padding_nor_end_token(tmp_path: Path, llama_folder: Path) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    for token in ("pad_token", "eos_token"):
        edit_json(folder / "tokenizer_config.json", drop=token)
    with pytest.raises(InputError, match="neither a padding nor an end token; set pad_token"):
        load_model(find_model(str(folder)))


def test_weights_that_are_no_safetensors(tmp_path: Path, llama_folder: Path) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="labelmix reads safetensors weights only"):
        load_model(find_model(str(folder)))


def test_truncated_weights(tmp_path: Path, llama_folder: Path) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match=rf"^model '{folder}': cannot be loaded: "):
        load_model(find_model(str(folder)))


def test_tokenizer_missing(tmp_path: Path, llama_folder: Path) -> None:
    folder = copy_of(llama_folder, tmp_path / "model")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(find_model(str(folder)))
