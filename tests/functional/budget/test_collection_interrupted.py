"""Whatever stops a change of a collection, at whichever statement, all of it or nothing is kept."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import event, select

from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.schema import metadata
from budget.collection.store.store import CollectionStore

NewDatabase = Callable[[], str | Path]
HOURLY = Price(Decimal("0.1"), Decimal(20), Decimal(90))
_TIMES = {"at", "made_at", "approved_at", "ordered_at", "digest"}  # a digest is of times, too


class Stopped(BaseException):
    """As KeyboardInterrupt: nothing in between catches it."""


def lines(item: str) -> list[OrderLine]:
    return [OrderLine("crowd", item, "easy", 2, None, HOURLY)]


def judged(*seconds: float | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": "i1",
            "annotator": [f"p{k}" for k in range(len(seconds))],
            "label": "A",
            "seconds": list(seconds),
            "source_id": [f"s{k}" for k in range(len(seconds))],
        }
    )


def prepared(where: str | Path) -> CollectionStore:
    """Two batches ordered, one planned; judgments that are booked, then edited and deleted."""
    store = CollectionStore.create(where, MoneyUnit("EUR", 4), Decimal(20), "ann")
    for key, item in (("a", "i1"), ("b", "i2"), ("c", "i3")):
        store.add_batch(lines(item), {}, key)
    for batch in (1, 2):
        store.approve(batch, "ann")
    store.mark_ordered(1)
    store.receive("crowd", judged(10, 20, 30), True)
    store.book()
    store.receive("crowd", judged(15, 20, 30)[:2], True)
    return store


CHANGES: dict[str, Callable[[CollectionStore], object]] = {
    "plan": lambda store: store.add_batch(lines("i4"), {"a": 1}, "d"),
    "approve": lambda store: store.approve(3, "ann"),
    "order": lambda store: store.mark_ordered(2),
    "complete": lambda store: store.complete(1),
    "cancel": lambda store: store.cancel(1, "ann", "enough"),
    "receive": lambda store: store.receive("crowd", judged(11, 22, 33, 44), True),
    "lose": lambda store: store.receive("crowd", judged(), True),
    "book": lambda store: store.book(),
    "budget": lambda store: store.set_budget(Decimal(30), "ann"),
    "pause": lambda store: store.set_state("paused", "ann"),
    "remember": lambda store: store.remember(a="b", c="d"),
}


def rows(store: CollectionStore) -> dict[str, list[dict[str, Any]]]:
    """All tables, but for when rows were written."""
    with store._database.reading() as connection:
        return {
            table.name: sorted(
                (
                    {name: value for name, value in row.items() if name not in _TIMES}
                    for row in connection.execute(select(table)).mappings()
                ),
                key=str,
            )
            for table in metadata.sorted_tables
        }


class StopAt:
    """Raises at the statement of a number; the commit is the last."""

    def __init__(self, store: CollectionStore, statement: int) -> None:
        self.engine = store._database.engine
        self.left = statement

    def __enter__(self) -> "StopAt":
        event.listen(self.engine, "before_cursor_execute", self)
        event.listen(self.engine, "commit", self)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self)
        event.remove(self.engine, "commit", self)

    def __call__(self, *_: object) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped


@pytest.mark.parametrize("change", CHANGES)
def test_stopped_at_any_statement_nothing_changed(new_database: NewDatabase, change: str) -> None:
    with prepared(new_database()) as store:
        before = rows(store)
        statement = 0
        while True:
            try:
                with StopAt(store, statement):
                    CHANGES[change](store)
            except Stopped:
                assert rows(store) == before
                statement += 1
            else:
                break
        assert statement >= 4
        after = rows(store)
        assert after != before
    with prepared(new_database()) as undisturbed:
        CHANGES[change](undisturbed)
        assert rows(undisturbed) == after
