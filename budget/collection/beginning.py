"""Beginning a collection in a folder, and going on with it."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from annotation.databases import damaged
from annotation.errors import InputError
from annotation.judgments.columns import is_text
from annotation.whole_files import check_folder, whole_file
from budget.collection.channels.base import Channel
from budget.collection.channels.files import FileChannel
from budget.collection.channels.label_studio import LabelStudioChannel, Server
from budget.collection.contents import Contents, read_contents
from budget.collection.existing_labels import ExistingLabel, as_fact, known_answers_as_fact
from budget.collection.first_batch import check_first_batch
from budget.collection.model_check import check_model
from budget.collection.money_unit import PLACES_BY_THE_HOUR, MoneyUnit
from budget.collection.resources import CollectionResources
from budget.collection.steps import Collection
from budget.collection.store.history import check_not_closed
from budget.collection.store.store import CollectionStore
from budget.collection.store_place import STORE as STORE
from budget.collection.store_place import STORE_VARIABLE as STORE_VARIABLE
from budget.collection.store_place import store_url as store_url
from budget.collection.suppliers import Supplier, collection_suppliers, unit_of
from budget.collection.test_set.facts import BoughtTestSet, kept_test_set
from budget.collection.test_set.ordering import begun_test_set, cost_of_test_set
from budget.config.collection_config import CollectionConfig, parse_collection
from budget.market.supplier_file import SuppliersFile
from training.engines.choice import EngineChoice
from training.models.source import find_model

_KEPT = ("items", "test")
"""Sections whose tables are copied; a test set that is drawn has no table of its own."""


@dataclass(frozen=True)
class Beginning:
    """A collection that was checked and not begun yet.

    `for_test_set` is what the answers of its test items cost at most; `remarks` are about its
    model.
    """

    config: CollectionConfig
    file: SuppliersFile
    suppliers: Mapping[str, Supplier]
    contents: Contents
    unit: MoneyUnit
    for_test_set: Decimal = Decimal(0)
    remarks: tuple[str, ...] = ()


def check_beginning(config: CollectionConfig, file: SuppliersFile) -> Beginning:
    """Everything that can be found wrong before anything is written.

    Raises InputError for settings, tables, suppliers or a model that cannot be used, and for a
    budget that pays for no first batch.
    """
    suppliers = collection_suppliers(file, config)
    # Which is missed only after the first batch, else.
    source = find_model(config.model.path, config.model.dtype)
    sums = config.budget.total, config.test.cost_per_answer
    unit = unit_of(suppliers, config.budget.currency, *sums)
    bought = begun_test_set(config, file, suppliers, unit) if config.test.is_bought else None
    contents = read_contents(config, bought)
    for_test_set = cost_of_test_set(config, file, suppliers, contents, unit)
    check_first_batch(config, file, suppliers, contents, unit, for_test_set)
    # A model that cannot read the items is missed only after the first batch is paid, else.
    told = check_model(source, config, contents.task)
    return Beginning(config, file, suppliers, contents, unit, for_test_set, told)


def begin(
    folder: Path, beginning: Beginning, who: str, existing: Sequence[ExistingLabel] = ()
) -> None:
    """Copy the tables into the folder and make the store; all of it or nothing that counts.

    Labels that exist already come in when the collection is opened to work on it.

    Raises InputError if a collection is there already, another table is where a copy belongs, or
    the folder cannot be written.
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
        if section.path is None:
            continue
        source = Path(section.path)
        target = folder / name / source.name
        if target.exists() and not (target.is_file() and _digest(target) == _digest(source)):
            raise InputError(
                f"{target}: another table is there already; move it away, or name another folder."
            )
        if not target.exists():
            with whole_file(target, private=True) as unfinished:
                shutil.copyfile(source, unfinished)
        digests[name] = _digest(target)
        sections[name] = section.model_copy(update={"path": f"{name}/{source.name}"})
    kept = config.model_copy(update=sections)
    about = {
        "settings": kept.model_dump_json(),
        "suppliers": beginning.file.model_dump_json(exclude_none=True),
        "digests": json.dumps(digests),
        **as_fact(existing, who),
        **known_answers_as_fact(beginning.contents, config.test.cost_per_answer, who),
        **(beginning.contents.bought or BoughtTestSet()).as_facts(),
    }
    CollectionStore.create(url, beginning.unit, config.budget.total, who, about).close()


def check_suppliers(folder: Path, store: CollectionStore, file: SuppliersFile) -> None:
    """Whether a collection can go on with other suppliers.

    Raises InputError if they cannot be used in it, a price is finer than the unit that its money is
    counted in, one who is at work is missing or would be reached in another way, or it is closed.
    """
    check_not_closed(store.state())
    config, unit = kept_config(folder, store), store.unit
    suppliers = collection_suppliers(file, config)
    for name, own in suppliers.items():
        for price in own.prices.values():
            unit.units(price.per_judgment, f"suppliers.{name}: a price")
            if price.per_hour and unit.places < PLACES_BY_THE_HOUR:
                raise InputError(
                    f"suppliers.{name}: is paid by the hour, and this collection counts money in "
                    f"{unit.places} decimal places, too few for the pay of seconds; give the price "
                    "of a judgment instead, or begin another collection."
                )
    before = collection_suppliers(kept_suppliers(store), config)
    for name, batch in _at_work(store).items():
        kept = suppliers.get(name)
        if kept is None or kept.channel != before[name].channel:
            what = "is not in the file" if kept is None else f"has the channel {kept.channel} now"
            raise InputError(
                f"suppliers.{name}: {what}, but batch {batch} is not complete; keep the supplier "
                "as it was until then, or cancel the batch."
            )


def change_suppliers(store: CollectionStore, file: SuppliersFile, who: str, why: str) -> None:
    """Take other suppliers, or other prices, for batches to come; `check_suppliers` comes first."""
    history = _json(store.about("supplier_changes") or "[]")
    if not isinstance(history, list):
        raise _damaged(store, "supplier_changes")
    history.append({"who": who, "why": why, "before": _kept(store, "suppliers")})
    store.remember(
        suppliers=file.model_dump_json(exclude_none=True), supplier_changes=json.dumps(history)
    )


def kept_suppliers(store: CollectionStore) -> SuppliersFile:
    """The file of suppliers as the collection has it now.

    Raises MachineError if the store has none that can be read.
    """
    try:
        return SuppliersFile.model_validate_json(store.about("suppliers") or "{}")
    except ValidationError:
        raise _damaged(store, "suppliers") from None


def _at_work(store: CollectionStore) -> dict[str, int]:
    """Suppliers of batches that are neither complete nor cancelled, and which batch that is."""
    open_ = {b.number for b in store.batches() if b.state not in ("complete", "cancelled")}
    lines = store.lines()
    there = lines[lines["batch"].isin(open_)]
    return {str(own.supplier): int(own.batch) for own in there.itertuples()}


def open_collection(
    folder: Path, store: CollectionStore, server: Server, engine: EngineChoice
) -> Collection:
    """A collection as its store has it; opening it writes nothing.

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
    file = kept_suppliers(store)
    suppliers = collection_suppliers(file, config)
    contents = read_contents(config, kept_test_set(store) if config.test.is_bought else None)
    channels: dict[str, Channel] = {}
    for name, own in suppliers.items():
        place = folder / "suppliers" / name
        items = contents.task.items
        channels[name] = (
            LabelStudioChannel(config.name, name, items, place, server, config.instructions)
            if own.channel == "label_studio"
            else FileChannel(name, items, place, config.instructions)
        )
    resources = CollectionResources(folder, store, config, file, suppliers, contents, engine)
    return Collection(resources, channels)


def kept_config(folder: Path, store: CollectionStore) -> CollectionConfig:
    """The settings of a collection, the paths of its tables made absolute.

    Raises InputError if a table is gone or was changed: MachineError if the store has no settings
    that can be read.
    """
    raw, digests = _kept(store, "settings"), _kept(store, "digests")
    for name in _KEPT:
        section = raw.get(name)
        if name == "test" and isinstance(section, dict) and section.get("path", "") is None:
            continue
        if not isinstance(section, dict) or not is_text(section.get("path")):
            raise _damaged(store, "settings")
        path = folder / section["path"]
        if not path.is_file():
            raise InputError(
                f"{path}: is gone; the collection was begun with it. Put a copy of it back."
            )
        if _digest(path) != digests.get(name):
            raise InputError(
                f"{path}: was changed since the collection was begun; put the copy of then back, "
                "or begin another collection with the new one."
            )
        raw[name] = {**section, "path": str(path)}
    return parse_collection(raw, f"{folder}: settings")


def _kept(store: CollectionStore, key: str) -> dict[str, Any]:
    """What JSON is kept under a key; MachineError if it is none."""
    found = _json(store.about(key) or "")
    if not isinstance(found, dict):
        raise _damaged(store, key)
    return found


def _json(text: str) -> object:
    """What JSON says; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _damaged(store: CollectionStore, key: str) -> InputError:
    what = f"table about, key '{key}': cannot be read"
    return damaged(store.shown, what, "put a copy of it back")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
