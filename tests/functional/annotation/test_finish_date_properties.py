"""Finish dates of teams that work, rest, learn and leave."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd

from annotation.judgments.table import validate_judgments
from annotation.monitoring.finish_date import finish_date

SHARES = (0.25, 0.5, 0.75)  # of the work, at which forecasts are made


def team_work(rng: np.random.Generator, judgments: int) -> pd.DataFrame:
    """A team that works on weekdays, gets faster by practice, and of whom some leave or join."""
    rows: list[tuple[int, pd.Timestamp, float]] = []
    people = [(n, rng.lognormal(3.5, 0.4), 0) for n in range(8)]
    day, coming = pd.Timestamp("2026-01-05"), 8
    day += pd.Timedelta(days=int(rng.integers(0, 5)))
    leave, join = rng.uniform(0.0, 0.03), rng.uniform(0.0, 0.25)
    while len(rows) < judgments:
        if day.weekday() < 5:
            staying = []
            for name, seconds, made in people:
                if rng.random() < 0.85:
                    clock, end = 9 * 3600.0, 3600 * rng.uniform(10, 11)
                    while clock < end:
                        took = seconds * (1 + made) ** -0.12 * rng.lognormal(1.5, 0.5)
                        clock += took
                        made += 1
                        rows.append((name, day + pd.Timedelta(seconds=clock), took))
                if rng.random() >= leave:
                    staying.append((name, seconds, made))
            people = staying
            for _ in range(rng.poisson(join) if people else 1):
                people.append((coming, rng.lognormal(3.5, 0.4), 0))
                coming += 1
        day += pd.Timedelta(days=1)
    rows = sorted(rows, key=lambda row: row[1])[:judgments]
    frame = pd.DataFrame(rows, columns=["annotator", "created_at", "seconds"])
    frame["annotator"] = "p" + frame["annotator"].astype(str)
    frame["item_id"] = [f"i{row}" for row in range(len(frame))]
    return validate_judgments(frame.assign(label="yes"), "simulated")


def covered(whole: pd.DataFrame, share: float, past: tuple[pd.DataFrame, ...] = ()) -> bool:
    whole = whole.sort_values("created_at", kind="stable")
    done = math.ceil(share * len(whole))
    found = finish_date(whole.iloc[:done].reset_index(drop=True), len(whole) - done, past=past)
    assert found.seen_until <= found.earliest <= found.expected <= found.latest
    return bool(found.earliest <= whole["created_at"].iloc[-1] <= found.latest)


def test_intervals_hold_for_teams_with_weekends_practice_and_leaving() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(40):
        whole = team_work(rng, int(rng.integers(1500, 4000)))
        held += [covered(whole, share) for share in SHARES]
    assert 0.7 <= np.mean(held) <= 0.92  # of 80 %; three looks at a team are not independent


def test_weekends_practice_and_leaving_are_seen() -> None:
    whole = team_work(np.random.default_rng(5), 4000)
    found = finish_date(whole.iloc[:3000], 1000)
    assert found.by_days
    assert found.working_days is not None
    assert found.practice is not None
    assert max(found.working_days[5:]) < 0.2 < 0.7 < min(found.working_days[:5])
    assert 0.03 < found.practice < 0.13  # 1 - 2 ** -.12 is .08
    for end in (found.earliest, found.expected, found.latest):
        assert end.weekday() < 5
        assert 9 <= end.hour <= 20


def test_more_work_takes_longer_and_more_confidence_is_wider() -> None:
    whole = team_work(np.random.default_rng(2), 1500)
    for rows in (whole, whole.iloc[:100]):  # by days, and within one
        ends = [finish_date(rows, left).expected for left in (0, 50, 500, 5000)]
        assert all(one <= other for one, other in pairwise(ends))
        narrow, wide = (finish_date(rows, 500, confidence=c) for c in (0.5, 0.9))
        assert wide.earliest <= narrow.earliest <= narrow.latest <= wide.latest
