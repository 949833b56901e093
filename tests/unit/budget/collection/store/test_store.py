"""A collection's store: what is kept, on both databases alike."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from annotation.errors import InputError, MachineError
from annotation.judgments.schema import COLUMNS
from budget.collection.booking import ABOVE_ORDER, NO_MONEY, NOT_ORDERED
from budget.collection.ledger import Standing
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.history import CollectionState
from budget.collection.store.store import CollectionStore

CENTS = MoneyUnit("EUR", 2)
NewDatabase = Callable[[], str | Path]
CROWD = Price(Decimal("0.05"))
EXPERT = Price(Decimal(1), Decimal(36), Decimal(100))  # a cent a second


@pytest.fixture
def store(new_database: NewDatabase) -> Iterator[CollectionStore]:
    with CollectionStore.create(new_database(), CENTS, Decimal(10), "ann") as store:
        yield store


def line(item: str = "i1", judgments: int = 2, **other: Any) -> OrderLine:
    terms = {"supplier": "crowd", "stratum": "easy", "gold": None, "price": CROWD, **other}
    return OrderLine(item_id=item, judgments=judgments, **terms)


def ordered(store: CollectionStore, *lines: OrderLine, key: str = "a") -> int:
    batch = store.add_batch(lines or (line(),), {}, key)
    store.approve(batch, "ann")
    store.mark_ordered(batch)
    return batch


def judged(*sources: str, item: str = "i1", seconds: float = 10.0, **other: Any) -> pd.DataFrame:
    table = {
        "item_id": item,
        "annotator": [f"who-{source}" for source in sources],
        "label": "A",
        "seconds": seconds,
        "created_at": [pd.Timestamp("2026-03-01T10:00:00.25Z")] * len(sources),
        "source_id": list(sources),
    }
    return pd.DataFrame({**table, **other})


def money(store: CollectionStore) -> tuple[str, str, str]:
    balance = store.balance()
    return str(balance.promised), str(balance.paid), str(balance.left)


# What the collection is


def test_facts_are_kept_and_forgotten(new_database: NewDatabase) -> None:
    where = new_database()
    assert not CollectionStore.exists(where)
    with CollectionStore.create(where, CENTS, Decimal(10), "ann", {"title": "one"}) as store:
        assert store.about("title") == "one"
        store.remember(title="two", more="ä", none="")
    assert CollectionStore.exists(where)
    with CollectionStore.open(where) as store:
        assert [store.about(key) for key in ("title", "more", "none")] == ["two", "ä", ""]
        assert (store.unit, store.balance().budget) == (CENTS, Decimal(10))
        store.remember(title=None)
        assert store.about("title") is None


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_texts_that_no_database_keeps_are_refused(store: CollectionStore, value: str) -> None:
    changes: list[Callable[[], object]] = [
        lambda: store.remember(title=value),
        lambda: store.set_state("paused", value),
        lambda: store.set_budget(Decimal(11), "ann", value),
        lambda: store.add_batch([line()], {}, value),
        lambda: store.receive(value, judged("s1"), True),
        lambda: store.deliver(value, judged("s1")),
        lambda: store.receive("crowd", judged("s1", role=pd.Series([value], dtype=object)), True),
    ]
    for keep in changes:
        with pytest.raises(InputError):
            keep()
    assert len(store.events()) == 2 and not len(store.judgments()) and not store.batches()


@pytest.mark.parametrize("wanted", ["paused", "closed"])
def test_paused_or_closed_nothing_more_is_ordered(
    store: CollectionStore, wanted: CollectionState
) -> None:
    batch = store.add_batch([line()], {}, "a")
    assert store.set_state(wanted, "ann", "enough")
    assert not store.set_state(wanted, "bob")
    changes: list[Callable[[], object]] = [
        lambda: store.approve(batch, "ann"),
        lambda: store.add_batch([line()], {}, "b"),
    ]
    told = "paused; set it running before .*collect resume" if wanted == "paused" else "for good"
    for change in changes:
        with pytest.raises(InputError, match=f"the collection is .*{told}"):
            change()
    assert store.add_batch([line()], {}, "a") == batch  # it is there
    assert store.cancel(batch, "ann", "")
    if wanted == "paused":
        assert store.set_state("running", "ann")
    else:
        with pytest.raises(InputError, match="closed for good and cannot be running"):
            store.set_state("running", "ann")
    assert store.state() == ("running" if wanted == "paused" else "closed")


def test_open_batches_keep_a_collection_open(store: CollectionStore) -> None:
    batch = ordered(store)
    with pytest.raises(InputError, match="batch 1 is still ordered; complete or cancel it"):
        store.set_state("closed", "ann")
    store.complete(batch)
    assert store.set_state("closed", "ann")


def test_the_budget_is_never_below_what_is_promised(store: CollectionStore) -> None:
    batch = ordered(store)  # at most 3 judgments
    with pytest.raises(InputError, match=r"0\.14 EUR is below the 0\.15 EUR that are promised"):
        store.set_budget(Decimal("0.14"), "ann")
    assert store.set_budget(Decimal("0.15"), "bob", "less money")
    assert not store.set_budget(Decimal("0.150"), "bob")
    with pytest.raises(InputError, match="more decimal places than the 2"):
        store.set_budget(Decimal("0.151"), "ann")
    store.cancel(batch, "ann", "")
    assert store.set_budget(Decimal(0), "ann")
    events = store.events()
    budgets = events[events["kind"] == "budget"]
    assert budgets["value"].tolist() == [Decimal(10), Decimal("0.15"), Decimal(0)]
    assert budgets["who"].tolist() == ["ann", "bob", "ann"]
    assert budgets["why"].tolist() == ["", "less money", ""]
    assert budgets["batch"].isna().all()


# Batches


def test_a_batch_from_plan_to_end(store: CollectionStore) -> None:
    lines = [
        line("i1", 2, gold="A"),
        line("i2", 1, stratum="hard"),
        line("i1", 1, supplier="expert", price=EXPERT),
    ]
    decision = {"mix": {"easy": Decimal("1.5")}, "draws": [np.float64(0.25), np.int64(3), None]}
    batch = store.add_batch(lines, decision, "a")
    assert money(store) == ("0.00", "0.00", "10.00")
    (record,) = store.batches()
    assert (record.number, record.state, record.wanted, record.received) == (batch, "planned", 4, 0)
    assert str(record.most) == "4.20"  # 3 + 1 crowd, 1 + 1 expert
    assert record.decision == {"mix": {"easy": "1.5"}, "draws": [0.25, 3, None]}
    assert store.approve(batch, "ann")
    assert money(store) == ("4.20", "0.00", "5.80")
    assert store.mark_ordered(batch)
    store.receive("crowd", judged("s1", "s2"), True)
    store.receive("expert", judged("s1", seconds=30.5), True)  # half a cent goes to the even one
    booked = store.book(batch)
    assert (booked.spent, booked.refunded) == (
        Decimal("1.40"),
        Decimal(0),
    )
    assert not len(booked.unpaid)
    assert money(store) == ("2.80", "1.40", "5.80")
    assert store.complete(batch)
    assert money(store) == ("0.00", "1.40", "8.60")
    (record,) = store.batches()
    assert (record.state, record.approved_by, record.received) == ("complete", "ann", 3)
    assert record.ordered_at is not None and record.approved_at is not None
    assert record.made_at <= record.approved_at <= record.ordered_at
    for again in (store.complete, store.mark_ordered, lambda n: store.approve(n, "bob")):
        assert again(batch) is False
    balance = store.balance()
    assert balance.by_supplier["expert"] == Standing(Decimal("0.00"), Decimal("1.30"))
    assert balance.by_stratum["easy"].paid == Decimal("1.40")
    assert balance.by_annotator == {"who-s1": Decimal("1.35"), "who-s2": Decimal("0.05")}
    events = store.events()
    assert events["value"].tolist()[2:] == ["planned", "approved", "ordered", "complete"]
    assert events["batch"].tolist()[2:] == [batch] * 4


def test_lines_say_what_was_asked_and_came(store: CollectionStore) -> None:
    ordered(store, line("i1", 2, gold="A"), line("i2", 1, supplier="expert", price=EXPERT))
    other = ordered(store, line("i3"), key="b")
    store.receive("crowd", judged("s1", "s2", "s3"), True)
    table = store.lines()
    assert table[["batch", "item_id", "judgments", "received"]].values.tolist() == [
        [1, "i1", 2, 3],
        [1, "i2", 1, 0],
        [2, "i3", 2, 0],
    ]
    assert table["gold"].tolist() == ["A", None, None]
    assert table["per_hour"].tolist() == [0, 36, 0]
    assert store.lines(other)["item_id"].tolist() == ["i3"]


def test_a_batch_is_planned_once(store: CollectionStore) -> None:
    first = store.add_batch([line()], {"n": 1}, "a")
    assert store.add_batch([line("i2", 9)], {"n": 2}, "a") == first
    assert store.add_batch([line("i2", 9)], {"n": 2}, "b") == first + 1
    assert [record.decision for record in store.batches()] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "at least one order line"),
        ([line(), line(judgments=1)], "item 'i1' is ordered twice from supplier 'crowd'"),
        ([line(price=Price(Decimal("0.001")))], "more decimal places than the 2"),
    ],
)
def test_batches_that_cannot_be_are_refused(
    store: CollectionStore, lines: list[OrderLine], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        store.add_batch(lines, {}, "a")
    assert not store.batches() and not len(store.ledger())


def test_money_that_is_not_there_cannot_be_promised(store: CollectionStore) -> None:
    store.set_budget(Decimal("0.25"), "ann")
    one, two = store.add_batch([line()], {}, "a"), store.add_batch([line("i2")], {}, "b")
    assert store.approve(one, "ann")
    says = r"batch 2 may cost up to 0\.15 EUR, but 0\.10 EUR are left of the budget"
    with pytest.raises(InputError, match=says):
        store.approve(two, "ann")
    assert store.cancel(one, "ann", "too dear")
    assert store.approve(two, "ann")
    assert [record.state for record in store.batches()] == ["cancelled", "approved"]
    assert [record.why for record in store.batches()] == ["too dear", None]


def test_batches_that_are_not_there_are_told(store: CollectionStore) -> None:
    for change in (
        lambda n: store.approve(n, "ann"),
        store.mark_ordered,
        store.complete,
        lambda n: store.cancel(n, "ann", ""),
        store.book,
        store.lines,
    ):
        with pytest.raises(InputError, match="there is no batch 1; the batches are: none"):
            change(1)
    store.add_batch([line()], {}, "a")
    with pytest.raises(InputError, match="there is no batch 2; the batches are: 1 to 1"):
        store.approve(2, "ann")


# Judgments


def test_judgments_come_back_as_they_came(store: CollectionStore) -> None:
    ordered(store, line("i1", 2, gold="A", stratum="hard"))
    table = judged("s1", "s2", stratum="easy", role=["crowd", None], updated_at="2026-03-02")
    table.loc[1, ["label", "seconds", "cancelled"]] = [None, None, True]
    store.receive("crowd", table, True)
    store.receive("expert", judged("s1", item="other", created_at=None), True)
    read = store.judgments(valid_only=False)
    assert list(read.columns) == [*COLUMNS, "supplier", "batch", "gone"]
    assert read["source_id"].tolist() == ["s1", "s2", "s1"]
    assert read["label"].tolist() == ["A", None, "A"]
    assert read["stratum"].tolist() == ["hard", "hard", None]  # the order's
    assert read["gold"].tolist() == ["A", "A", None]
    assert read["role"].tolist() == ["crowd", None, None]
    assert read["batch"].tolist() == [1, 1, pd.NA]
    assert read["cancelled"].tolist() == [False, True, False]
    assert read["created_at"].tolist()[0] == pd.Timestamp("2026-03-01T10:00:00.25Z")
    assert pd.isna(read["created_at"].tolist()[2]) and pd.isna(read["seconds"].tolist()[1])
    assert str(read["updated_at"].dtype) == "datetime64[us, UTC]"
    valid = store.judgments()
    assert valid["source_id"].tolist() == ["s1", "s1"]
    assert list(valid.columns) == [*COLUMNS, "supplier", "batch"]


def test_tables_without_rows_have_their_columns(store: CollectionStore, tmp_path: Path) -> None:
    ordered(store)
    store.receive("crowd", judged("s1"), True)
    full = [store.judgments(), store.judgments(False), store.lines(), store.ledger()]
    assert store.receive("crowd", judged(), True).gone == 1
    assert store.judgments().dtypes.equals(full[0].dtypes)
    with CollectionStore.create(tmp_path / "empty.sqlite", CENTS, Decimal(1), "ann") as empty:
        none = [empty.judgments(), empty.judgments(False), empty.lines(), empty.ledger()]
        for there, one in zip(none, full, strict=True):
            assert not len(there) and there.dtypes.equals(one.dtypes)
        assert not len(empty.book().unpaid) and empty.balance().by_batch == {}


def test_received_again_nothing_is_new(store: CollectionStore) -> None:
    ordered(store)
    table = judged("s1", "s2", "s3")
    assert store.receive("crowd", table, True) == (3, 0, 0, 0)
    assert store.receive("crowd", table, True) == (0, 0, 0, 3)
    assert store.receive("crowd", table[:1], False) == (0, 0, 0, 1)
    assert store.receive("crowd", table[:2], True) == (0, 0, 1, 2)
    table.loc[0, "seconds"] = 11
    assert store.receive("crowd", table, True) == (0, 2, 0, 1)  # edited, and back again
    assert store.receive("expert", table, True) == (3, 0, 0, 0)  # another supplier's own


def said(label: str, updated: int, **other: Any) -> pd.DataFrame:
    """One judgment in the form that it had at second `updated`."""
    at = pd.Timestamp("2026-03-01T10:00:01Z") + pd.Timedelta(seconds=updated)
    return judged("s1", label=label, updated_at=[at], **other)


def test_a_judgment_that_is_delivered_and_pulled_is_one(store: CollectionStore) -> None:
    ordered(store)
    assert store.deliver("crowd", said("A", 0)) == (1, 0, 0, 0)
    assert store.deliver("crowd", said("A", 0)) == (0, 0, 1, 0)
    store.book()
    assert store.receive("crowd", said("A", 0), whole=True) == (0, 0, 0, 1)
    store.book()
    assert money(store)[1] == "0.05"
    assert store.judgments()["batch"].tolist() == [1]


def test_an_older_form_of_a_judgment_changes_nothing(store: CollectionStore) -> None:
    ordered(store)
    store.deliver("crowd", said("B", 2))
    assert store.deliver("crowd", said("A", 1)) == (0, 0, 1, 0)
    assert store.judgments()["label"].tolist() == ["B"]
    assert store.deliver("crowd", said("C", 3)) == (0, 1, 0, 0)
    # The same moment: nothing says which is the newer.
    assert store.deliver("crowd", said("D", 3)) == (0, 1, 0, 0)
    store.receive("crowd", said("B", 2), whole=True)  # what is true is what a pull says
    assert store.judgments()["label"].tolist() == ["B"]


def test_a_deleted_judgment_comes_back_by_a_whole_table_alone(store: CollectionStore) -> None:
    ordered(store)
    store.receive("crowd", said("A", 0), whole=True)
    store.receive("crowd", said("A", 0).iloc[:0], whole=True)
    assert store.deliver("crowd", said("A", 5)) == (0, 0, 0, 1)
    assert not len(store.judgments())
    assert store.receive("crowd", said("A", 5), whole=True).changed == 1
    assert len(store.judgments()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"annotator": ["somebody"]},
        {"item": "i2"},
        {"created_at": [pd.Timestamp("2026-03-02T00:00:00Z")]},
    ],
)
def test_what_is_anothers_by_now_is_left(store: CollectionStore, other: dict[str, Any]) -> None:
    ordered(store, line(), line("i2"))
    store.deliver("crowd", said("A", 0))
    assert store.deliver("crowd", said("B", 9, **other)) == (0, 0, 0, 1)
    kept = store.judgments()
    assert (kept["label"].item(), kept["annotator"].item()) == ("A", "who-s1")
    # Others of the same delivery are taken.
    both = pd.concat([said("B", 9, **other), judged("s2")], ignore_index=True)
    assert store.deliver("crowd", both) == (1, 0, 0, 1)


def test_what_is_delivered_deletes_nothing(store: CollectionStore) -> None:
    ordered(store)
    store.receive("crowd", judged("s1", "s2"), whole=True)
    store.deliver("crowd", judged("s3", "s1"))
    assert store.judgments()["source_id"].tolist() == ["s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (judged("s1").drop(columns="source_id"), "column 'source_id' is missing; without it"),
        (judged("s1").drop(columns="label"), "column 'label' is missing"),
        (judged("s1", seconds=-1.0), "seconds.*should be a finite number of at least 0"),
        (judged("s1", label=["a\0"]), r"row 1, column 'label': 'a\\x00' has a NUL"),
    ],
)
def test_tables_that_are_none_are_refused(
    store: CollectionStore, table: pd.DataFrame, says: str
) -> None:
    with pytest.raises(InputError, match=f"judgments of supplier 'crowd'.*{says}"):
        store.receive("crowd", table, True)
    assert not len(store.judgments(False))


def test_a_judgment_goes_to_the_oldest_batch_that_wants_it(store: CollectionStore) -> None:
    planned = store.add_batch([line()], {}, "planned")
    one, two = ordered(store, line("i1", 1), key="b"), ordered(store, line("i1", 1), key="c")
    store.receive("crowd", judged("s1", "s2", "s3"), True)
    assert store.judgments()["batch"].tolist() == [one, two, two]  # the last to the newest
    store.receive("crowd", judged("s2", "s3"), True)
    assert store.judgments()["batch"].tolist() == [two, two]  # decided once
    store.receive("crowd", judged("s4"), False)
    assert store.judgments()["batch"].tolist() == [two, two, one]
    assert store.batches()[planned - 1].received == 0


def test_a_closed_batch_wants_nothing_more(store: CollectionStore) -> None:
    one = ordered(store, line("i1", 2), key="b")
    store.complete(one)
    two = ordered(store, line("i1", 1), key="c")
    store.receive("crowd", judged("s1"), True)
    assert store.judgments()["batch"].tolist() == [two]


def test_a_batch_that_nobody_was_asked_for_takes_nothing(store: CollectionStore) -> None:
    one = store.add_batch([line()], {}, "a")
    store.approve(one, "ann")
    store.cancel(one, "ann", "")
    store.receive("crowd", judged("s1"), True)
    assert store.judgments()["batch"].isna().all()


def test_a_judgment_of_another_item_now_goes_to_its_order(store: CollectionStore) -> None:
    one, two = ordered(store, line("i1", 1)), ordered(store, line("i2", 1), key="b")
    store.receive("crowd", judged("s1"), True)
    store.book()
    store.receive("crowd", judged("s1", item="i2"), True)
    booked = store.book()
    assert (booked.spent, booked.refunded) == (Decimal("0.05"), Decimal("0.05"))
    assert [record.paid for record in store.batches()] == [0, Decimal("0.05")]
    assert store.judgments()["batch"].tolist() == [two] != [one]


def test_a_judgment_that_comes_back_takes_no_place_before_its_turn(store: CollectionStore) -> None:
    one, two = ordered(store, line("i1", 1)), ordered(store, line("i1", 1), key="b")
    store.receive("crowd", judged("s1"), True)
    store.receive("crowd", judged(), True)
    times = ["2026-03-02", "2026-03-01"]
    store.receive("crowd", judged("s1", "s2", created_at=times), True)  # s2 was first
    assert store.judgments(False)["batch"].tolist() == [one, one]
    assert store.receive("crowd", judged("s3"), False).new == 1
    assert store.judgments(False)["batch"].tolist()[2] == two


def test_one_persons_second_judgment_goes_to_the_next_batch(store: CollectionStore) -> None:
    one, two = ordered(store, line("i1", 2), key="b"), ordered(store, line("i1", 1), key="c")
    store.receive("crowd", judged("s1", "s2", "s3", annotator="ann"), True)
    assert store.judgments()["batch"].tolist() == [one, two, two]
    assert store.book().spent == Decimal("0.10")


def test_judgments_find_an_order_that_comes_after_them(store: CollectionStore) -> None:
    store.receive("crowd", judged("s1"), True)
    unpaid = store.book().unpaid
    assert unpaid[["supplier", "item_id", "source_id", "annotator", "why"]].values.tolist() == [
        ["crowd", "i1", "s1", "who-s1", NOT_ORDERED]
    ]
    assert unpaid["batch"].isna().all()
    batch = ordered(store)
    assert store.receive("crowd", judged("s1"), True) == (0, 0, 0, 1)
    assert store.judgments()["batch"].tolist() == [batch]
    assert store.book().spent == Decimal("0.05")


def test_who_judged_first_is_paid_first(store: CollectionStore) -> None:
    ordered(store, line("i1", 1))
    times = [f"2026-03-0{day}" for day in (3, 1, 2)]
    store.receive("crowd", judged("s1", "s2", "s3", created_at=times), True)
    assert store.book().unpaid["source_id"].tolist() == ["s1"]


# Money


def test_edited_deleted_and_restored_judgments(store: CollectionStore) -> None:
    ordered(store, line("i1", 1, supplier="expert", price=EXPERT))
    steps = [
        (judged("s1", seconds=20.0), "1.20", "0"),
        (judged("s1", seconds=50.0), "0.30", "0"),
        (judged("s1", seconds=10.0), "0", "0.40"),
        (judged(), "0", "1.10"),
        (judged("s1", seconds=10.0), "1.10", "0"),
        (judged("s1", seconds=999.0), "0.90", "0"),  # no more than 100 seconds are paid
    ]
    for table, spent, refunded in steps:
        store.receive("expert", table, True)
        booked = store.book()
        assert (booked.spent, booked.refunded) == (Decimal(spent), Decimal(refunded))
        balance = store.balance()
        assert balance.promised + balance.paid == Decimal(4)  # of an open batch, all the while
    why = store.ledger().query("kind in ('spent', 'refunded')")["why"].tolist()
    assert why == ["judgment", "edited", "edited", "deleted", "judgment", "edited"]


def test_judgments_above_the_order_are_paid_up_to_the_allowance(store: CollectionStore) -> None:
    batch = ordered(store, line("i1", 2))
    store.receive("crowd", judged("s1", "s2", "s3", "s4"), True)
    booked = store.book(batch)
    assert booked.spent == Decimal("0.15")
    assert booked.unpaid[["batch", "source_id", "why"]].values.tolist() == [
        [batch, "s4", ABOVE_ORDER]
    ]
    store.receive("crowd", judged("s1", "s2", "s4"), True)
    booked = store.book()
    assert (booked.spent, booked.refunded) == (Decimal("0.05"), Decimal("0.05"))
    store.complete(batch)
    assert money(store) == ("0.00", "0.15", "9.85")


@pytest.mark.parametrize("back", ["skipped", "deleted"])
def test_who_comes_back_comes_last(store: CollectionStore, back: str) -> None:
    ordered(store, line("i1", 1))  # and one more is paid
    store.receive("crowd", judged("s1"), True)
    if back == "skipped":
        away = judged("s1", label=pd.Series([None], dtype=object), cancelled=True)
        store.receive("crowd", away, True)
    else:
        store.receive("crowd", judged(), True)
    store.receive("crowd", judged("s2", "s3"), False)
    store.book()
    store.receive("crowd", judged("s1", "s2", "s3"), True)
    booked = store.book()
    assert (booked.spent, booked.refunded) == (Decimal(0), Decimal(0))
    assert booked.unpaid["source_id"].tolist() == ["s1"]


def test_skipped_items_are_paid_only_where_that_is_agreed(store: CollectionStore) -> None:
    kind = Price(Decimal("0.05"), pay_skipped=True)
    ordered(store, line(), line("i1", 2, supplier="kind", price=kind))
    skipped = judged("s1", label=None, cancelled=True)
    store.receive("crowd", skipped, True)
    store.receive("kind", skipped, True)
    assert store.book().spent == Decimal("0.05")
    assert store.batches()[0].received == 0


def test_what_comes_late_is_paid_from_what_is_left(store: CollectionStore) -> None:
    batch = ordered(store)
    store.receive("crowd", judged("s1"), True)
    store.complete(batch)
    store.set_budget(Decimal("0.12"), "ann")
    store.receive("crowd", judged("s1", "s2", "s3"), True)
    booked = store.book()
    assert booked.spent == Decimal("0.05")
    assert booked.unpaid[["source_id", "why"]].values.tolist() == [["s3", NO_MONEY]]
    assert store.book().unpaid.equals(booked.unpaid)
    store.set_budget(Decimal("0.15"), "ann")
    assert store.book().spent == Decimal("0.05")
    assert money(store) == ("0.00", "0.15", "0.00")


def test_who_answers_before_the_order_is_told_as_sent_is_paid(store: CollectionStore) -> None:
    batch = store.add_batch([line()], {}, "a")
    store.approve(batch, "ann")
    store.set_budget(Decimal("0.15"), "ann")  # all of it is promised
    store.receive("crowd", judged("s1"), True)
    assert store.book().spent == Decimal("0.05")
    assert money(store) == ("0.10", "0.05", "0.00")
    assert store.mark_ordered(batch)


def test_a_cancelled_batch_pays_what_came(store: CollectionStore) -> None:
    batch = ordered(store)
    store.receive("crowd", judged("s1"), True)
    assert store.cancel(batch, "ann", "enough") and not store.cancel(batch, "ann", "more")
    assert money(store) == ("0.00", "0.05", "9.95")
    assert store.ledger()["kind"].tolist().count("spent") == 1


def test_the_ledger_is_append_only(store: CollectionStore) -> None:
    ordered(store)
    before = store.ledger()
    for statement in (
        "UPDATE ledger SET amount = 1",
        "DELETE FROM ledger",
        "UPDATE events SET who = 'me'",
        "DELETE FROM events",
    ):
        with (
            pytest.raises(DBAPIError, match="only ever added"),
            store._database.engine.begin() as connection,
        ):
            connection.execute(text(statement))
    assert store.ledger().equals(before)
    assert before["kind"].tolist() == ["planned", "planned", "committed", "committed"]
    assert before["stratum"].tolist() == ["easy", None, None, "easy"]


def test_a_ledger_that_does_not_add_up_is_told(new_database: NewDatabase) -> None:
    where = new_database()
    with CollectionStore.create(where, CENTS, Decimal(1), "ann") as store:
        ordered(store)
        with store._database.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO ledger (entry, at, kind, amount, batch, supplier, why, digest) "
                    "VALUES (5, '2026-03-01T10:00:00.000000Z', 'committed', 100, 1, 'expert', "
                    "'', 'none')"
                )
            )
        with pytest.raises(MachineError, match="the ledger does not add up"):
            store.approve(store.add_batch([line()], {}, "b"), "ann")
        assert len(store.batches()) == 1
    with pytest.raises(MachineError, match="entry 5 is not what was written"):
        CollectionStore.open(where)


@pytest.mark.parametrize("year", [-4712, 800, 10_000])
def test_times_that_are_none_of_a_judgment_are_refused(store: CollectionStore, year: int) -> None:
    moment = np.datetime64(f"{year:+05}-01-01T00:00:00", "us")
    table = judged("s1").assign(created_at=np.array([moment]))
    with pytest.raises(InputError, match=f"row 1, column 'created_at': the year {year} is none"):
        store.receive("crowd", table, whole=True)
    assert not len(store.judgments())
