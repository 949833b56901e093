"""A reset adapter is a fresh one; between trials the model answers as without one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import peft
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from annotation.errors import InputError
from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource
from training.scoring.choices import EncodedItem, encode_items, score_items
from training.tuning import adapters
from training.tuning.adapters import adapted, save_adapter, take_off
from training.tuning.qlora import QloraSettings, prepare, train_and_score, train_on_choices

SHORT = QloraSettings(rank=4, alpha=8, batch=4, epochs=1, least_updates=4, learning_rate=5e-3)


def in_four_bits(source: ModelSource) -> LoadedModel:
    loaded = load_model(source, "nf4", device="cpu")
    prepare(loaded)
    return loaded


@pytest.fixture
def packed(llama_source: ModelSource) -> LoadedModel:
    return in_four_bits(llama_source)


@pytest.fixture
def items(llama: LoadedModel, make_items: Callable[..., pd.DataFrame]) -> list[EncodedItem]:
    table = make_items(16)
    return encode_items(
        llama, table["question"].tolist(), table["choices"].tolist(), table["item_id"].tolist()
    )


def run(
    loaded: LoadedModel, items: list[EncodedItem], settings: QloraSettings = SHORT, seed: int = 0
) -> Tensor:
    labels = [index % len(item.choices) for index, item in enumerate(items[:8])]
    return train_and_score(loaded, items[:8], labels, items[8:], settings, seed)


def adapter_weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {
        name.removeprefix("base_model.model."): value.detach().clone()
        for name, value in model.named_parameters()
        if "lora_" in name
    }


@pytest.mark.parametrize("targets", ["all-linear", "q_proj, down_proj", "default"])
def test_a_reset_adapter_is_what_peft_would_put_on(
    packed: LoadedModel, llama_source: ModelSource, targets: str
) -> None:
    settings = replace(SHORT, target_modules=targets)
    with adapted(packed, settings, seed=1) as model:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data.fill_(7)  # as training would leave it
    with adapted(packed, settings, seed=5) as model:
        found = adapter_weights(model)
    names = {"all-linear": "all-linear", "default": None}.get(targets, ["q_proj", "down_proj"])
    torch.manual_seed(5)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=names, task_type="CAUSAL_LM")
    fresh = adapter_weights(get_peft_model(in_four_bits(llama_source).model, config))
    assert len(fresh) == 2 * {"all-linear": 14, "default": 4}.get(targets, 4)
    assert found.keys() == fresh.keys()
    for name, value in fresh.items():
        assert torch.equal(found[name], value)
        assert bool(value.any()) == ("lora_A" in name)


def test_trials_do_not_influence_each_other(
    packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    settings = replace(SHORT, dropout=0.2)
    first = run(packed, items, settings, seed=1)
    other = run(packed, items, settings, seed=2)
    assert torch.equal(run(packed, items, settings, seed=1), first)
    assert not torch.allclose(other, first, atol=1e-2)
    assert torch.equal(run(in_four_bits(llama_source), items, settings, seed=1), first)


def test_the_base_is_wrapped_once(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped: list[int] = []

    def counted(*arguments: object) -> PeftModel:
        wrapped.append(1)
        return peft.get_peft_model(*arguments)

    monkeypatch.setattr(adapters, "get_peft_model", counted)
    for seed in range(3):
        run(packed, items, seed=seed)
    assert len(wrapped) == 1
    run(packed, items, replace(SHORT, rank=2))
    run(packed, items, replace(SHORT, rank=2, learning_rate=1e-3))
    assert len(wrapped) == 2


def test_another_shape_replaces_the_adapter(
    packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    run(packed, items)
    for changed in ({"rank": 2}, {"alpha": 2}, {"dropout": 0.5}, {"target_modules": "o_proj"}):
        settings = replace(SHORT, **changed)
        assert torch.equal(
            run(packed, items, settings), run(in_four_bits(llama_source), items, settings)
        )
    assert len(adapter_weights(packed.model)) == 2 * 2


def test_in_between_the_model_answers_as_without_an_adapter(
    packed: LoadedModel, items: list[EncodedItem]
) -> None:
    before = score_items(packed, items)
    with adapted(packed, SHORT, seed=0) as model:
        assert model.base_model.model is packed.model
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.fill_(0.1)
        assert (score_items(packed, items) - before).nan_to_num().abs().max() > 1
    assert torch.equal(score_items(packed, items), before)


def test_taken_off_the_model_is_bare(packed: LoadedModel, items: list[EncodedItem]) -> None:
    names = list(packed.model.state_dict())
    before = score_items(packed, items)
    run(packed, items)
    take_off(packed)
    assert list(packed.model.state_dict()) == names
    assert not hasattr(packed.model, "peft_config")
    assert torch.equal(score_items(packed, items), before)


def test_wrapping_that_was_interrupted_is_undone(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(packed, items)
    take_off(packed)
    names = list(packed.model.state_dict())
    update_layer = peft.tuners.lora.Linear4bit.update_layer
    calls: list[int] = []

    def interrupted(*arguments: object, **named: object) -> None:
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        update_layer(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(peft.tuners.lora.Linear4bit, "update_layer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(packed, items)
    assert list(packed.model.state_dict()) == names
    assert torch.equal(run(packed, items), expected)


def test_a_saved_adapter_gives_the_same_scores_in_peft(
    tmp_path: Path, packed: LoadedModel, llama_source: ModelSource, items: list[EncodedItem]
) -> None:
    with train_on_choices(packed, items[:8], [0] * 8, SHORT, seed=0) as model:
        save_adapter(model, tmp_path / "adapter")
        expected = score_items(packed, items, model=model)
    assert {path.name for path in (tmp_path / "adapter").iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    again = in_four_bits(llama_source)
    plain = score_items(again, items)
    read = PeftModel.from_pretrained(again.model, tmp_path / "adapter").eval()
    torch.testing.assert_close(score_items(again, items, model=read), expected, rtol=0, atol=1e-6)
    assert (expected - plain).nan_to_num().abs().max() > 0.1


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("nowhere", "has no linear layer 'nowhere' .* some of down_proj, gate_proj, k_proj"),
        ("q_proj,nowhere", "has no linear layer 'nowhere'"),
        ("embed_tokens", "has no linear layer 'embed_tokens'"),
        ("proj", "has no linear layer 'proj'"),
    ],
)
def test_layers_that_are_not_there(
    packed: LoadedModel, items: list[EncodedItem], targets: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(packed, items, replace(SHORT, target_modules=targets))
    assert not adapter_weights(packed.model)


def test_an_architecture_without_default_layers(
    packed: LoadedModel, items: list[EncodedItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = peft.tuners.lora.LoraModel.target_module_mapping
    monkeypatch.delitem(known, "llama")
    with pytest.raises(InputError, match=r"no adapter can be put on it .*target_modules"):
        run(packed, items, replace(SHORT, target_modules="default"))
    assert not adapter_weights(packed.model)
