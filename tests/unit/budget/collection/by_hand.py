"""A small collection: items, suppliers and answers that are made by hand."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.label_studio.server import LabelStudioServer
from budget.collection.beginning import begin, check_beginning, open_collection, store_url
from budget.collection.learning import Learnt
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.config.collection_config import parse_collection
from budget.market.supplier_file import SuppliersFile
from tests.unit.budget.conftest import known_surface
from training.engines import SilentWatcher
from training.engines.choice import EngineChoice

LABELS = ("odd", "even")
CROWD = {"cost": "0.05", "judgments": [2], "channel": "file"}
EXPERT = {"cost": "0.40", "channel": "file"}
SETTINGS: dict[str, Any] = {
    "name": "little",
    "strata": {"measure": "steps", "cut": "edges:2", "names": ["easy", "hard"]},
    "budget": {"total": "30", "currency": "EUR"},
    "buying": {"first": 6, "gold": 2, "least": 4, "rounds": 3},
}


def rows(first: int, count: int, answered: bool = False) -> list[dict[str, Any]]:
    """Items whose right answer is whether their number is even; half of them are easy."""
    return [
        {
            "item_id": f"item-{number:03d}",
            "question": f"Is {number} odd or even?",
            "choices": list(LABELS),
            "steps": number % 4 + 1,
            **({"answer": right(f"item-{number:03d}")} if answered else {}),
        }
        for number in range(first, first + count)
    ]


def right(item: str) -> str:
    """The right answer."""
    return LABELS[(int(item.removeprefix("item-")) + 1) % 2]


def other(label: str) -> str:
    """The wrong one."""
    return LABELS[1 - LABELS.index(label)]


def write_tables(folder: Path, items: int = 120, tested: int = 40) -> None:
    """Items for sale and test items."""
    for name, own in (("pool", rows(0, items)), ("test", rows(900, tested, answered=True))):
        lines = "".join(json.dumps(row) + "\n" for row in own)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def settings(folder: Path, **sections: Any) -> dict[str, Any]:
    """Settings of a collection whose tables are in the folder; sections are added to the usual."""
    found = {
        **SETTINGS,
        "items": {"path": str(folder / "pool.jsonl")},
        "test": {"path": str(folder / "test.jsonl")},
    }
    for name, own in sections.items():
        found[name] = {**found.get(name, {}), **own} if isinstance(own, dict) else own
    return found


def suppliers(**own: Mapping[str, Any]) -> SuppliersFile:
    """A file of suppliers: a crowd and an expert, unless others are named."""
    return SuppliersFile.model_validate({"suppliers": own or {"crowd": CROWD, "expert": EXPERT}})


def new_collection(
    folder: Path, file: SuppliersFile | None = None, tables: bool = True, **sections: Any
) -> Path:
    """Begin a collection in `folder` / "c", and say where."""
    if tables:
        write_tables(folder)
    config = parse_collection(settings(folder, **sections), "settings")
    begin(folder / "c", check_beginning(config, file or suppliers()), "ann")
    return folder / "c"


@contextmanager
def opened(folder: Path, server: LabelStudioServer | None = None) -> Iterator[Collection]:
    """A collection, with a Label Studio where it asks for one."""

    def connect() -> Any:
        assert server is not None, "nobody should ask for Label Studio"
        return nullcontext(server)

    with CollectionStore.open(store_url(folder)) as store:
        yield open_collection(folder, store, connect, EngineChoice())


def answer(
    folder: Path,
    supplier: str,
    batch: int,
    says: Callable[[str, int], str | None] = lambda item, who: right(item),
    people: int | None = None,
) -> pd.DataFrame:
    """Put into a supplier's `back` what people say of each task of a batch.

    `says` tells the label of an item by person, None for no answer; `people` judge every item, by
    default as many as were asked for; none who judged it in an earlier batch.
    """
    there = folder / "suppliers" / supplier
    tasks = pd.read_csv(there / "out" / f"batch-{batch}.csv")
    before = Counter(
        item
        for number in range(1, batch)
        if (path := there / "back" / f"batch-{number}.csv").is_file()
        for item in pd.read_csv(path)["item_id"]
    )
    found = [
        (task.item_id, f"{supplier}-{who}", label, 10 + who)
        for task in tasks.itertuples()
        for first in [before[task.item_id]]
        for who in range(first, first + (people or int(task.judgments_wanted)))
        if (label := says(str(task.item_id), who)) is not None
    ]
    table = pd.DataFrame(found, columns=["item_id", "annotator", "label", "seconds"])
    table.to_csv(there / "back" / f"batch-{batch}.csv", index=False)
    return table


def now_and_then_wrong(item: str, who: int) -> str:
    """The first person errs on every seventh item, the second on every fifth."""
    number = int(item.removeprefix("item-"))
    return other(right(item)) if number % (7, 5, 11)[who % 3] == 0 else right(item)


def to_the_annotators(collection: Collection) -> int:
    """Plan, approve and order; the number of the batch that waits for annotators."""
    told = []
    for _ in range(4):
        done = collection.step(SilentWatcher())
        told.append(done)
        if done.waits_for == "approval":
            assert done.batch is not None
            collection.store.approve(done.batch, "ann")
        if done.step == "order":
            assert done.batch is not None
            return done.batch
    raise AssertionError(f"no batch was ordered: {told}")


def one_round(
    folder: Path,
    says: Callable[[str, int], str | None] = now_and_then_wrong,
    enough: bool = False,
    names: Sequence[str] = ("crowd", "expert"),
) -> int:
    """Plan, order, answer and complete one batch; its number."""
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        for name in names:
            if (folder / "suppliers" / name / "out" / f"batch-{batch}.csv").is_file():
                answer(folder, name, batch, says)
        done = collection.step(SilentWatcher(), enough)
        assert done.waits_for is None, done
    return batch


def learns_nothing(patch: pytest.MonkeyPatch, easy: float = 0.5) -> None:
    """Nothing is trained: the surface is known, labels of easy items count so much."""
    halves = [40.0 + 8 * number for number in range(40)]
    # Two classes: guessing is right on half of the items, and labels are expected to do better.
    surface = known_surface({"easy": easy}, half_labels=halves, floor=0.5)
    learnt = Learnt(replace(surface, item_deviation=0.02), 0.7, 3)
    patch.setattr("budget.collection.proposing.learn", lambda *_: learnt)
    # A few items of one class are no bar for accuracies that nothing was trained for.
    patch.setattr("budget.collection.proposing.commonest_class", lambda *_: None)
    patch.setattr("budget.collection.proposing.find_model", lambda path, dtype: None)
    patch.setattr("budget.collection.proposing.first_workload", lambda *_: None)
    patch.setattr(EngineChoice, "start", lambda *_: nullcontext(None))
