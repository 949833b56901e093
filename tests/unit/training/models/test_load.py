"""Models are found, named by a revision of their content, and loaded whole or in 4 bits."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForMultipleChoice

from annotation.errors import InputError, MachineError
from training.models import memory as model_memory
from training.models import number_types
from training.models import source as model_source
from training.models.load import (
    Head,
    LoadedModel,
    input_device,
    load_model,
)
from training.models.number_types import Quantisation, Use, compute_type
from training.models.source import ModelSource, WantedType, count_parameters, find_model
from training.tuning.qlora import load_for_tuning


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
        "such as 'org/name', 'pico' or 'smollm2'."
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
    monkeypatch.setattr(model_source, "_HASHED_WHOLE", 1000)
    monkeypatch.setattr(model_source, "_HASHED_BLOCK", 100)
    monkeypatch.setattr(model_source, "_HASHED_STRETCH", 2000)
    folder = copy_of(Path(llama_source.location), tmp_path / "model")
    path = folder / "model.safetensors"
    content = path.read_bytes()
    revisions = {find_model(str(folder)).revision}
    for place in (50, 4050):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        revisions.add(model_source._folder_revision(folder))
    path.write_bytes(content + b"\0")
    revisions.add(model_source._folder_revision(folder))
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
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: native)
    loaded = load_model(bert_source, device="cpu")
    assert {p.dtype for p in loaded.model.parameters()} == {dtype}


def test_four_bits_hold_every_linear_layer_but_the_output(llama_source: ModelSource) -> None:
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


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "mpnet"])
def test_positions_that_begin_behind_the_padding_token(
    tmp_path: Path, bert_folder: Path, kind: str, padding: int
) -> None:
    """The first so many positions are never used, and the tokenizer knows no limit."""
    for path in bert_folder.glob("token*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    edit_json(tmp_path / "tokenizer_config.json", drop="model_max_length")
    config = AutoConfig.for_model(
        kind,
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=50,
        type_vocab_size=1,
        pad_token_id=padding,
    )
    AutoModel.from_config(config).save_pretrained(tmp_path)
    loaded = load_model(find_model(str(tmp_path)), device="cpu")
    ids = loaded.tokenizer(
        "red " * 99, truncation=True, max_length=loaded.context_length, return_tensors="pt"
    )["input_ids"]
    ids = torch.full_like(ids, 20)  # no padding among them, whatever its id
    offset = 1 if kind == "mpnet" else padding
    assert loaded.context_length == ids.shape[1] == 50 - offset - 1
    loaded.model(input_ids=ids)
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        loaded.model(input_ids=torch.full((1, loaded.context_length + 1), 20))


def test_other_models_use_all_their_positions(tmp_path: Path, bert_folder: Path) -> None:
    folder = copy_of(bert_folder, tmp_path / "model")
    edit_json(folder / "tokenizer_config.json", drop="model_max_length")
    assert load_model(find_model(str(folder))).context_length == 64


def computed_in(loaded: LoadedModel) -> str:
    """The type of a loaded model's products, after a pass through it."""
    shape = (1, 3, 4) if loaded.head == "multiple_choice" else (3, 4)
    with torch.no_grad():
        loaded.model(input_ids=torch.full(shape, 20))
    layers = [module for module in loaded.model.modules() if isinstance(module, Linear4bit)]
    assert bool(layers) == (loaded.quantisation == "nf4")
    types = {layer.compute_dtype for layer in layers}
    types = types or {parameter.dtype for parameter in loaded.model.parameters()}
    (only,) = types
    return str(only).removeprefix("torch.")


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("quantisation", ["none", "nf4"])
def test_compute_type_is_what_a_loaded_model_computes_in(
    llama_source: ModelSource,
    bert_source: ModelSource,
    monkeypatch: pytest.MonkeyPatch,
    quantisation: Quantisation,
    native: bool,
) -> None:
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: native)
    for source in (llama_source, bert_source):
        found = computed_in(load_model(source, quantisation))
        assert compute_type(source, quantisation) == found
    tuned = computed_in(load_for_tuning(llama_source))
    assert compute_type(llama_source, "nf4", "tuning") == tuned
    for shared in (None, ["red", "blue"]):
        tuned = computed_in(load_for_tuning(bert_source, quantisation, shared))
        assert compute_type(bert_source, quantisation, "tuning") == tuned == "float32"
    half = "bfloat16" if native else "float32"
    assert compute_type(bert_source) == half
    assert compute_type(llama_source) == "float32"
    assert compute_type(llama_source, use="features") == "float32"  # 64 wide: nothing to gain
    assert llama_source.width == 64
    wide = replace(llama_source, width=256)
    assert compute_type(wide, use="features") == half
    assert compute_type(wide, use="scores") == "float32"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_number_type_that_is_asked_for_is_what_a_whole_model_computes_in(
    llama_source: ModelSource, bert_source: ModelSource, dtype: WantedType
) -> None:
    uses: tuple[Use, ...] = ("scores", "features")
    for source in (llama_source, bert_source):
        asked = find_model(source.location, dtype)
        for use in uses:
            assert compute_type(asked, use=use) == computed_in(load_model(asked, use=use)) == dtype
        assert compute_type(asked, "nf4") == compute_type(source, "nf4")
    tuned = computed_in(load_for_tuning(find_model(bert_source.location, dtype), "none"))
    assert tuned == "float32"  # heads and adapters train in four bytes


class Asked(BaseException):  # ends a load where the weights would be read
    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments


def asked_for(monkeypatch: pytest.MonkeyPatch, *request: Any, **options: Any) -> dict[str, Any]:
    """What transformers is told when weights are to be read, in a load on GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for loader in (AutoModel, AutoModelForCausalLM, AutoModelForMultipleChoice):
        whole = loader.from_pretrained

        def read(*given: Any, whole: Any = whole, **arguments: Any) -> Any:
            if "dtype" in arguments:
                raise Asked(arguments)
            return whole(*given, **arguments)  # the skeleton

        monkeypatch.setattr(loader, "from_pretrained", read)
    with pytest.raises(Asked) as error:
        load_model(*request, **options)
    return error.value.arguments


def test_compute_type_is_what_a_gpu_is_asked_for(
    llama_source: ModelSource, bert_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(model_memory, "bytes_there", lambda _device: 1 << 40)
    heads: list[Head | None] = [None, "multiple_choice"]
    cases = [(llama_source, None), *((bert_source, head) for head in heads)]
    found = []
    for source, head in cases:
        for quantisation in get_args(Quantisation):
            with monkeypatch.context() as patch:
                asked = asked_for(patch, source, quantisation, head=head)
                said = compute_type(source, quantisation, "scores" if head is None else "tuning")
            config = asked.get("quantization_config")
            computes = config.bnb_4bit_compute_dtype if config else asked["dtype"]
            assert said == str(computes).removeprefix("torch.")
            found.append((said, str(asked["dtype"]).removeprefix("torch.")))
    half, full = "bfloat16", "float32"
    assert found == [(half, half)] * 4 + [(full, full), (half, full)]


@pytest.mark.parametrize(
    ("free", "device", "place"),
    [
        ({"cuda:0": 1 << 40, "cuda:1": 1 << 40}, None, {"": "cuda:0"}),
        ({"cuda:0": 0, "cuda:1": 1 << 40}, None, {"": "cuda:1"}),
        ({"cuda:0": 1 << 28, "cuda:1": 1 << 28}, None, "auto"),
        ({"cuda:0": 1 << 40, "cuda:1": 1 << 40}, "cuda:1", {"": "cuda:1"}),
    ],
)
def test_a_model_that_no_gpu_holds_alone_is_spread(
    llama_source: ModelSource,
    monkeypatch: pytest.MonkeyPatch,
    free: dict[str, int],
    device: str | None,
    place: object,
) -> None:
    """The tiny Llama needs some 268.6 million bytes, 2^28 are 268.4 million."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[device], 0))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 0)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 0)
    asked = asked_for(monkeypatch, llama_source, "nf4", device)
    assert asked["device_map"] == place
    assert asked["dtype"] == torch.bfloat16


def test_inputs_of_a_spread_model_go_to_its_embeddings() -> None:
    def model(places: dict[str, object] | None) -> Any:
        weight = SimpleNamespace(device=torch.device("cuda:1"))
        return SimpleNamespace(
            hf_device_map=places,
            device=torch.device("cuda:0"),
            get_input_embeddings=lambda: SimpleNamespace(weight=weight),
        )

    assert input_device(model({"lm_head": 0, "model": 1})) == torch.device("cuda:1")
    assert input_device(model({"": 0})) == torch.device("cuda:0")
    assert input_device(model(None)) == torch.device("cuda:0")


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
    with pytest.raises(InputError, match="its tokenizer cannot be used"):
        load_model(find_model(str(folder)))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_embedded_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One changed weight would give other results without a word."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(model_source.PICO_FOLDER, folder)
    monkeypatch.setattr(model_source, "PICO_FOLDER", folder)
    assert find_model("pico").location == str(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(MachineError) as error:
        find_model("pico")
    assert str(error.value).startswith(f"{folder}: the embedded model is damaged (revision ")
    assert str(error.value).endswith("; install labelmix again, or name another model.")
