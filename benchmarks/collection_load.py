"""A collection that Label Studio calls: bursts of 500 webhooks a second, 100,000 judgments.

On SQLite, and on PostgreSQL from a package. Fifty annotators; deliveries as Label Studio 1.23 sends
them, some twice, some edited later, some overtaken by others.

1. Growth: seconds to take in, to book and to measure 10,000 and 100,000 judgments.
2. Bursts: another process sends 500 deliveries a second for 10 s, three times, one connection each,
   to a collection that ends at 100,000 judgments and goes on taking in and booking. What is in the
   store and what is paid is held against what was sent; seconds of every delivery, memory.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil  # type: ignore[import-untyped]
from numpy.typing import NDArray

import _webhook_deliveries
from _machine import write_result
from _webhook_deliveries import (
    CHOICES,
    CONFIG,
    PEOPLE,
    PER_ITEM,
    PROJECT,
    RATE,
    SECRET,
    count_of,
    deliveries_of,
    is_edited,
    item_of,
    label_of,
    person_of,
    question,
    seconds_of,
    stratum_of,
)
from annotation.label_studio.deliveries import Deliveries
from annotation.label_studio.hearing import KnownProject, hear
from annotation.label_studio.labelling_config import read_answer_control
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.webhook import WebhookReceiver
from budget.collection.arriving import Arrivals, take_in
from budget.collection.beginning import (
    STORE_VARIABLE,
    begin,
    check_beginning,
    open_collection,
    store_url,
)
from budget.collection.measuring import JudgmentsSoFar
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.config.collection_config import parse_collection
from budget.market.supplier_file import SuppliersFile
from collection_store import make_schema, postgresql
from training.engines.choice import EngineChoice

SIZES = (10_000, 100_000)
MOST_GROWTH = 12.0  # times the seconds for ten times the judgments
SECONDS, BURSTS = 10, 3
PRICE = Price(Decimal("0.01"), Decimal(18), Decimal(120))
_UNITS_A_SECOND, _UNITS_A_JUDGMENT = 50, 100  # the same in 1/10,000 EUR; 18 EUR / 3600 s


# What is true


def truth(count: int) -> pd.DataFrame:
    """The judgments in their last form."""
    numbers = range(count)
    return pd.DataFrame(
        {
            "item_id": [f"item-{item_of(n)}" for n in numbers],
            "annotator": [f"person-{person_of(n)}@example.com" for n in numbers],
            "label": [label_of(n, is_edited(n)) for n in numbers],
            "seconds": [float(seconds_of(n, is_edited(n))) for n in numbers],
        }
    )


def check(store: CollectionStore, count: int) -> None:
    """Nothing is lost, nothing is there twice, and everything is paid once at its last form."""
    found = store.judgments()
    number = found["source_id"].str.rpartition(":")[2].astype(int)
    found = found.assign(number=number).sort_values("number").reset_index(drop=True)
    assert found["number"].tolist() == list(range(1, count + 1)), (len(found), count)
    expected = truth(count)
    same = found[list(expected.columns)].astype(object) == expected.astype(object)
    assert same.to_numpy().all(), expected[~same.all(axis=1)]
    units = expected["seconds"] * _UNITS_A_SECOND + _UNITS_A_JUDGMENT
    assert store.balance().paid == Decimal(int(units.sum())).scaleb(-4)


# A collection


@dataclass(frozen=True)
class Crowd:
    """The supplier, as far as webhooks are read by it."""

    known: Mapping[int, KnownProject]

    def says_a_choice(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        return np.array([label in CHOICES for label in table["label"]])


CROWD = Crowd(
    {
        PROJECT: KnownProject(
            PROJECT,
            f"{PROJECT}-3fa09c41",
            "9be2f00c",
            CONFIG,
            read_answer_control(CONFIG, "answer", True),
            {number + 1: f"person-{number}@example.com" for number in range(PEOPLE)},
            {},
        )
    }
)


@contextmanager
def collection(folder: Path, where: str, count: int) -> Iterator[Collection]:
    """One whose only batch waits for so many judgments."""
    folder.mkdir()
    items = count // PER_ITEM
    for name, numbers in (("pool", range(items)), ("test", range(10**6, 10**6 + 200))):
        rows = [
            {
                **{"item_id": f"item-{n}", "question": question(n), "choices": list(CHOICES)},
                **{"steps": 3 if stratum_of(n) == "hard" else 1},
                **({"answer": CHOICES[n % 2]} if name == "test" else {}),
            }
            for n in numbers
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    settings = {
        "name": "load",
        "items": {"path": str(folder / "pool.jsonl")},
        "test": {"path": str(folder / "test.jsonl")},
        "strata": {"measure": "steps", "cut": "edges:2", "names": ["easy", "hard"]},
        "budget": {"total": str(count), "currency": "EUR"},
    }
    terms = {"cost": "0.01", "per_hour": "18", "seconds": "30", "most_seconds": "120"}
    file = SuppliersFile.model_validate({"suppliers": {"crowd": {**terms, "judgments": [5]}}})
    beginning = check_beginning(parse_collection(settings, "settings"), file)
    os.environ[STORE_VARIABLE] = where
    begin(folder / "c", beginning, "benchmark")
    with CollectionStore.open(store_url(folder / "c")) as store:
        batch = store.add_batch(
            [
                OrderLine("crowd", f"item-{n}", stratum_of(n), PER_ITEM, None, PRICE)
                for n in range(items)
            ],
            {},
            "key",
        )
        store.approve(batch, "benchmark")
        store.mark_ordered(batch)
        yield open_collection(folder / "c", store, _nobody, EngineChoice())


def _nobody() -> AbstractContextManager[LabelStudioServer]:
    raise AssertionError("there is no Label Studio to be asked")


def measure(made: Collection) -> None:
    """Error rates, times and labels, as before a batch is planned."""
    so_far = JudgmentsSoFar(made.store.judgments(), made.contents.task)
    so_far.labels(made.proposer.measured(so_far), made.config.buying.aggregate)


def growth(made: Collection, count: int) -> dict[str, dict[str, float]]:
    """Seconds to take in, book and measure so many judgments: of the clock, of this process."""
    wall = dict.fromkeys(("take_in", "book", "measure"), 0.0)
    own = dict(wall)

    def timed(name: str, act: Callable[[], object]) -> None:
        began, used = time.perf_counter(), time.process_time()
        act()
        wall[name] += time.perf_counter() - began
        own[name] += time.process_time() - used

    posted = deliveries_of(0, count)
    while bodies := list(itertools.islice(posted, RATE)):
        timed("take_in", partial(take_in, made.store, {"crowd": CROWD}, bodies))
    timed("book", made.store.book)
    timed("measure", lambda: measure(made))
    check(made.store, count)
    return {"seconds": wall, "processor_seconds": own}


# Bursts


class Memory:
    """Samples the memory of this process, in MB, ten times a second."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(0.1):
            self.samples.append(own.memory_info().rss / 1e6)


def burst(made: Collection, first: int, last: int) -> dict[str, Any]:
    """Ten seconds of deliveries, taken in and booked as `collect run --wait` does."""
    deliveries = Deliveries()
    lines: list[str] = []
    arrivals = Arrivals(made.store, {"crowd": CROWD}, deliveries, lines.append)
    with (
        WebhookReceiver("127.0.0.1", 0, "/", SECRET, deliveries.put) as receiver,
        Memory() as memory,
        subprocess.Popen(
            [sys.executable, _webhook_deliveries.__file__, *map(str, (receiver.port, first, last))],
            stdout=subprocess.PIPE,
        ) as sender,
    ):
        found: list[bytes] = []

        def until_all_is_sent() -> None:
            found.append(sender.communicate()[0])
            deliveries.put(None)  # asks for a pull, which ends the wait

        watcher = threading.Thread(target=until_all_is_sent)
        watcher.start()
        while watcher.is_alive():
            arrivals.until_a_pull_is_due(1, 600.0, 0.0)
        watcher.join()
        arrivals.until_a_pull_is_due(1, 1.0, 0.0)
    made.store.book()
    sent = json.loads(found[0])
    assert set(sent["statuses"]) == {204}, pd.Series(sent["statuses"]).value_counts().to_dict()
    lost = last - made.store.judgments()["source_id"].nunique()
    check(made.store, last)
    return {
        "sent": len(sent["seconds"]),
        "judgments": last - first,
        "lost": lost,
        "seconds_to_send": sent["took"],
        "bookings": len(lines),
        "answered_in": {
            str(q): float(np.percentile(sent["seconds"], q)) for q in (50, 90, 99, 99.9, 100)
        },
        "memory": {
            "before": memory.samples[0],
            "most": max(memory.samples),
            "after": memory.samples[-1],
        },
    }


def bursts(made: Collection) -> list[dict[str, Any]]:
    """Three of them, the last of which completes the collection's batch."""
    each = count_of(RATE * SECONDS)
    first = SIZES[-1] - BURSTS * each
    posted = deliveries_of(0, first)
    while bodies := list(itertools.islice(posted, 20_000)):
        heard = hear(bodies, CROWD.known)
        made.store.deliver("crowd", heard.judgments[PROJECT])
    made.store.book()
    return [burst(made, start, start + each) for start in range(first, SIZES[-1], each)]


def main() -> None:
    """Both parts on both databases."""
    rows: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    ratios: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, postgresql() as url:
        for database in ("sqlite", "postgresql"):
            for count in SIZES:
                where = place(database, url, f"growth_{count}")
                with collection(Path(folder) / f"{database}-{count}", where, count) as made:
                    own = growth(made, count)
                rows.append({"database": database, "judgments": count, **own})
                for kind, seconds in own.items():
                    told = ", ".join(f"{name} {value:.2f}" for name, value in seconds.items())
                    print(f"{database:10} {count:7,d} judgments: {kind}: {told}", flush=True)
            ratios[database] = {}
            for kind in ("seconds", "processor_seconds"):
                few, many = (row[kind] for row in rows[-2:])
                ratios[database][kind] = {name: many[name] / few[name] for name in few}
            where = place(database, url, "bursts")
            with collection(Path(folder) / f"{database}-bursts", where, SIZES[-1]) as made:
                for each in bursts(made):
                    found.append({"database": database, **each})
                    print(f"{database:10} {told_of(each)}", flush=True)
    for database, kinds in ratios.items():
        for kind, grown in kinds.items():
            told = ", ".join(f"{name} {value:.1f}" for name, value in grown.items())
            print(f"{database}: ten times the judgments, times the {kind}: {told}")
    write_result("collection_load", {"growth": rows, "ratios": ratios, "bursts": found})
    # Of this process: another program that runs meanwhile does not count.
    used = [kinds["processor_seconds"] for kinds in ratios.values()]
    assert all(ratio <= MOST_GROWTH for own in used for ratio in own.values())


def place(database: str, url: str, schema: str) -> str:
    """Where a store is: a schema of its own; "" for a file in the collection's folder."""
    if database == "sqlite":
        return ""
    make_schema(url, schema)
    return f"{url}&options=-csearch_path%3D{schema}"


def told_of(own: Mapping[str, Any]) -> str:
    memory = own["memory"]
    answered = {share: f"{1000 * value:.0f} ms" for share, value in own["answered_in"].items()}
    return (
        f"{own['sent']:,} deliveries in {own['seconds_to_send']:.1f} s, {own['lost']} judgments "
        f"lost; half answered in {answered['50']}, 99 % in {answered['99']}, all in "
        f"{answered['100']}; booked {own['bookings']} times; memory {memory['before']:.0f} MB "
        f"before, {memory['most']:.0f} most, {memory['after']:.0f} after"
    )


if __name__ == "__main__":
    main()
