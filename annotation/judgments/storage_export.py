"""What Label Studio writes to a target storage: one JSON object a file, named by a number.

A file holds an annotation together with its task or, where Label Studio was told so, a task with
its annotations.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotation.errors import InputError
from annotation.file_limits import largest_file, too_large
from annotation.files import read_json


def storage_files(folder: Path) -> list[Path]:
    """The files of a storage export, those with hidden names left out, in the order of their names.

    Raises InputError if there is none, a folder is among them, or they are too large together.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not found:
        raise InputError(f"{folder}: is an empty folder; give Label Studio's export.")
    for path in found:
        if path.is_dir():
            raise InputError(
                f"{folder}: holds the folder {path.name}; give the folder whose files Label Studio "
                "wrote, one annotation or task each."
            )
    size = sum(path.stat().st_size for path in found)
    if size > largest_file():
        raise too_large(folder, size)
    return found


def read_storage_file(path: Path) -> dict[str, Any]:
    """A file of a storage export as a task in the form of the JSON export.

    Raises InputError if it cannot be read, or is no such file.
    """
    document = read_json(path)
    task = storage_task(document)
    if task is None:
        raise InputError(
            f"{path}: is neither an annotation nor a task, as Label Studio writes them to a "
            "storage, one JSON object a file; take it out of the folder, or give files by name."
        )
    return task


def storage_task(document: object) -> dict[str, Any] | None:
    """What a file of a storage export holds, as a task; None if it is no such file."""
    if not isinstance(document, Mapping):
        return None
    has_annotations = "annotations" in document or "completions" in document
    if isinstance(document.get("data"), Mapping) and has_annotations:
        return dict(document)
    task = document.get("task")
    if not isinstance(document.get("result"), list) or task is None:
        return None
    annotation = {name: value for name, value in document.items() if name != "task"}
    whole = dict(task) if isinstance(task, Mapping) else {"id": task}
    project = whole.get("project", document.get("project"))
    return {"data": {}, **whole, "project": project, "annotations": [annotation]}
