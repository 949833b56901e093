"""What `labelmix judgments finish` prints for a person, and as JSON."""

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.numbers import count, interval_name, percent, ratio
from annotation.judgments.rejections import CheckedJudgments
from annotation.monitoring.finish_date import FinishDate
from budget.commands.screen import Screen
from budget.commands.show.judgments import reading_json, show_reading

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_REST = 0.25  # of an average day; less is hardly work


def finish_json(found: FinishDate, reading: CheckedJudgments, place: ZoneInfo) -> dict[str, Any]:
    """The forecast as plain values, times in ISO 8601 of the zone, not known as null."""
    plain = {
        name: value.tz_convert(place).isoformat() if isinstance(value, pd.Timestamp) else value
        for name, value in asdict(found).items()
    }
    return {**plain, **reading_json(reading)}


def show_finish(found: FinishDate, reading: CheckedJudgments, place: ZoneInfo, given: int) -> None:
    """Print the date, what it rests on, and what it cannot know."""
    console = Screen()
    ends = [_moment(end, place) for end in (found.expected, found.earliest, found.latest)]
    console.print(
        f"Done by {ends[0]} ({interval_name(found.confidence)}: {ends[1]} to "
        f"{ends[2]}, {place.key})."
    )
    console.print(
        f"{count(found.done)} judgments are done, {count(found.left)} are left; "
        f"{ratio(found.per_day)} a day so far, until {_moment(found.seen_until, place)}."
    )
    for line in _basis(found, given):
        console.print(line)
    show_reading(console, reading)


def _moment(stamp: pd.Timestamp, place: ZoneInfo) -> str:
    return f"{stamp.tz_convert(place):%Y-%m-%d %H:%M}"


def _basis(found: FinishDate, given: int) -> list[str]:
    lines = []
    if found.past:
        lines.append(f"The interval is learnt from {count(found.past)} finished collections.")
    elif given:
        lines.append("The collections of --past are too few or too short to learn from.")
    if not found.by_days:
        return [
            *lines,
            "Fewer than four days were seen: nights and weekends are not known. Most collections "
            "slow down towards their end; that is allowed for.",
        ]
    assert found.people is not None
    assert found.practice is not None
    assert found.leaves is not None
    lines.append(
        f"About {ratio(found.people, 0)} people still work on it; one leaves with a probability "
        f"of {percent(found.leaves)} a day; work gets {percent(found.practice)} faster while "
        "somebody makes twice as many."
    )
    weights = zip(_DAYS, found.working_days or (), strict=False)
    rest = [day for day, weight in weights if weight < _REST]
    if rest:
        lines.append(f"Hardly any work on: {', '.join(rest)}.")
    return lines
