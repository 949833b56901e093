"""What is due for the judgments of a batch, and the entries that bring the ledger there.

What is due is worked out anew from the judgments as they stand, never from what happened to them.
The ledger gets the difference to what it has booked: booked any number of times, every judgment is
paid once, an edited one at its last form, and a deleted one is taken back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from budget.collection.ledger import EntryKind, LedgerEntry, in_order
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import Account, OrderLine

UNKNOWN_TIME = "its time is not known, and time is paid"
ABOVE_ORDER = "more judgments than were ordered, and than the allowance above"
SAME_PERSON = "the second judgment of this annotator on an item that different people should judge"
NO_MONEY = "the batch is closed, and too little of the budget is left"
NOT_ORDERED = "its item was not ordered from this supplier"


class BatchJudgment(NamedTuple):
    """A judgment of a batch as it stands.

    `judgment` and `line` are the store's numbers. `arrived` numbers the judgments in the order in
    which they came in their present form: labelled, or skipped. `labelled` and `skipped` are both
    False where it was deleted.
    """

    judgment: int
    line: int
    annotator: str
    seconds: float | None
    labelled: bool
    skipped: bool
    arrived: int


class Due(NamedTuple):
    """What is due for a judgment, in units, and from which reservation; or why nothing is.

    `unpaid` is None where nothing is owed for a judgment: it was deleted, or skipped items are not
    paid.
    """

    of: BatchJudgment
    amount: int
    account: Account
    unpaid: str | None


class Booking(NamedTuple):
    """What was booked for one judgment so far: the sum of its entries, in units."""

    judgment: int
    line: int
    annotator: str
    amount: int


def due_of_batch(
    lines: Mapping[int, OrderLine],
    judgments: Iterable[BatchJudgment],
    extra: Mapping[str, int],
    unit: MoneyUnit,
) -> list[Due]:
    """What is due for every judgment of one batch, in the order in which they arrived.

    Of every line the first judgments are due, one of each annotator, as many as were ordered; of
    the others of a supplier the first `extra`. Skipped items count among those others, where they
    are paid. So a judgment that was due and has not changed stays due, whatever comes after it.

    Parameters
    ----------
    lines
        The store's number of a line -> the line.
    judgments
        All judgments of these lines, in any order.
    extra
        Supplier -> how many judgments above those ordered are paid.
    unit
        Of the amounts.
    """
    taken: defaultdict[int, int] = defaultdict(int)
    above: defaultdict[str, int] = defaultdict(int)
    seen: set[tuple[int, str, bool]] = set()
    found: list[Due] = []
    for judgment in sorted(judgments, key=lambda each: each.arrived):
        line = lines[judgment.line]
        account: Account = (line.supplier, line.stratum)
        is_paid = judgment.labelled or (judgment.skipped and line.price.pay_skipped)
        if not is_paid:
            found.append(Due(judgment, 0, account, None))
            continue
        person = (judgment.line, judgment.annotator, judgment.labelled)
        if person in seen:
            found.append(Due(judgment, 0, account, SAME_PERSON))
            continue
        seen.add(person)
        if judgment.labelled and taken[judgment.line] < line.judgments:
            taken[judgment.line] += 1
        elif above[line.supplier] < extra.get(line.supplier, 0):
            above[line.supplier] += 1
            account = (line.supplier, None)
        else:
            found.append(Due(judgment, 0, account, ABOVE_ORDER))
            continue
        cost = line.price.cost(judgment.seconds, unit)
        found.append(Due(judgment, cost or 0, account, UNKNOWN_TIME if cost is None else None))
    return found


def payments(
    batch: int, lines: Mapping[int, OrderLine], due: Iterable[Due], booked: Iterable[Booking]
) -> list[LedgerEntry]:
    """Entries that bring what is booked for the judgments of a batch to what is due for them.

    `booked` may tell of judgments that are no longer the batch's, or were another annotator's: they
    are taken back. `lines` has their lines all the same.
    """
    before = {(each.judgment, each.line, each.annotator): each.amount for each in booked}
    entries: list[LedgerEntry] = []
    for of, amount, account, unpaid in due:
        change = amount - before.pop((of.judgment, of.line, of.annotator), 0)
        if change:
            why = _why(of, change, account, unpaid, first=change == amount)
            entries.append(_payment(batch, lines[of.line], of, change, why))
    for (judgment, line, annotator), amount in sorted(before.items()):
        if amount:
            gone = BatchJudgment(judgment, line, annotator, None, False, False, 0)
            why = "now a judgment of another item or annotator"
            entries.append(_payment(batch, lines[line], gone, -amount, why))
    return entries


def _payment(batch: int, line: OrderLine, of: BatchJudgment, change: int, why: str) -> LedgerEntry:
    return LedgerEntry(
        "spent" if change > 0 else "refunded",
        abs(change),
        batch,
        line.supplier,
        line.stratum,
        of.annotator,
        of.judgment,
        of.line,
        why,
    )


def _why(of: BatchJudgment, change: int, account: Account, unpaid: str | None, first: bool) -> str:
    if unpaid is not None:
        return unpaid
    if not (of.labelled or of.skipped):
        return "deleted"
    if of.skipped:
        return "skipped" if change < 0 else "skipped, which is paid"
    if not first:
        return "edited"
    return "judgment" if account[1] is not None else "judgment above those ordered"


def reservations(
    batch: int,
    wanted: Mapping[Account, int],
    reserved: Mapping[Account, int],
    why: str,
) -> list[LedgerEntry]:
    """Entries that bring what is reserved for a batch to what is wanted, account by account.

    Their order, like that of payments, is the same whatever database told the sums.
    """
    entries: list[LedgerEntry] = []
    for account in sorted({**reserved, **wanted}, key=lambda each: (each[0], each[1] or "")):
        supplier, stratum = account
        change = wanted.get(account, 0) - reserved.get(account, 0)
        if change:
            kind: EntryKind = "committed" if change > 0 else "released"
            entries.append(
                LedgerEntry(kind, abs(change), batch, supplier, stratum, None, None, None, why)
            )
    return entries


def still_reserved(most: Mapping[Account, int], due: Iterable[Due]) -> dict[Account, int]:
    """What remains of the reservation of a batch once everything due is paid from it."""
    left = dict(most)
    for each in due:
        if each.amount:
            left[each.account] -= each.amount
    return left


def affordable_payments(
    entries: Iterable[LedgerEntry], left: int
) -> tuple[list[LedgerEntry], set[int]]:
    """Of payments of closed batches those that `left` units pay for, in order, and the others.

    Returns the entries, and the numbers of the judgments that are not paid as they should be.
    """
    paid: list[LedgerEntry] = []
    unpaid: set[int] = set()
    for entry in in_order(entries):
        if entry.kind == "spent" and entry.amount > left:
            assert entry.judgment is not None
            unpaid.add(entry.judgment)
            continue
        left += entry.amount if entry.kind == "refunded" else -entry.amount
        paid.append(entry)
    return paid, unpaid
