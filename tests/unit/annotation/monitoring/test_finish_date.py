from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.monitoring.finish_date import finish_date

START = pd.Timestamp("2026-01-05T09:00", tz="UTC")


def steady(count: int, minutes: float = 1.0, people: int = 2) -> pd.DataFrame:
    """A judgment every so many minutes, without a pause."""
    frame = pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(count)],
            "annotator": [f"p{n % people}" for n in range(count)],
            "label": "yes",
            "created_at": START + pd.to_timedelta(np.arange(count) * minutes, unit="m"),
        }
    )
    return validate_judgments(frame, "test")


def test_on_the_first_day_work_goes_on_at_its_pace_and_then_slower() -> None:
    found = finish_date(steady(101), 101)
    assert not found.by_days
    assert (found.people, found.working_days, found.practice, found.leaves) == (None,) * 4
    assert (found.done, found.left, found.begun) == (101, 101, START)
    assert found.per_day == pytest.approx(101 / 100 * 1440)
    pace = pd.Timedelta(minutes=100)
    assert found.earliest < found.seen_until + 2 * pace < found.latest
    assert found.expected > found.seen_until + pace


def test_steady_days_go_on() -> None:
    found = finish_date(steady(14 * 48 + 1, minutes=30), 7 * 48)
    assert found.by_days
    assert found.people == pytest.approx(2, abs=0.3)
    week = found.seen_until + pd.Timedelta(days=7)
    assert abs(found.expected - week) < pd.Timedelta(days=1)
    assert found.latest - found.earliest < pd.Timedelta(days=5)


def test_enough_past_collections_say_how_far_forecasts_are_off() -> None:
    # All of them stood still for as long again as they had worked, then ended.
    def paused(minutes: float) -> pd.DataFrame:
        whole = steady(100, minutes)
        late = whole["created_at"] + (np.arange(100) >= 50).astype(int) * pd.Timedelta(
            minutes=50 * minutes
        )
        return whole.assign(created_at=late)

    past = [paused(1 + n / 10) for n in range(9)]
    now = steady(50)
    found = finish_date(now, 50, past=past)
    assert found.past == 9
    true = found.seen_until + pd.Timedelta(minutes=100)
    assert abs(found.expected - true) < pd.Timedelta(minutes=2)
    assert found.latest - found.earliest < pd.Timedelta(minutes=2)
    alone = finish_date(now, 50)
    assert finish_date(now, 50, past=past[:8]) == alone  # too few for 80 %
    assert finish_date(now, 50, past=[steady(10)] * 9) == alone  # too short to learn from


def test_nothing_left_is_done_now() -> None:
    for rows in (steady(30), steady(400, minutes=20)):
        found = finish_date(rows, 0)
        assert found.expected - found.seen_until < pd.Timedelta(minutes=1)


def test_days_begin_in_the_zone() -> None:
    rows = steady(3 * 48 + 30, minutes=30)  # from Monday 9:00 to Thursday 23:30 in UTC
    assert finish_date(rows.iloc[:-40], 10, zone="UTC").by_days
    assert not finish_date(rows.iloc[:-40], 10, zone="America/Los_Angeles").by_days


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (steady(30), {"left": -1}, "judgments left should be at least 0; got -1"),
        (steady(19), {}, "19 judgments have a label and a time stamp"),
        (steady(30).assign(created_at=START), {}, "all judgments have the same time stamp"),
        (steady(30), {"confidence": 1.0}, "confidence should be within 0 and 1; got 1"),
        (steady(30), {"left": 10**14}, "would take more than 50 years at the pace that was seen"),
        (steady(400, 20), {"left": 10**14}, "would take more than 50 years"),
        (steady(30), {"zone": "Mars"}, "time zone 'Mars' is unknown"),
    ],
)
def test_what_cannot_be_forecast_is_said(
    rows: pd.DataFrame, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        finish_date(rows, **{"left": 10, **options})
