"""A store's stamp differs after every change, and only then."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from budget.collection.store.store import CollectionStore
from tests.collection_process import BUDGET, UNIT, answers, steps


def test_every_change_is_seen_by_a_store_that_is_open(
    new_database: Callable[[], str | Path],
) -> None:
    where = new_database()
    CollectionStore.create(where, UNIT, BUDGET, "ann").close()
    with CollectionStore.open(where) as seen, CollectionStore.open(where) as other:
        before = seen.stamp()
        for change in steps()[:9]:
            assert seen.stamp() == before
            other.balance()
            other.judgments()
            assert seen.stamp() == before
            change(other)
            after = seen.stamp()
            assert after != before, change
            before = after
        # An edit of a label alone: no row more, no entry of the ledger.
        table = answers(1, "crowd", 0)
        table.loc[0, "label"] = "B"
        other.receive("crowd", table, whole=False)
        assert seen.stamp() != before
        before = seen.stamp()
        other.set_budget(BUDGET + Decimal(1), "ann")
        assert seen.stamp() != before


def test_opening_and_closing_is_no_change(new_database: Callable[[], str | Path]) -> None:
    where = new_database()
    CollectionStore.create(where, UNIT, BUDGET, "ann").close()
    with CollectionStore.open(where) as first:
        before = first.stamp()
    with CollectionStore.open(where) as second:
        assert second.stamp() == before
        CollectionStore.open(where).close()
        assert second.stamp() == before
