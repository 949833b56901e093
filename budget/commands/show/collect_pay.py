"""What `labelmix collect pay` prints for a person, and as JSON."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.table import Column, Table

from analysis.numbers import NOT_KNOWN, count
from budget.collection.money_unit import plain, shown
from budget.collection.paying import LedgerPay
from budget.commands.screen import Screen

MOST_ROWS = 40  # that are shown


def pay_json(sheet: LedgerPay) -> dict[str, Any]:
    """The sheet as plain values: amounts as exact texts, days as ISO 8601, unknown as null."""
    return {
        "rows": [
            {name: _plain(value) for name, value in asdict(row).items()} for row in sheet.rows
        ],
        "due": str(sheet.due),
        "zone": sheet.zone,
        "currency": sheet.currency,
    }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if value is None or isinstance(value, str | int) else str(value)


def show_pay(sheet: LedgerPay) -> None:
    """Print the rows, their sum, and what should be looked at before anybody is paid."""
    console = Screen()
    if sheet.rows:
        console.print(_table(sheet))
    people = len({(row.supplier, row.annotator) for row in sheet.rows})
    who = "annotator is" if people == 1 else "annotators are"
    console.print(
        f"{count(people)} {who} owed {shown(sheet.due, sheet.currency)} in all, as booked; days "
        f"begin at midnight, {sheet.zone}."
    )
    untimed, breaks = sum(row.untimed for row in sheet.rows), sum(r.breaks for r in sheet.rows)
    if untimed:
        console.print(
            f"note: paid judgments without a time: {count(untimed)}; what an hour makes rests on "
            "the others.",
            style="yellow",
        )
    if breaks:
        console.print(
            f"note: judgments with a break, longer than is paid or than ten minutes: "
            f"{count(breaks)}; they count with that much.",
            style="yellow",
        )


def _table(sheet: LedgerPay) -> Table:
    first = sheet.rows[:MOST_ROWS]
    more = len(sheet.rows) - len(first)
    title = f"Pay ({count(more)} more rows in --json and --out)" if more else "Pay"
    skipped = ["skipped"] if any(row.skipped for row in first) else []
    tested = ["of test items"] if any(row.test_items for row in first) else []
    table = Table(
        Column("supplier", overflow="fold"),
        Column("annotator", overflow="fold"),
        Column("period", no_wrap=True),
        *("judgments", *tested, *skipped, "hours", f"due, {sheet.currency}", "makes per hour"),
        title=title,
    )
    for row in first:
        table.add_row(
            row.supplier,
            row.annotator,
            row.period or NOT_KNOWN,
            count(row.judgments),
            *([count(row.test_items)] if tested else []),
            *([count(row.skipped)] if skipped else []),
            f"{row.seconds / 3600:,.2f}",
            plain(row.due, sheet.currency),
            NOT_KNOWN if row.hourly_pay is None else plain(row.hourly_pay, sheet.currency),
        )
    return table
