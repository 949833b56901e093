"""What is due for judgments, and the entries that bring the ledger there."""

from decimal import Decimal

from budget.collection.booking import (
    ABOVE_ORDER,
    SAME_PERSON,
    UNKNOWN_TIME,
    BatchJudgment,
    Booking,
    affordable_payments,
    due_of_batch,
    payments,
    reservations,
    still_reserved,
)
from budget.collection.ledger import LedgerEntry
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price

UNIT = MoneyUnit("EUR", 2)
LINES = {
    1: OrderLine("crowd", "i1", "easy", 2, None, Price(Decimal("0.05"))),
    2: OrderLine("crowd", "i2", "hard", 1, None, Price(Decimal("0.07"))),
    3: OrderLine("office", "i1", "easy", 1, None, Price(Decimal(0), Decimal(36), Decimal(50))),
    4: OrderLine("kind", "i1", "easy", 1, None, Price(Decimal("0.05"), pay_skipped=True)),
}


def judged(number: int, line: int, who: str = "", *, arrived: int = 0) -> BatchJudgment:
    return BatchJudgment(number, line, who or f"p{number}", 10.0, True, False, arrived or number)


def test_as_many_as_were_ordered_and_the_allowance_are_due() -> None:
    there = [judged(5, 1), *(judged(number, 1) for number in (1, 2, 3, 4)), judged(6, 2)]
    due = due_of_batch(LINES, there, {"crowd": 1}, UNIT)
    assert [(each.of.judgment, each.amount, each.account, each.unpaid) for each in due] == [
        (1, 5, ("crowd", "easy"), None),
        (2, 5, ("crowd", "easy"), None),
        (3, 5, ("crowd", None), None),
        (4, 0, ("crowd", "easy"), ABOVE_ORDER),
        (5, 0, ("crowd", "easy"), ABOVE_ORDER),
        (6, 7, ("crowd", "hard"), None),
    ]


def test_who_came_first_is_paid_not_who_has_the_smaller_number() -> None:
    there = [judged(1, 2, arrived=9), judged(2, 2, arrived=3)]
    due = due_of_batch(LINES, there, {"crowd": 0}, UNIT)
    assert [(each.of.judgment, each.amount) for each in due] == [(2, 7), (1, 0)]


def test_one_person_is_paid_once_for_an_item() -> None:
    there = [judged(1, 1, "ann"), judged(2, 1, "ann"), judged(3, 1, "bob"), judged(4, 2, "ann")]
    due = due_of_batch(LINES, there, {"crowd": 9}, UNIT)
    assert [(each.amount, each.unpaid) for each in due] == [
        (5, None),
        (0, SAME_PERSON),
        (5, None),
        (7, None),
    ]


def test_skipped_and_deleted_items_are_not_owed() -> None:
    skipped = BatchJudgment(1, 1, "ann", 10.0, False, True, 1)
    deleted = BatchJudgment(2, 1, "bob", 10.0, False, False, 2)
    due = due_of_batch(LINES, [skipped, deleted], {"crowd": 1}, UNIT)
    assert [(each.amount, each.unpaid) for each in due] == [(0, None), (0, None)]


def test_skipped_items_that_are_paid_leave_the_order_open() -> None:
    skipped = BatchJudgment(1, 4, "ann", 10.0, False, True, 1)
    due = due_of_batch(LINES, [skipped, judged(2, 4)], {"kind": 1}, UNIT)
    assert [each.account for each in due] == [("kind", None), ("kind", "easy")]
    assert [each.amount for each in due] == [5, 5]


def test_time_that_is_not_known_is_told() -> None:
    (due,) = due_of_batch(LINES, [judged(1, 3)._replace(seconds=None)], {}, UNIT)
    assert (due.amount, due.unpaid) == (0, UNKNOWN_TIME)


def test_what_was_due_and_has_not_changed_stays_due() -> None:
    before = [judged(number, 1) for number in (1, 2, 3)]
    after = [before[0]._replace(labelled=False), *before[1:], judged(4, 1), judged(5, 1)]
    for there in (before, after):
        due = due_of_batch(LINES, there, {"crowd": 1}, UNIT)
        assert {each.of.judgment for each in due if each.amount} >= {2, 3}


def test_the_ledger_gets_the_difference() -> None:
    there = [judged(1, 3), judged(2, 1), judged(3, 1)._replace(labelled=False)]
    due = due_of_batch(LINES, there, {}, UNIT)
    booked = [
        Booking(1, 3, "p1", 4),
        Booking(2, 1, "p2", 5),
        Booking(3, 1, "p3", 5),
        Booking(9, 2, "old", 7),  # now a judgment of another batch
        Booking(8, 2, "older", 0),
    ]
    told = [
        (each.kind, each.amount, each.judgment, each.annotator, each.stratum, each.why)
        for each in payments(6, LINES, due, booked)
    ]
    assert told == [
        ("spent", 6, 1, "p1", "easy", "edited"),
        ("refunded", 5, 3, "p3", "easy", "deleted"),
        ("refunded", 7, 9, "old", "hard", "now a judgment of another item or annotator"),
    ]


def test_booked_twice_is_booked_once() -> None:
    due = due_of_batch(LINES, [judged(1, 1), judged(2, 3)], {}, UNIT)
    booked = [
        Booking(each.judgment, each.line, each.annotator, each.amount)
        for each in payments(1, LINES, due, [])
        if each.judgment is not None and each.line is not None and each.annotator is not None
    ]
    assert len(booked) == 2
    assert payments(1, LINES, due, booked) == []


def test_what_is_paid_is_no_longer_reserved() -> None:
    most = {("crowd", "easy"): 10, ("crowd", "hard"): 7, ("crowd", None): 7}
    due = due_of_batch(LINES, [judged(number, 1) for number in (1, 2, 3)], {"crowd": 1}, UNIT)
    left = still_reserved(most, due)
    assert left == {("crowd", "easy"): 0, ("crowd", "hard"): 7, ("crowd", None): 2}
    told = {
        (each.stratum, each.kind, each.amount) for each in reservations(1, left, most, "because")
    }
    assert told == {("easy", "released", 10), (None, "released", 5)}
    assert reservations(1, left, left, "because") == []
    (back,) = reservations(1, most, {**most, ("crowd", "hard"): 0}, "taken back")
    assert (back.kind, back.amount, back.why) == ("committed", 7, "taken back")


def test_late_judgments_are_paid_as_far_as_money_goes() -> None:
    def entry(kind: str, amount: int, judgment: int) -> LedgerEntry:
        line = LINES[1]
        names = (line.supplier, line.stratum, "p")
        return LedgerEntry(kind, amount, 1, *names, judgment, 1, "")  # type: ignore[arg-type]

    late = [entry("spent", 4, 1), entry("spent", 9, 2), entry("refunded", 3, 3)]
    late.append(entry("spent", 1, 4))
    paid, unpaid = affordable_payments(late, left=2)
    assert [(each.kind, each.judgment) for each in paid] == [
        ("refunded", 3),
        ("spent", 1),
        ("spent", 4),
    ]
    assert unpaid == {2}
