"""How far batches and people are."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.progress import decided, order_groups, people
from budget.collection.store.store import CollectionStore

UNIT = MoneyUnit("EUR", 4)
CROWD = Price(Decimal("0.05"))
EXPERT = Price(Decimal("0.1"), Decimal(36), Decimal(60))


@pytest.fixture
def store(tmp_path: Path) -> CollectionStore:
    found = CollectionStore.create(tmp_path / "c.sqlite", UNIT, Decimal(30), "ann")
    lines = [
        OrderLine("crowd", "a", "easy", 2, None, CROWD),
        OrderLine("expert", "a", "easy", 1, None, EXPERT),
        OrderLine("crowd", "b", "easy", 2, "A", CROWD),
        OrderLine("crowd", "c", "easy", 3, None, CROWD),
    ]
    found.add_batch(lines, {}, "first", Decimal(0))
    found.approve(1, "bob")
    found.mark_ordered(1)
    return found


def judgment(item: str, who: str, **other: object) -> dict[str, object]:
    return {"item_id": item, "annotator": who, "label": "A", "source_id": f"{item} {who}", **other}


def test_a_batch_by_supplier_stratum_and_judgments(store: CollectionStore) -> None:
    rows = [judgment("a", "eve", seconds=9.0), judgment("b", "eve", seconds=11.0)]
    store.receive("crowd", pd.DataFrame(rows), whole=True)
    found = [
        (own.supplier, own.items, own.judgments, own.gold, own.wanted, own.received, own.most)
        for own in order_groups(store, 1)
    ]
    assert found == [
        ("crowd", 2, 2, 1, 4, 2, Decimal("0.2000")),
        ("expert", 1, 1, 0, 1, 0, Decimal("0.7000")),
        ("crowd", 1, 3, 0, 3, 0, Decimal("0.1500")),
    ]
    assert sum(own.most for own in order_groups(store, 1)) == store.batches()[0].most


def test_people_by_name_within_their_supplier(store: CollectionStore) -> None:
    moment = pd.Timestamp("2031-03-01T10:00Z")
    rows = [
        judgment("a", "eve", seconds=9.0, created_at=moment),
        judgment("b", "eve", seconds=13.0, created_at=moment + pd.Timedelta(1, "h")),
        judgment("c", "eve", label=None, cancelled=True),
        judgment("c", "dan"),
    ]
    store.receive("crowd", pd.DataFrame(rows), whole=True)
    store.receive("expert", pd.DataFrame([judgment("a", "eve")]), whole=True)
    found = [(own.supplier, own.annotator, own.judgments, own.skipped) for own in people(store)]
    assert found == [("crowd", "dan", 1, 0), ("crowd", "eve", 2, 1), ("expert", "eve", 1, 0)]
    eve = people(store)[1]
    assert (eve.seconds, eve.last) == (11.0, "2031-03-01T11:00:00+00:00")
    assert people(store)[0].seconds is None
    store.receive("crowd", pd.DataFrame(rows[:1]), whole=True)  # all others were deleted
    assert [(own.annotator, own.judgments) for own in people(store)] == [("eve", 1), ("eve", 1)]


def test_who_decided_what_comes_latest_first(store: CollectionStore) -> None:
    store.set_state("paused", "eve", "holidays")
    found = [(own.kind, own.batch, own.value, own.who, own.why) for own in decided(store)]
    assert found[0] == ("state", None, "paused", "eve", "holidays")
    assert ("batch", 1, "approved", "bob", "") in found
    assert found[-1] == ("budget", None, "30.0000", "ann", "")
