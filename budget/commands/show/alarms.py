"""What `labelmix judgments alarms` prints for a person, and as JSON."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pandas as pd
from rich.table import Column, Table

from analysis.numbers import NOT_KNOWN, count, money, percent, ratio
from annotation.judgments.rejections import CheckedJudgments
from annotation.monitoring.alarms import QualityAlarm, QualityReport, WatchedSign
from budget.commands.screen import Screen
from budget.commands.show.judgments import reading_json, show_reading

MOST_ROWS = 40  # that are shown
_SIGNS = {"errors": "errs more", "faster": "faster", "slower": "slower"}


def alarms_json(report: QualityReport, reading: CheckedJudgments) -> dict[str, Any]:
    """The report as plain values: money as numbers, times in ISO 8601, not known as null."""
    plain = asdict(report)
    plain["alarms"] = [{k: _plain(v) for k, v in asdict(each).items()} for each in report.alarms]
    return {**plain, **reading_json(reading)}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def show_alarms(report: QualityReport, reading: CheckedJudgments, currency: str) -> None:
    """Print the latest alarms, how many of them may be false, and what was not watched."""
    console = Screen()
    if report.alarms:
        console.print(_table(report, currency))
    for line in _lines(report):
        console.print(line)
    for line in _unwatched(report):
        console.print(f"note: {line}", style="yellow")
    show_reading(console, reading)


def _table(report: QualityReport, currency: str) -> Table:
    shown = report.alarms[-MOST_ROWS:]
    more = len(report.alarms) - len(shown)
    title = f"Alarms ({count(more)} earlier ones in --json)" if more else "Alarms"
    costs = ["cost"] if any(each.cost is not None for each in shown) else []
    table = Table(
        Column("annotator", overflow="fold"),
        *("stratum", "what", "since", "judgments since", "before", "now", *costs),
        title=title,
    )
    for each in shown:
        table.add_row(
            each.annotator,
            each.stratum,
            _SIGNS[each.sign],
            f"{each.since:%Y-%m-%d %H:%M}",
            count(each.judgments),
            *_levels(each),
            *([NOT_KNOWN if each.cost is None else money(float(each.cost), currency)] * len(costs)),
        )
    return table


def _levels(alarm: QualityAlarm) -> tuple[str, str]:
    if alarm.sign == "errors":
        return percent(alarm.before, 0), percent(alarm.after, 0)
    return f"{ratio(alarm.before)} s", f"{ratio(alarm.after)} s"


def _lines(report: QualityReport) -> list[str]:
    errors = sum(each.sign == "errors" for each in report.alarms)
    return [
        _watched("errors", errors, report.errors),
        _watched("times", len(report.alarms) - errors, report.times),
    ]


def _watched(what: str, raised: int, watched: WatchedSign) -> str:
    if not watched.judgments:
        return f"Alarms by {what}: none could be raised; nothing tells them."
    return (
        f"Alarms by {what}: {count(raised)}. About {watched.false_alarms:.1f} would be raised if "
        f"nothing had changed, in {count(watched.judgments)} judgments."
    )


def _unwatched(report: QualityReport) -> list[str]:
    lines = []
    if report.untold:
        lines.append(
            "judgments of which neither a gold answer nor other judgments tell whether they are "
            f"wrong: {count(report.untold)}."
        )
    if report.undated:
        lines.append(f"judgments without 'created_at', not watched: {count(report.undated)}.")
    return lines
