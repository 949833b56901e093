"""What fits is told before any weight is read: in memory, and in 4 bits."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedModel,
)

from annotation.errors import InputError
from training.models import memory as model_memory
from training.models.load import load_model
from training.models.memory import (
    bytes_needed,
    bytes_there,
    check_on_gpus,
    find_place,
    packed_layers,
)
from training.models.source import ModelSource, count_parameters, find_model

MIB = 1 << 20


def skeleton_of(folder: Path) -> PreTrainedModel:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))


# The tiny Llama: embedding and output of 296 x 64 each; a layer has q, o (64 x 64 each), k, v
# (32 x 64 each), gate, up, down (96 x 64 each), and two norms of 64; one last norm.
LINEAR = 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64)
OTHERS = 2 * 296 * 64 + 2 * 2 * 64 + 64


def test_skeleton_has_the_parameters_of_the_weights(
    llama_folder: Path, llama_source: ModelSource
) -> None:
    skeleton = skeleton_of(llama_folder)
    assert sum(p.numel() for p in skeleton.parameters()) == LINEAR + OTHERS
    assert count_parameters(llama_source) == LINEAR + OTHERS


def test_bytes_of_a_whole_model(llama_folder: Path) -> None:
    skeleton = skeleton_of(llama_folder)
    for dtype, size in ((torch.float32, 4), (torch.bfloat16, 2)):
        expected = 1.1 * size * (LINEAR + OTHERS) + 256 * MIB
        assert bytes_needed(skeleton, "none", dtype, LINEAR) == pytest.approx(expected, abs=1)


def test_bytes_in_four_bits(llama_folder: Path) -> None:
    skeleton = skeleton_of(llama_folder)
    packed = packed_layers(skeleton)
    assert len(packed) == 14
    assert sum(packed.values()) == LINEAR
    # A scale of one byte for 64 weights, and one of four bytes for 256 scales.
    weights = 2 * OTHERS + LINEAR * (1 / 2 + 1 / 64 + 4 / 16384)
    needed = bytes_needed(skeleton, "nf4", torch.bfloat16, LINEAR)
    assert needed == pytest.approx(1.1 * weights + 256 * MIB, abs=1)


def test_the_estimate_covers_the_loaded_weights(llama_folder: Path) -> None:
    source = find_model(str(llama_folder))
    for quantisation in ("none", "nf4"):
        state = load_model(source, quantisation, device="cpu").model.state_dict()
        loaded = sum(value.numel() * value.element_size() for value in state.values())
        needed = bytes_needed(skeleton_of(llama_folder), quantisation, torch.float32, LINEAR)
        assert loaded < needed - 256 * MIB < 1.15 * loaded + 40_000  # codebooks of tiny layers


def test_layers_that_are_kept_whole(llama_folder: Path) -> None:
    packed = packed_layers(
        skeleton_of(llama_folder), ["model.layers.1", "model.layers.0.mlp.up_proj"]
    )
    assert len(packed) == 6
    assert all(name.startswith("model.layers.0.") for name in packed)


@pytest.mark.parametrize(
    ("quantisation", "expected"),
    [
        ("none", "it needs 268.9 MB whole (weights, a tenth more and 268.4 MB) and 100.0 MB are"),
        ("nf4", "it needs 268.6 MB in 4 bits"),
    ],
)
def test_a_model_that_cannot_fit_is_refused_unread(
    llama_source: ModelSource,
    monkeypatch: pytest.MonkeyPatch,
    quantisation: str,
    expected: str,
) -> None:
    monkeypatch.setattr(model_memory, "bytes_there", lambda _device: 100_000_000)

    def read(*_: object, **__: object) -> None:
        raise AssertionError("weights were read")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", read)
    monkeypatch.setattr(model_memory, "_gigabytes", lambda size: f"{size / 1e6:.1f} MB")
    with pytest.raises(InputError) as error:
        load_model(llama_source, quantisation, device="cpu")  # type: ignore[arg-type]
    message = str(error.value)
    assert message.startswith(f"model '{llama_source.name}' does not fit: ")
    assert expected in message
    assert "free on cpu; take a smaller model" in message
    assert ("load it in 4 bits ('nf4')" in message) == (quantisation == "none")


def test_sizes_are_told_in_gigabytes(
    llama_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_memory, "bytes_there", lambda _device: 24_000_000)
    with pytest.raises(InputError, match=r"it needs 0\.3 GB whole .* and 24\.0 MB are free"):
        load_model(llama_source, device="cpu")


def test_memory_of_the_processor_is_what_the_system_has_free() -> None:
    assert 0 < bytes_there("cpu") < 1 << 50
    assert 0 < bytes_there("auto") < 1 << 50  # no GPU in the tests


def test_memory_of_all_gpus_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"cuda:0": 10, "cuda:1": 20}
    held = {"cuda:0": 5, "cuda:1": 0}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[device], 99))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: held[device] + 7)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 7)
    assert bytes_there("cuda:0") == 15
    assert bytes_there("auto") == 35


@pytest.mark.parametrize(
    ("free", "needed", "place"),
    [
        ([], 10, "cpu"),
        ([10], 10, "cuda:0"),
        ([9], 10, "cuda:0"),
        ([10, 90], 10, "cuda:0"),
        ([9, 10], 10, "cuda:1"),
        ([9, 9], 10, "auto"),
        ([4, 4], 10, "auto"),  # refused, with the numbers of all
    ],
)
def test_where_a_model_goes(
    monkeypatch: pytest.MonkeyPatch, free: list[int], needed: int, place: str
) -> None:
    there = {f"cuda:{index}": size for index, size in enumerate(free)}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(free))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(model_memory, "bytes_there", lambda device: there[device])
    assert find_place(needed) == place


def test_what_no_gpu_took_is_refused() -> None:
    check_on_gpus("m", SimpleNamespace(hf_device_map={"a": 0, "b": 1}))
    check_on_gpus("m", SimpleNamespace(hf_device_map={"": "cpu"}))
    check_on_gpus("m", SimpleNamespace())
    for elsewhere in ("cpu", "disk"):
        places = {"a": 0, "b": elsewhere}
        with pytest.raises(InputError, match="model 'm' does not fit: its layers cannot be spread"):
            check_on_gpus("m", SimpleNamespace(hf_device_map=places))


def test_spread_over_what_there_is(llama_source: ModelSource) -> None:
    """Without a GPU "auto" is the processor; scores are those of a plain load."""
    ids = torch.arange(5, 25)[None]
    spread = load_model(llama_source, device_map="auto")
    plain = load_model(llama_source, device="cpu")
    with torch.no_grad():
        assert torch.equal(spread.model(ids).logits, plain.model(ids).logits)


def test_a_mixture_of_experts_cannot_be_held_in_four_bits(
    tmp_path: Path, llama_folder: Path
) -> None:
    """Its experts are no linear layers: 4 bits would leave nearly all of it as it is."""
    for path in llama_folder.glob("token*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = MixtralConfig(
        vocab_size=296,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=4,
    )
    MixtralForCausalLM(config).save_pretrained(tmp_path)
    source = find_model(str(tmp_path))
    with pytest.raises(
        InputError, match=r"cannot be held in 4 bits: .*\(MixtralExperts.*load it whole"
    ):
        load_model(source, "nf4", device="cpu")
    assert load_model(source, device="cpu").quantisation == "none"


def test_layers_of_gpt2_are_held_in_four_bits(gpt2_folder: Path) -> None:
    from bitsandbytes.nn import Linear4bit

    loaded = load_model(find_model(str(gpt2_folder)), "nf4", device="cpu")
    assert sum(isinstance(m, Linear4bit) for m in loaded.model.modules()) == 2 * 4
