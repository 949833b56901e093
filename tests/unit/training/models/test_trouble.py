"""Model folders that are broken in one file: one line that names the model, never a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from annotation.errors import InputError
from training.models.load import load_model
from training.models.source import PICO_FOLDER, find_model
from training.models.trouble import told_of_model

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the embedded model, to be broken."""
    for name in FILES:
        (tmp_path / name).write_bytes((PICO_FOLDER / name).read_bytes())
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_model(find_model(str(folder)))
    said = str(caught.value)
    assert said.startswith(f"model '{folder}': ")
    assert len(said) < 700
    return said


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\x00\xff", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000],
    ids=["empty", "half", "list", "null", "binary", "deep list", "deep object", "long number"],
)
def test_a_broken_file_is_one_line(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
    refusal(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_size": -1}, "its configuration cannot be used"),
        ({"hidden_size": {"value": 96}}, "its configuration cannot be used"),
        ({"num_hidden_layers": 10**18}, "num_hidden_layers should be from 1 to 2,000"),
        ({"num_hidden_layers": -5}, "num_hidden_layers should be from 1 to 2,000"),
        ({"num_labels": 10**12}, "num_labels should be from -1 to 1,000,000"),
        ({"vocab_size": 7}, "its weights have other shapes than config.json says"),
        ({"model_type": "none such"}, "its configuration cannot be used"),
        ({"architectures": [["x"]]}, "architectures should be texts; got [['x']]"),
        ({"auto_map": {"AutoConfig": "own.Config"}, "model_type": "own"}, "cannot be used"),
    ],
)
def test_a_wrong_configuration_is_one_line(
    change: dict[str, object], said: str, folder: Path
) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change), encoding="utf-8")
    assert said in refusal(folder)


def test_code_beside_a_model_is_never_run(folder: Path) -> None:
    code = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
    (folder / "own.py").write_text(code, encoding="utf-8")
    path = folder / "config.json"
    own = {"auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"}}
    changed = json.loads(path.read_text()) | own | {"model_type": "own"}
    path.write_text(json.dumps(changed), encoding="utf-8")
    refusal(folder)
    assert not (folder / "ran").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def remove(path: Path) -> None:
    path.unlink()


def pickled(path: Path) -> None:
    shutil.move(path, path.with_name("pytorch_model.bin"))


@pytest.mark.parametrize("harm", [cut, remove, pickled])
def test_weights_that_are_cut_or_pickled(harm: Callable[[Path], None], folder: Path) -> None:
    harm(folder / "model.safetensors")
    assert "cannot be loaded" in refusal(folder)
    assert "labelmix reads safetensors weights only" in refusal(folder)


def test_a_length_that_is_no_number(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text('{"model_max_length": {"a": 1}}')
    assert "model_max_length should be a number; got {'a': 1}" in refusal(folder)


@pytest.mark.parametrize("is_special", [False, True], ids=["of a text", "of its own"])
def test_tokens_that_the_model_does_not_know(is_special: bool, folder: Path) -> None:
    """The library would end in an IndexError, on a GPU in one that ends the whole process."""
    if is_special:
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": "new"}))
    else:
        path = folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        tokenizer["model"]["vocab"]["had"] = 5_000
        path.write_text(json.dumps(tokenizer), encoding="utf-8")
    loaded = load_model(find_model(str(folder)))
    token = loaded.tokenizer.pad_token_id if is_special else 5_000
    text = "new" if is_special else "had"
    with pytest.raises(InputError) as caught:
        loaded.model(torch.tensor([[1, token]]))
    assert str(caught.value) == (
        f"model '{folder}': its tokenizer gives token {token}, of {text!r}, and the model "
        f"knows 0 to {loaded.model.config.vocab_size - 1}; fetch tokenizer "
        "and model from one place."
    )


class PanicException(BaseException):
    """As Rust code in Python raises it."""


def test_what_passes_and_what_does_not() -> None:
    said = r"^model 'm': is broken: boom; mend it\.$"
    with pytest.raises(InputError, match=said), told_of_model("m", "is broken", "mend it"):
        raise PanicException("boom.")
    for own in (KeyboardInterrupt, SystemExit, MemoryError):
        with pytest.raises(own), told_of_model("m", "is broken", "mend it"):
            raise own
