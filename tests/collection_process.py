"""A process that works on a collection, and is killed or raced by others: see its two commands.

    python -m tests.collection_process killed WHERE SEED KILLS
    python -m tests.collection_process raced WHERE PROCESSES PUSHED

`killed` plays one history, in children that are killed at a random statement or after a random time
until one comes to the end. `raced` plays it in several children at once; every child writes each
change that it was the one to make, and what it sent out, as a line to the file PUSHED.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, event

from annotation.errors import InputError
from annotation.locks import FolderInUseError
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore

UNIT = MoneyUnit("EUR", 4)
BUDGET = Decimal(30)
CROWD = Price(Decimal("0.05"))
EXPERT = Price(Decimal("0.1"), Decimal(20), Decimal(90))
ITEMS = 12
BATCHES = 3


def lines(batch: int) -> list[OrderLine]:
    """What a batch asks: every item of the crowd, every other one of the expert."""
    items = [f"b{batch}-i{k}" for k in range(ITEMS)]
    return [
        *(OrderLine("crowd", item, "easy", 2, None, CROWD) for item in items),
        *(OrderLine("expert", item, "hard", 1, "A", EXPERT) for item in items[::2]),
    ]


def answers(batch: int, supplier: str, version: int) -> pd.DataFrame:
    """Everything that a supplier's server holds after a batch; version 1 has edits and deletions.

    Three people of the crowd judge every item, of whom two were ordered.
    """
    rows = []
    for number in range(1, batch + 1):
        for k in range(ITEMS):
            for person in range(3 if supplier == "crowd" else 1 - k % 2):
                is_edited = version and number == batch and (k + person) % 5 == 0
                if is_edited and k % 3 == 0:
                    continue
                rows.append(
                    {
                        "item_id": f"b{number}-i{k}",
                        "annotator": f"{supplier}-{person}",
                        "label": "B" if is_edited else "A",
                        "seconds": 7.3 * (k + 1) + (5 if is_edited else 0),
                        "created_at": pd.Timestamp("2026-03-01T10:00Z") + pd.Timedelta(k, "s"),
                        "source_id": f"{number}-{k}-{person}",
                    }
                )
    return pd.DataFrame(rows)


def steps() -> list[Callable[[CollectionStore], object]]:
    """The history, step by step; each may be done again."""
    found: list[Callable[[CollectionStore], object]] = []
    for number in range(1, BATCHES + 1):
        batch = {"lines": lines(number), "decision": {"n": number}, "key": f"state {number}"}
        found += [
            partial(CollectionStore.add_batch, **batch),  # type: ignore[arg-type]
            partial(CollectionStore.approve, batch=number, who="ann"),
            partial(CollectionStore.mark_ordered, batch=number),
        ]
        for version in (0, 1):
            for supplier in ("crowd", "expert"):
                table = answers(number, supplier, version)
                found.append(
                    partial(CollectionStore.receive, supplier=supplier, table=table, whole=True)
                )
            found.append(CollectionStore.book)
        if number < BATCHES:
            found.append(partial(CollectionStore.complete, batch=number))
    found.append(partial(CollectionStore.cancel, batch=BATCHES, who="ann", why="enough"))
    found.append(partial(CollectionStore.set_budget, total=Decimal(20), who="ann"))
    return found


def play(where: str | Path) -> None:
    """Begin the history, or go on with it where another process left it."""
    if not CollectionStore.exists(where):
        CollectionStore.create(where, UNIT, BUDGET, "ann").close()
    todo = steps()
    with CollectionStore.open(where) as store:
        while (done := int(store.about("done") or 0)) < len(todo):
            todo[done](store)
            store.remember(done=str(done + 1))


def kill_at(statement: int) -> None:
    """Kill this process, as nothing can catch, at its statement (or commit) of that number."""
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)


def child(work: Callable[[], None]) -> int:
    """The number of a process that does some work and ends with it."""
    number = os.fork()
    if not number:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return number


def killed(where: str | Path, seed: int, kills: int) -> None:
    """Play the history with that many kills, or as many as there are before its end; then to it."""
    chance = random.Random(seed)
    there_were = 0
    while there_were < kills:
        by_time = chance.random() < 0.5
        statement = chance.randrange(60)

        def work(by_time: bool = by_time, statement: int = statement) -> None:
            if not by_time:
                kill_at(statement)
            play(where)

        number = child(work)
        if by_time:
            time.sleep(chance.random() * 0.15)
            os.kill(number, signal.SIGKILL)
        _, status = os.waitpid(number, 0)
        if os.waitstatus_to_exitcode(status) == -signal.SIGKILL:
            there_were += 1
        else:
            assert os.waitstatus_to_exitcode(status) == 0, "a process failed by itself"
            break
    play(where)
    print(there_were)  # noqa: T201


def race(where: str | Path, name: str, out: Path) -> None:
    """Do all that `play` does, against others who do the same."""

    def tell(what: str) -> None:
        with out.open("a", encoding="utf-8") as file:
            file.write(f"{what} {name}\n")

    with CollectionStore.open(where) as store:
        for number in range(1, BATCHES + 1):
            store.add_batch(lines(number), {"by": name}, f"state {number}")
            if store.approve(number, name):
                tell(f"approved {number}")
            while True:
                try:
                    with store.alone(name):
                        if store.batches()[number - 1].state == "approved":
                            tell(f"pushed {number}")
                            assert store.mark_ordered(number)
                    break
                except FolderInUseError:
                    time.sleep(0.002)
            for supplier in ("crowd", "expert"):
                store.receive(supplier, answers(number, supplier, 0), False)
            for _ in range(3):
                store.book()
        for number in range(1, BATCHES + 1):
            if store.complete(number):
                tell(f"complete {number}")
            try:
                store.cancel(number, name, "late")
                tell(f"cancelled {number}")
            except InputError:
                pass


def raced(where: str | Path, processes: int, out: Path) -> None:
    """Let several processes do the same at once."""
    CollectionStore.create(where, UNIT, BUDGET, "ann").close()
    numbers = [child(partial(race, where, f"p{k}", out)) for k in range(processes)]
    for number in numbers:
        _, status = os.waitpid(number, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "a process failed"


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    what, place, *rest = arguments
    where = place if "://" in place else Path(place)
    if what == "killed":
        killed(where, int(rest[0]), int(rest[1]))
    else:
        raced(where, int(rest[0]), Path(rest[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
