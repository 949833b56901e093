"""What `labelmix judgments pay` prints for a person, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.table import Column, Table

from analysis.numbers import NOT_KNOWN, count, money
from annotation.judgments.rejections import CheckedJudgments
from annotation.team.pay import PayRow, PaySheet
from budget.commands.screen import Screen
from budget.commands.show.judgments import reading_json, show_reading

MOST_ROWS = 40  # that are shown


def pay_json(sheet: PaySheet, reading: CheckedJudgments, currency: str) -> dict[str, Any]:
    """The sheet as plain values: amounts as numbers, days as ISO 8601, unknown as null."""
    return {
        "rows": [
            {name: _plain(value) for name, value in asdict(row).items()} for row in sheet.rows
        ],
        "due": float(sheet.due),
        "over_asked_due": float(sheet.over_asked_due),
        "unpaid_hours": sheet.unpaid_hours,
        "zone": sheet.zone,
        "currency": currency,
        **reading_json(reading),
    }


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def show_pay(sheet: PaySheet, reading: CheckedJudgments, currency: str) -> None:
    """Print the rows, their sum, and what should be looked at before anybody is paid."""
    console = Screen()
    console.print(_table(sheet, currency))
    people = len({row.annotator for row in sheet.rows})
    who = "annotator is" if people == 1 else "annotators are"
    total = f"{count(people)} {who} owed {_amount(sheet.due, currency)} in all"
    console.print(f"{total}; days begin at midnight, {sheet.zone}.")
    for line in _doubts(sheet, currency):
        console.print(f"note: {line}", style="yellow")
    show_reading(console, reading)


def _table(sheet: PaySheet, currency: str) -> Table:
    shown = sheet.rows[:MOST_ROWS]
    more = len(sheet.rows) - len(shown)
    title = f"Pay ({count(more)} more rows in --json and --out)" if more else "Pay"
    over = ["over-asked"] if any(row.over_asked for row in shown) else []
    columns: tuple[Column | str, ...] = (
        Column("period", no_wrap=True),
        "judgments",
        "cancelled",
        *over,
        "hours",
        "due",
        "makes per hour",
    )
    table = Table(Column("annotator", overflow="fold"), *columns, title=title)
    for row in shown:
        table.add_row(
            row.annotator,
            row.period or NOT_KNOWN,
            count(row.judgments),
            count(row.cancelled),
            *([count(row.over_asked)] if over else []),
            f"{row.seconds / 3600:,.2f}",
            _amount(row.due, currency),
            NOT_KNOWN if row.hourly_pay is None else _amount(row.hourly_pay, currency),
        )
    return table


def _amount(amount: Decimal, currency: str) -> str:
    return money(float(amount), currency)


def _doubts(sheet: PaySheet, currency: str) -> list[str]:
    lines = []
    breaks, undated = _sum(sheet.rows, "breaks"), sum(row.period is None for row in sheet.rows)
    over = _sum(sheet.rows, "over_asked")
    if sheet.unpaid_hours:
        lines.append(
            f"judgments without a time, by people paid by the hour: {count(sheet.unpaid_hours)}; "
            "nothing is in the sheet for their time."
        )
    if undated:
        lines.append(
            f"rows of judgments without 'created_at': {count(undated)}; their period is "
            f"{NOT_KNOWN}."
        )
    if breaks:
        lines.append(f"judgments longer than --idle-cap, which count as it: {count(breaks)}.")
    if over:
        fees = _amount(sheet.over_asked_due, currency)
        lines.append(f"judgments beyond --asked: {count(over)}; their fees: {fees}.")
    return lines


def _sum(rows: Sequence[PayRow], name: str) -> int:
    return sum(int(getattr(row, name)) for row in rows)
