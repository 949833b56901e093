"""Beginning a collection in a folder, and going on with it."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation.errors import InputError
from annotation.whole_files import check_folder, writing
from budget.collection.channels.base import Channel
from budget.collection.channels.files import FileChannel
from budget.collection.channels.label_studio import LabelStudioChannel, Server
from budget.collection.contents import Contents, read_contents
from budget.collection.existing_labels import ExistingLabel, as_fact, take_in
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier, collection_suppliers, unit_of
from budget.config.collection_config import CollectionConfig, parse_collection
from budget.market.supplier_file import SuppliersFile
from training.engines.choice import EngineChoice

STORE = "collection.sqlite"
STORE_VARIABLE = "LABELMIX_COLLECTION_STORE"
"""Address of a PostgreSQL database, where a team keeps the collection there; it may tell a
password, so the folder does not hold it."""
_KEPT = ("items", "test")


@dataclass(frozen=True)
class Beginning:
    """A collection that was checked and not begun yet."""

    config: CollectionConfig
    file: SuppliersFile
    suppliers: Mapping[str, Supplier]
    contents: Contents


def check_beginning(config: CollectionConfig, file: SuppliersFile) -> Beginning:
    """Everything that can be found wrong before anything is written.

    Raises InputError for settings, tables or suppliers that cannot be used.
    """
    suppliers = collection_suppliers(file, config)
    return Beginning(config, file, suppliers, read_contents(config))


def begin(
    folder: Path, beginning: Beginning, who: str, existing: Sequence[ExistingLabel] = ()
) -> None:
    """Copy the tables into the folder and make the store; all of it or nothing that counts.

    Labels that exist already come in when the collection is opened.

    Raises InputError if a collection is there already, or the folder cannot be written.
    """
    check_folder(folder)
    url = store_url(folder)
    if CollectionStore.exists(url):
        raise InputError(
            f"{folder}: a collection is there already; go on with it, or name another folder."
        )
    config, digests = beginning.config, {}
    sections = {}
    for name in _KEPT:
        section = getattr(config, name)
        source = Path(section.path)
        target = folder / name / source.name
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.absolute() != source.absolute():
                shutil.copyfile(source, target)
        digests[name] = _digest(target)
        sections[name] = section.model_copy(update={"path": f"{name}/{source.name}"})
    kept = config.model_copy(update=sections)
    about = {
        "settings": kept.model_dump_json(),
        "suppliers": beginning.file.model_dump_json(exclude_none=True),
        "digests": json.dumps(digests),
        **as_fact(existing, who),
    }
    unit = unit_of(beginning.suppliers, config.budget.currency, config.budget.total)
    CollectionStore.create(url, unit, config.budget.total, who, about).close()


def change_suppliers(
    folder: Path, store: CollectionStore, file: SuppliersFile, who: str, why: str
) -> None:
    """Take other suppliers, or other prices, for batches to come.

    Raises InputError if they cannot be used in this collection, or a price is finer than the unit
    that its money is counted in.
    """
    config = kept_config(folder, store)
    suppliers = collection_suppliers(file, config)
    unit = unit_of(suppliers, config.budget.currency, config.budget.total)
    if unit.places > store.unit.places:
        raise InputError(
            f"a price has {unit.places} decimal places, and this collection counts money in "
            f"{store.unit.places}; round it."
        )
    history = json.loads(store.about("supplier_changes") or "[]")
    history.append({"who": who, "why": why, "before": json.loads(store.about("suppliers") or "{}")})
    store.remember(
        suppliers=file.model_dump_json(exclude_none=True), supplier_changes=json.dumps(history)
    )


def store_url(folder: Path) -> str:
    """Where the store of a folder's collection is: in the folder, or where the variable says."""
    given = os.environ.get(STORE_VARIABLE, "").strip()
    return given or f"sqlite:///{folder.absolute() / STORE}"


def open_collection(
    folder: Path, store: CollectionStore, server: Server, engine: EngineChoice
) -> Collection:
    """A collection as its store has it.

    Parameters
    ----------
    folder
        That `begin` filled.
    store
        Open; of this collection.
    server
        Opens a connection to Label Studio, when one is needed.
    engine
        Where trials run.

    Raises
    ------
    InputError
        If the folder's tables are gone or others, or the settings cannot be read.
    """
    config = kept_config(folder, store)
    file = SuppliersFile.model_validate_json(store.about("suppliers") or "{}")
    suppliers = collection_suppliers(file, config)
    contents = read_contents(config)
    take_in(store)
    channels: dict[str, Channel] = {}
    for name, own in suppliers.items():
        place = folder / "suppliers" / name
        items = contents.task.items
        channels[name] = (
            LabelStudioChannel(config.name, name, items, place, server)
            if own.channel == "label_studio"
            else FileChannel(name, items, place)
        )
    return Collection(folder, store, config, file, suppliers, contents, channels, engine)


def kept_config(folder: Path, store: CollectionStore) -> CollectionConfig:
    """The settings of a collection, the paths of its tables made absolute.

    Raises InputError if the store has none that can be read, or a table is gone or was changed.
    """
    raw = json.loads(store.about("settings") or "{}")
    digests = json.loads(store.about("digests") or "{}")
    for name in _KEPT:
        path = folder / str(raw.get(name, {}).get("path", name))
        if not path.is_file():
            raise InputError(
                f"{path}: is gone; the collection was begun with it. Put a copy of it back."
            )
        if _digest(path) != digests.get(name):
            raise InputError(
                f"{path}: was changed since the collection was begun; put the copy of then back, "
                "or begin another collection with the new one."
            )
        raw[name]["path"] = str(path)
    return parse_collection(raw, f"{folder}: settings")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
