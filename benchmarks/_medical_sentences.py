"""Collections of real judgments of medical sentences: a crowd that says again what it once said."""

import csv
import json
import random
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from budget.collection.beginning import begin, check_beginning, open_collection, store_url
from budget.collection.exporting import training_set
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.config.collection_config import parse_collection
from budget.market.supplier_file import SuppliersFile
from training.engines import SilentWatcher
from training.engines.choice import EngineChoice

FOR_STRATA = 4  # the first judgments of an item say how hard it is; they are not given again
MOST = 7  # judgments of a sentence that can be bought
CENTS = Decimal("0.05")
_SUPPLIERS = {"crowd": {"cost": str(CENTS), "judgments": [MOST], "channel": "file"}}
_STEPS = 200


@dataclass(frozen=True)
class Sentences:
    """Where the tables are, what the crowd says of each item, and what is right of it."""

    folder: Path
    said: dict[str, list[tuple[str, str]]]
    right: dict[str, str]


@dataclass(frozen=True)
class Ended:
    """What a collection came to; judgments of gold questions apart.

    `right` is the share of labels of items for sale that are right, `accuracy` what a model learnt
    of them as of the last plan.
    """

    folder: Path
    batches: int
    judgments: int
    right: float
    items: int
    accuracy: float | None


def sentences(data: Path, folder: Path, pool: int, test: int, seed: int) -> Sentences:
    """Tables of sentences whose answer is known: some for sale, some as a test set."""
    lines = (data / "items.jsonl").read_text(encoding="utf-8").splitlines()
    items = {item["item_id"]: item for item in map(json.loads, lines)}
    said: dict[str, list[tuple[str, str]]] = {}
    with (data / "judgments.csv").open(encoding="utf-8") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["created_at"]):
            own = said.setdefault(row["item_id"], [])
            if row["annotator"] not in {who for who, _ in own}:
                own.append((row["annotator"], row["label"]))
    there = sorted(item for item, own in said.items() if len(own) >= FOR_STRATA + MOST)
    random.Random(seed).shuffle(there)
    known = [item for item in there if items[item]["adjudicated"]][: pool + test]
    folder.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("test", known[:test]), ("pool", known[test:])):
        rows = [_row(items[item], said[item], name == "test") for item in chosen]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return Sentences(
        folder,
        {item: said[item][FOR_STRATA:] for item in known},
        {item: items[item]["adjudicated"] for item in known},
    )


def _row(item: dict[str, Any], said: list[tuple[str, str]], tested: bool) -> dict[str, Any]:
    yes = sum(label == "yes" for _, label in said[:FOR_STRATA]) / FOR_STRATA
    row = {name: item[name] for name in ("item_id", "question", "choices")}
    row["disagreement"] = 2 * yes * (1 - yes)
    return {**row, "answer": item["adjudicated"]} if tested else row


def to_the_end(
    there: Sentences, folder: Path, model: Path, selection: str, budget: Decimal, **buying: object
) -> Ended:
    """A collection that goes on until nothing is left to do."""
    settings = {
        "name": selection,
        "model": {"path": str(model)},
        "items": {"path": str(there.folder / "pool.jsonl")},
        "test": {"path": str(there.folder / "test.jsonl")},
        "strata": {"measure": "disagreement", "cut": "edges:0.1", "names": ["easy", "hard"]},
        "budget": {"total": str(budget), "currency": "USD"},
        "buying": {"selection": selection, "approve_below": str(budget), **buying},
    }
    file = SuppliersFile.model_validate({"suppliers": _SUPPLIERS})
    begin(folder, check_beginning(parse_collection(settings, "settings"), file), "ann")
    for _ in range(_STEPS):
        with CollectionStore.open(store_url(folder)) as store:
            collection = open_collection(folder, store, _no_server, EngineChoice())
            done = collection.step(SilentWatcher())
            if done.waits_for == "nothing":
                return _ended(there, folder, collection)
            if done.step == "order":
                assert done.batch is not None
                _answer(there, folder, done.batch)
    raise AssertionError("the collection never came to its end")


def _no_server() -> nullcontext[Any]:
    raise AssertionError("the crowd works with files")


def _answer(there: Sentences, folder: Path, batch: int) -> None:
    """The crowd says of every item what it said then; nobody is asked twice."""
    own = folder / "suppliers" / "crowd"
    given: Counter[str] = Counter()
    for path in (own / "back").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            given.update(row["item_id"] for row in csv.DictReader(file))
    with (own / "out" / f"batch-{batch}.csv").open(encoding="utf-8-sig", newline="") as file:
        tasks = list(csv.DictReader(file))
    with (own / "back" / f"batch-{batch}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "annotator", "label"])
        for task in tasks:
            first = given[task["item_id"]]
            last = first + int(task["judgments_wanted"])
            for who, label in there.said[task["item_id"]][first:last]:
                writer.writerow([task["item_id"], who, label])


def _ended(there: Sentences, folder: Path, collection: Collection) -> Ended:
    table = training_set(collection)
    labels = zip(table["item_id"], table["label"], strict=True)
    found = [there.right[item] == label for item, label in labels]
    batches = collection.store.batches()
    accuracies = [own.decision.get("accuracy_of_all_labels") for own in batches]
    return Ended(
        folder,
        len(batches),
        int(table["judgments"].sum()),
        float(np.mean(found)),
        len(table),
        accuracies[-1],
    )
