"""The ledger's sums, and the order of the entries of one change."""

from decimal import Decimal
from itertools import permutations

from budget.collection.ledger import (
    EntryKind,
    LedgerEntry,
    Standing,
    balance_of,
    in_order,
)
from budget.collection.money_unit import MoneyUnit

UNIT = MoneyUnit("EUR", 2)


def entry(kind: EntryKind, amount: int) -> LedgerEntry:
    return LedgerEntry(kind, amount, 1, "crowd", "easy", None, None, None, "")


def test_no_entry_of_a_change_stands_over_the_budget() -> None:
    # 10 of 10 are used: 6 promised, 4 paid. One judgment of 4 is taken back, another comes.
    change = [entry("committed", 4), entry("spent", 4), entry("released", 4), entry("refunded", 4)]
    for shuffled in permutations(change):
        promised, paid = 6, 4
        for kind, amount, *_ in in_order(shuffled):
            promised += {"committed": amount, "released": -amount}.get(kind, 0)
            paid += {"spent": amount, "refunded": -amount}.get(kind, 0)
            assert promised >= 0 and paid >= 0 and promised + paid <= 10
        assert (promised, paid) == (6, 4)


def test_the_balance_is_the_sum_of_its_parts() -> None:
    balance = balance_of(
        1000,
        [
            ("planned", 1, "crowd", "easy", None, 700),  # informs alone
            ("committed", 1, "crowd", "easy", None, 500),
            ("committed", 1, "crowd", None, None, 50),
            ("released", 1, "crowd", "easy", None, 120),
            ("spent", 1, "crowd", "easy", "ann", 100),
            ("spent", 2, "expert", "hard", "bob", 30),
            ("refunded", 2, "expert", "hard", "bob", 10),
        ],
        UNIT,
    )
    assert (balance.budget, balance.promised) == (Decimal("10.00"), Decimal("4.30"))
    assert (balance.paid, balance.left) == (Decimal("1.20"), Decimal("4.50"))
    assert balance.by_batch == {
        1: Standing(Decimal("4.30"), Decimal("1.00")),
        2: Standing(Decimal("0.00"), Decimal("0.20")),
    }
    assert balance.by_supplier["expert"].paid == Decimal("0.20")
    assert balance.by_stratum[None] == Standing(Decimal("0.50"), Decimal("0.00"))
    assert balance.by_stratum["easy"] == Standing(Decimal("3.80"), Decimal("1.00"))
    assert balance.by_annotator == {"ann": Decimal("1.00"), "bob": Decimal("0.20")}


def test_an_empty_ledger_leaves_the_budget() -> None:
    balance = balance_of(1000, [], UNIT)
    assert balance.left == balance.budget == Decimal("10.00")
    assert not balance.by_batch
