"""Who is owed what: the ledger's entries by annotator and period, and what an hour's work made."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pandas as pd

from annotation.spreadsheet_cells import guarded_row
from annotation.team.pay import CENTS, Period, check_period, period_of, period_starts
from annotation.team.pay import rounded_nearest as rounded
from annotation.team.timing import IDLE_CAP
from budget.collection.kinds import EXISTING, TEST_SET
from budget.collection.ledger import PAID
from budget.collection.store.store import CollectionStore

PAY_COLUMNS = (
    *("supplier", "annotator", "period", "first_day", "last_day"),
    *("judgments", "test_items", "skipped", "seconds", "untimed", "breaks"),
    *("due", "hourly_pay", "currency"),
)


@dataclass(frozen=True)
class LedgerPayRow:
    """What one annotator of one supplier is owed for one period.

    Attributes
    ----------
    period, first_day, last_day : as in `annotation.team.pay.PayRow`
    judgments : that were paid, less those that were taken back; those of `test_items`, whose right
        answers were bought, and `skipped` tasks are among them
    seconds : of these judgments, each at most what is paid of it, or ten minutes where time is not
        paid; `breaks` of them took longer. Of `untimed` ones nothing is known
    due : exactly what the ledger booked; below 0 where more was taken back than was paid
    hourly_pay : `due` of the judgments with a time, per hour of it; None where there is none
    """

    supplier: str
    annotator: str
    period: str | None
    first_day: date | None
    last_day: date | None
    judgments: int
    test_items: int
    skipped: int
    seconds: Decimal
    untimed: int
    breaks: int
    due: Decimal
    hourly_pay: Decimal | None


@dataclass(frozen=True)
class LedgerPay:
    """Rows in order of supplier, annotator and period, and their sum."""

    rows: tuple[LedgerPayRow, ...]
    due: Decimal
    zone: str
    currency: str


def collection_pay(
    store: CollectionStore, period: Period = "month", zone: str = "UTC"
) -> LedgerPay:
    """The pay sheet of a collection. Nothing is booked for it.

    Labels that existed before the collection were paid before, and are not on it.

    Raises InputError if the period or the time zone is unknown.
    """
    rows = ledger_pay(
        store.ledger(), store.judgments(valid_only=False), store.lines(), period, zone
    )
    due = sum((row.due for row in rows), Decimal(0))
    return LedgerPay(rows, due, zone, store.unit.currency)


@dataclass
class _Sums:
    judgments: int = 0
    test_items: int = 0
    skipped: int = 0
    milliseconds: int = 0
    untimed: int = 0
    breaks: int = 0
    due: Decimal = field(default_factory=Decimal)
    timed_due: Decimal = field(default_factory=Decimal)


def ledger_pay(
    ledger: pd.DataFrame,
    judgments: pd.DataFrame,
    lines: pd.DataFrame,
    period: Period,
    zone: str,
) -> tuple[LedgerPayRow, ...]:
    """The rows of a pay sheet, from tables as `CollectionStore` gives them.

    An amount belongs to the period in which it was booked, so that the sheet of a period that is
    over stays as it is: what is taken back later is in the later one. A judgment and its time are
    counted where it was first paid, and taken off where it is taken back.
    """
    check_period(period)
    entries = ledger[ledger["kind"].isin(list(PAID)) & (ledger["supplier"] != EXISTING)]
    starts = period_starts(entries["at"], period, zone).tolist()
    times = _Times(judgments, lines)
    booked: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    sums: defaultdict[tuple[str, str, int], _Sums] = defaultdict(_Sums)
    for start, entry in zip(starts, entries.to_dict("records"), strict=True):
        supplier, annotator = str(entry["supplier"]), str(entry["annotator"])
        source = str(entry["source_id"])
        own = sums[supplier, annotator, start]
        amount = PAID[entry["kind"]] * entry["amount"]
        before = booked[supplier, source, annotator]
        booked[supplier, source, annotator] += amount
        time = times.of(supplier, source, int(entry["batch"]))
        own.due += amount
        own.timed_due += 0 if time.milliseconds is None else amount
        change = int(before + amount > 0) - int(before > 0)
        own.judgments += change
        own.test_items += change * (entry["stratum"] == TEST_SET)
        own.skipped += change * time.skipped
        own.milliseconds += change * (time.milliseconds or 0)
        own.untimed += change * (time.milliseconds is None)
        own.breaks += change * time.is_break
    return tuple(_row(*key, own, period) for key, own in sorted(sums.items()))


@dataclass(frozen=True)
class _Time:
    """Of one judgment; `milliseconds` are None where its time is not known."""

    milliseconds: int | None
    is_break: bool
    skipped: bool


class _Times:
    """How long judgments took, as far as it is paid."""

    def __init__(self, judgments: pd.DataFrame, lines: pd.DataFrame) -> None:
        self._judgments = {
            (str(row["supplier"]), str(row["source_id"])): row
            for row in judgments[
                ["supplier", "source_id", "item_id", "seconds", "cancelled"]
            ].to_dict("records")
        }
        self._most = {
            (int(row["batch"]), str(row["supplier"]), str(row["item_id"])): float(
                row["most_seconds"]
            )
            for row in lines[lines["per_hour"] > 0].to_dict("records")
        }

    def of(self, supplier: str, source: str, batch: int) -> _Time:
        row = self._judgments[supplier, source]
        seconds, skipped = float(row["seconds"]), bool(row["cancelled"])
        if seconds != seconds:
            return _Time(None, False, skipped)
        most = self._most.get((batch, supplier, str(row["item_id"])), IDLE_CAP)
        return _Time(round(min(seconds, most) * 1000), seconds > most, skipped)


def _row(supplier: str, annotator: str, start: int, own: _Sums, period: Period) -> LedgerPayRow:
    first, last, called = period_of(start, period)
    hours = Fraction(own.milliseconds, 3_600_000)
    return LedgerPayRow(
        supplier=supplier,
        annotator=annotator,
        period=called,
        first_day=first,
        last_day=last,
        judgments=own.judgments,
        test_items=own.test_items,
        skipped=own.skipped,
        seconds=Decimal(own.milliseconds).scaleb(-3),
        untimed=own.untimed,
        breaks=own.breaks,
        due=own.due,
        hourly_pay=rounded(Fraction(own.timed_due) / hours, CENTS) if hours > 0 else None,
    )


def pay_csv(sheet: LedgerPay) -> str:
    """The sheet as CSV, amounts exact; a spreadsheet runs no cell of it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PAY_COLUMNS)
    for row in sheet.rows:
        values = {**vars(row), "currency": sheet.currency}
        cells = ("" if values[name] is None else str(values[name]) for name in PAY_COLUMNS)
        writer.writerow(guarded_row(cells))
    return text.getvalue()
