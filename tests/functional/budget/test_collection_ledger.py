"""Random histories of a collection: the store and its slow twin agree, and money is never lost."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.errors import InputError
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore
from tests.collection_twin import Twin

NewDatabase = Callable[[], str | Path]
PRICES = {
    "crowd": Price(Decimal("0.05")),
    "experts": Price(Decimal("0.1"), Decimal("20"), Decimal("90")),
    "office": Price(Decimal(0), Decimal("18.7"), Decimal("33.5"), pay_skipped=True),
}
ITEMS = ("i1", "i2", "i3")
PEOPLE = ("ann", "bob", "cem")
UNIT = MoneyUnit("EUR", 4)
SHARE = Decimal("0.2")

_suppliers = st.sampled_from(sorted(PRICES))
_numbers = st.integers(1, 3)
_lines = st.lists(
    st.tuples(_suppliers, st.sampled_from(ITEMS), st.integers(1, 2)),
    min_size=1,
    max_size=4,
    unique_by=lambda line: line[:2],
)
_seconds = st.one_of(st.none(), st.integers(0, 200).map(float), st.floats(0, 120))
_row = st.tuples(
    st.integers(1, 6), st.sampled_from(ITEMS), st.sampled_from(PEOPLE), _seconds, st.booleans()
)
_steps = st.one_of(
    st.tuples(st.just("plan"), _lines),
    st.tuples(st.sampled_from(["approved", "ordered", "complete", "cancelled"]), _numbers),
    st.tuples(st.just("order"), _numbers),  # approved and ordered, as most batches are
    st.tuples(st.just("judge"), _suppliers, st.lists(_row, min_size=1, max_size=6)),
    st.tuples(st.just("judge"), st.just("crowd"), st.lists(_row, min_size=2, max_size=6)),
    st.tuples(st.just("part"), _suppliers, st.lists(_row, min_size=1, max_size=3)),
    st.tuples(st.just("delete"), _suppliers, st.integers(1, 6)),
    st.tuples(st.just("book"), st.one_of(st.none(), _numbers)),
    st.tuples(st.just("budget"), st.decimals(0, 3, places=2)),
)
_histories = st.tuples(_lines, st.lists(_steps, max_size=18))


class History:
    """A store, its twin, and what the suppliers' servers hold."""

    def __init__(self, store: CollectionStore, twin: Twin) -> None:
        self.store = store
        self.twin = twin
        self.servers: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in PRICES}
        self.entries: list[tuple[Any, ...]] = []

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("plan", lines):
                self.plan(lines)
            case ("order", number):
                self.become(number, "approved")
                self.become(number, "ordered")
            case ("judge", supplier, rows):
                self.servers[supplier] |= {row["source_id"]: row for row in map(judgment, rows)}
                self.receive(supplier, list(self.servers[supplier].values()), whole=True)
            case ("part", supplier, rows):
                new = {row["source_id"]: row for row in map(judgment, rows)}
                self.servers[supplier] |= new
                self.receive(supplier, list(new.values()), whole=False)
            case ("delete", supplier, number):
                self.servers[supplier].pop(f"s{number}", None)
                self.receive(supplier, list(self.servers[supplier].values()), whole=True)
            case ("book", number):
                self.book(number)
            case ("budget", total):
                self.set_budget(total)
            case (wanted, number):
                self.become(number, wanted)

    def plan(self, terms: list[tuple[str, str, int]]) -> None:
        lines = [
            OrderLine(supplier, item, "easy" if item == "i1" else "hard", n, None, PRICES[supplier])
            for supplier, item, n in terms
        ]
        key = str(len(self.twin.batches))
        number = self.twin.plan(lines, SHARE)
        assert self.store.add_batch(lines, {"share": SHARE}, key, SHARE) == number
        assert self.store.add_batch(lines, {}, key, SHARE) == number

    def become(self, number: int, wanted: str) -> None:
        change: Callable[[], bool] = {
            "approved": lambda: self.store.approve(number, "ann"),
            "ordered": lambda: self.store.mark_ordered(number),
            "complete": lambda: self.store.complete(number),
            "cancelled": lambda: self.store.cancel(number, "ann", "too dear"),
        }[wanted]
        if number <= len(self.twin.batches) and self.twin.may(number, wanted):
            change()
            assert change() is False
            self.twin.become(number, wanted)
        else:
            self.refused(change)

    def receive(self, supplier: str, rows: list[dict[str, Any]], whole: bool) -> None:
        columns = ["item_id", "annotator", "label", "seconds", "created_at", "source_id"]
        table = pd.DataFrame(rows + rows[:1], columns=[*columns, "cancelled"])  # one comes twice
        self.store.receive(supplier, table, whole)
        again = self.store.receive(supplier, table, whole)
        assert again == (0, 0, 0, len(rows))
        self.twin.receive(supplier, rows, whole)

    def book(self, number: int | None) -> None:
        if number is not None and number > len(self.twin.batches):
            self.refused(lambda: self.store.book(number))
            return
        booked = self.store.book(number)
        before = len(self.store.ledger())
        again = self.store.book(number)
        assert len(self.store.ledger()) == before
        assert again.spent == again.refunded == 0
        assert again.unpaid.equals(booked.unpaid)
        self.twin.book(None if number is None else [number])

    def set_budget(self, total: Decimal) -> None:
        if total < self.twin.budget - self.twin.left():
            self.refused(lambda: self.store.set_budget(total, "ann"))
        else:
            self.store.set_budget(total, "ann")
            self.twin.budget = total

    def refused(self, change: Callable[[], Any]) -> None:
        before = len(self.store.events()), _entries(self.store), self.store.batches()
        with pytest.raises(InputError):
            change()
        assert before == (len(self.store.events()), _entries(self.store), self.store.batches())

    def check(self) -> None:
        """What holds after every step."""
        store, twin = self.store, self.twin
        entries = _entries(store)
        assert entries[: len(self.entries)] == self.entries  # only ever added to
        promised = paid = Decimal(0)
        signs = {"committed": (1, 0), "released": (-1, 0), "spent": (0, 1), "refunded": (0, -1)}
        for place, entry in enumerate(entries):
            sign = signs.get(entry[2], (0, 0))
            promised += sign[0] * entry[3]
            paid += sign[1] * entry[3]
            assert promised >= 0 and paid >= 0
            assert place < len(self.entries) or promised + paid <= twin.budget
        self.entries = entries
        balance = store.balance()
        assert (balance.budget, balance.paid) == (twin.budget, twin.paid())
        assert (balance.promised, balance.left) == (twin.reserved(), twin.left())
        assert (promised, paid) == (balance.promised, balance.paid)
        assert balance.left >= 0
        for parts in (balance.by_batch, balance.by_supplier, balance.by_stratum):
            assert sum(part.promised for part in parts.values()) == balance.promised
            assert sum(part.paid for part in parts.values()) == balance.paid
            assert all(part.promised >= 0 and part.paid >= 0 for part in parts.values())
        assert sum(balance.by_annotator.values()) == balance.paid
        assert all(amount >= 0 for amount in balance.by_annotator.values())
        for record, batch in zip(store.batches(), twin.batches, strict=True):
            assert (record.state, record.most) == (batch.state, batch.most)
            assert record.paid == twin.paid_for(record.number) <= record.most
            is_open = record.state in ("approved", "ordered")
            assert record.reserved == (record.most - record.paid if is_open else 0)
        valid = {
            (each.supplier, each.source, each.line[0] if each.line else None)
            for each in twin.judgments.values()
            if each.kind == "label"
        }
        table = store.judgments()
        batches = [None if pd.isna(number) else int(number) for number in table["batch"]]
        assert set(zip(table["supplier"], table["source_id"], batches, strict=True)) == valid


def _entries(store: CollectionStore) -> list[tuple[Any, ...]]:
    return list(store.ledger().itertuples(index=False, name=None))


def judgment(drawn: tuple[int, str, str, float | None, bool]) -> dict[str, Any]:
    number, item, annotator, seconds, is_skipped = drawn
    return {
        "item_id": item,
        "annotator": annotator,
        "label": None if is_skipped else "A",
        "seconds": seconds,
        "created_at": pd.Timestamp("2026-03-01", tz="UTC") + pd.Timedelta(seconds=7 * number % 5),
        "source_id": f"s{number}",
        "cancelled": is_skipped,
    }


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_histories)
def test_the_ledger_is_what_its_twin_works_out(
    new_database: NewDatabase, history: tuple[Any, list[tuple[Any, ...]]]
) -> None:
    first, steps = history
    with CollectionStore.create(new_database(), UNIT, Decimal(2), "ann") as store:
        lived = History(store, Twin(Decimal(2), UNIT.places))
        for step in (("plan", first), ("order", 1), *steps, ("book", None)):
            lived.do(step)
            lived.check()
