"""A collection's store: what is kept, on both databases alike."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from budget.collection.money_unit import MoneyUnit
from budget.collection.store.store import CollectionStore

CENTS = MoneyUnit("EUR", 2)
NewDatabase = Callable[[], str | Path]


def test_facts_are_kept_and_forgotten(new_database: NewDatabase) -> None:
    where = new_database()
    with CollectionStore.create(where, CENTS, Decimal(10), "ann", {"title": "one"}) as store:
        assert store.about("title") == "one"
        store.remember(title="two", more="ä")
    with CollectionStore.open(where) as store:
        assert (store.about("title"), store.about("more"), store.unit) == ("two", "ä", CENTS)
        store.remember(title=None)
        assert store.about("title") is None
