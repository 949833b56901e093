"""The pay sheet of a collection: the ledger's amounts, by annotator and period."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from budget.collection.kinds import EXISTING, TEST_SET
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.paying import LedgerPayRow, collection_pay, ledger_pay, pay_csv
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore

PIECE, HOUR = Decimal("0.05"), Decimal(36)


def entries(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    """Moment, kind, annotator, source_id and amount; the supplier stands before the source's ':'"""
    return pd.DataFrame(
        {
            "at": pd.to_datetime([at for at, *_ in rows], utc=True),
            "kind": [kind for _, kind, *_ in rows],
            "amount": pd.Series([Decimal(amount) for *_, amount in rows], dtype=object),
            "batch": 1,
            "stratum": "hard",
            "supplier": [source.partition(":")[0] for *_, source, _ in rows],
            "annotator": [who for _, _, who, *_ in rows],
            "source_id": [source for *_, source, _ in rows],
        }
    )


def judged(**seconds: float | None) -> pd.DataFrame:
    """Judgments crowd:NAME and hourly:NAME of item NAME, of so many seconds."""
    return pd.DataFrame(
        [
            {
                "supplier": supplier,
                "source_id": f"{supplier}:{name}",
                "item_id": name,
                "seconds": float("nan") if time is None else time,
                "cancelled": name.startswith("skipped"),
            }
            for supplier in ("crowd", "hourly", EXISTING)
            for name, time in seconds.items()
        ]
    )


def lines(*items: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "batch": 1,
                "supplier": supplier,
                "item_id": item,
                "per_hour": HOUR if supplier == "hourly" else Decimal(0),
                "most_seconds": Decimal(60 if supplier == "hourly" else 0),
            }
            for supplier in ("crowd", "hourly")
            for item in items
        ]
    )


def sheet(
    ledger: pd.DataFrame, judgments: pd.DataFrame, period: Any = "month", zone: str = "UTC"
) -> list[LedgerPayRow]:
    items = sorted(set(judgments["item_id"]))
    return list(ledger_pay(ledger, judgments, lines(*items), period, zone))


def test_a_month_that_is_over_stays_as_it_is() -> None:
    january = [
        ("2026-01-10", "spent", "ann", "crowd:a", "0.05"),
        ("2026-01-10", "spent", "ann", "crowd:b", "0.05"),
        ("2026-01-10", "planned", "ann", "crowd:b", "9"),  # no pay
    ]
    later = [
        ("2026-02-01", "refunded", "ann", "crowd:b", "0.05"),  # deleted
        ("2026-02-02", "spent", "ann", "crowd:c", "0.05"),
    ]
    times = judged(a=10, b=20, c=60)
    (before,) = sheet(entries(*january), times)
    assert (before.period, before.judgments, before.due) == ("2026-01", 2, Decimal("0.10"))
    assert (before.seconds, before.hourly_pay) == (Decimal(30), Decimal("12.00"))
    first, second = sheet(entries(*january, *later), times)
    assert first == before
    assert (second.period, second.judgments, second.due) == ("2026-02", 0, Decimal(0))
    assert second.seconds == 40


def test_an_edit_is_money_and_no_judgment() -> None:
    (row,) = sheet(
        entries(
            ("2026-01-10", "spent", "ann", "hourly:a", "0.10"),
            ("2026-01-11", "spent", "ann", "hourly:a", "0.20"),
            ("2026-01-12", "refunded", "ann", "hourly:a", "0.05"),
        ),
        judged(a=25),
    )
    assert (row.judgments, row.due, row.hourly_pay) == (1, Decimal("0.25"), Decimal("36.00"))


def test_times_count_as_far_as_they_are_paid() -> None:
    ledger = entries(
        ("2026-01-10", "spent", "ann", "hourly:a", "0.60"),
        ("2026-01-10", "spent", "ann", "hourly:none", "0.30"),
        ("2026-01-10", "spent", "ann", "crowd:a", "0.05"),
        ("2026-01-10", "spent", "ann", "crowd:skipped", "0.05"),
    )
    crowd, hourly = sheet(ledger, judged(a=5_000, none=None, skipped=600))
    assert (crowd.supplier, crowd.seconds, crowd.breaks, crowd.skipped) == (
        "crowd",
        Decimal(1_200),
        1,
        1,
    )
    assert (hourly.seconds, hourly.breaks, hourly.untimed) == (Decimal(60), 1, 1)
    assert (hourly.due, hourly.hourly_pay) == (Decimal("0.90"), Decimal("36.00"))


def test_what_changed_hands_is_paid_to_the_last() -> None:
    ann, bob = sheet(
        entries(
            ("2026-01-10", "spent", "ann", "crowd:a", "0.05"),
            ("2026-01-11", "refunded", "ann", "crowd:a", "0.05"),
            ("2026-01-11", "spent", "bob", "crowd:a", "0.05"),
        ),
        judged(a=10),
    )
    assert (ann.annotator, ann.judgments, ann.due, ann.hourly_pay) == ("ann", 0, Decimal(0), None)
    assert (bob.annotator, bob.judgments, bob.due) == ("bob", 1, PIECE)


def test_days_begin_in_the_zone() -> None:
    ledger = entries(("2026-01-31T23:30:00", "spent", "ann", "crowd:a", "0.05"))
    (row,) = sheet(ledger, judged(a=10), "day", "Europe/Berlin")
    assert (row.period, str(row.first_day), str(row.last_day)) == (
        *("2026-02-01", "2026-02-01", "2026-02-01"),
    )
    (row,) = sheet(ledger, judged(a=10), "all")
    assert (row.period, row.first_day) == ("all", None)


def test_labels_that_existed_were_paid_before() -> None:
    assert not sheet(entries(("2026-01-10", "spent", "ann", f"{EXISTING}:a", "3")), judged(a=1))


@pytest.mark.parametrize(
    ("period", "zone", "said"),
    [("year", "UTC", "the period should be"), ("day", "Berlin", "time zone 'Berlin' is unknown")],
)
def test_wrong_words(period: str, zone: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        sheet(entries(("2026-01-10", "spent", "ann", "crowd:a", "1")), judged(a=1), period, zone)


def test_the_sum_is_what_the_ledger_paid(tmp_path: Path) -> None:
    unit = MoneyUnit("EUR", 4)
    prices = {"crowd": Price(PIECE), "hourly": Price(Decimal(0), HOUR, Decimal(60))}
    with CollectionStore.create(tmp_path / "c.sqlite", unit, Decimal(100), "ann") as store:
        order = [
            OrderLine(name, f"i{n}", "easy", 2, None, price)
            for name, price in prices.items()
            for n in range(5)
        ]
        batch = store.add_batch(order, {}, "a")
        store.approve(batch, "ann")
        store.mark_ordered(batch)
        for name in prices:
            table = pd.DataFrame(
                {
                    "item_id": [f"i{n}" for n in range(5) for _ in range(2)],
                    "annotator": ["=bob", "eve"] * 5,
                    "label": "A",
                    "seconds": [7.3 + n for n in range(10)],
                    "source_id": [str(n) for n in range(10)],
                }
            )
            store.receive(name, table, whole=True)
            store.book()
            store.receive(name, table.iloc[1:].assign(seconds=21.0), whole=True)
            store.book()
        found = collection_pay(store)
        balance = store.balance()
    assert found.due == balance.paid == sum(balance.by_annotator.values())
    by_name = {name: sum(r.due for r in found.rows if r.annotator == name) for name in ("=bob",)}
    assert by_name["=bob"] == balance.by_annotator["=bob"]
    assert all(row.hourly_pay == 36 for row in found.rows if row.supplier == "hourly")
    assert [row.judgments for row in found.rows] == [4, 5, 4, 5]
    text = pay_csv(found)
    assert "'=bob" in text and "\n=bob" not in text


def test_judgments_of_test_items_are_told_apart_and_taken_off_again() -> None:
    ledger = entries(
        ("2026-01-30T10:00:00", "spent", "ann", "crowd:a", "0.05"),
        ("2026-01-30T10:00:01", "spent", "ann", "crowd:b", "0.05"),
        ("2026-01-30T10:00:02", "spent", "ann", "crowd:c", "0.05"),
        ("2026-01-30T10:00:03", "refunded", "ann", "crowd:b", "0.05"),
    )
    ledger["stratum"] = ["hard", TEST_SET, TEST_SET, TEST_SET]
    (row,) = sheet(ledger, judged(a=10, b=10, c=10))
    assert (row.judgments, row.test_items) == (2, 1)
