"""Which folders are shown, and what they hold. A page names one of them, never a path."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotation.errors import InputError, short
from budget.collection.store_place import STORE, is_elsewhere

FolderKind = Literal["collection", "run", "nothing"]
RESULT = "result.json"
_LONGEST = 60  # characters of a name in an address


@dataclass(frozen=True)
class ShownFolder:
    """A folder that is shown.

    Attributes
    ----------
    name : in addresses: letters, digits, - and _
    folder : where it is
    kind : what it holds
    """

    name: str
    folder: Path
    kind: FolderKind

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.folder.absolute().name or str(self.folder)


class NoSuchFolderError(InputError):
    """No folder that is shown has this name."""


def kind_of(folder: Path) -> FolderKind:
    """What a folder holds; a collection whose store is elsewhere is known by its tables."""
    if (folder / STORE).exists():
        return "collection"
    if (folder / RESULT).exists():
        return "run"
    return "collection" if is_elsewhere() and (folder / "items").is_dir() else "nothing"


def find_places(folders: Sequence[Path]) -> list[ShownFolder]:
    """The folders that were named; of one that holds neither run nor collection, those in it.

    A folder in which there is nothing stands for itself.
    """
    found: list[ShownFolder] = []
    names: dict[str, int] = {}
    for folder, kind in (own for given in folders for own in _looked_into(given)):
        if any(folder == place.folder for place in found):
            continue
        short_name = re.sub(r"[^\w-]+", "-", folder.absolute().name, flags=re.ASCII).strip("-")
        name = short_name[:_LONGEST].lower() or "folder"
        while name in names:
            names[name] += 1
            name = f"{name}-{names[name]}"
        names[name] = 1
        found.append(ShownFolder(name, folder, kind))
    return found


def _looked_into(folder: Path) -> Iterator[tuple[Path, FolderKind]]:
    if (kind := kind_of(folder)) != "nothing":
        yield folder, kind
        return
    inside: list[Path] = []
    with suppress(OSError):
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
    there: list[tuple[Path, FolderKind]] = [
        (path, kind) for path in inside if (kind := kind_of(path)) != "nothing"
    ]
    yield from there or [(folder, "nothing")]


def place_named(folders: Sequence[Path], name: str) -> ShownFolder:
    """The place of this name.

    Raises NoSuchFolderError if there is none.
    """
    for place in find_places(folders):
        if place.name == name:
            return place
    raise NoSuchFolderError(f"no folder {short(name)} is shown here; choose one of the list.")
