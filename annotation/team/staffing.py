"""How much annotators get done in a day, and how many are needed to be done in time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from annotation.errors import InputError
from annotation.intervals import (
    CONFIDENCE,
    NOTHING,
    Interval,
    Scope,
    ratio_interval,
)
from annotation.team.timing import Timing, WorkTime

HOURS_OF_A_DAY = 24


@dataclass(frozen=True)
class Throughput:
    """Labels and hours of work in a day on which an annotator worked at all.

    `annotator_days` such days were seen, by the days of `created_at` in UTC.
    """

    labels_per_day: Interval
    hours_per_day: float | None
    annotator_days: int


@dataclass(frozen=True)
class Staffing:
    """People needed: at the estimated time per label, and at the upper end of its interval.

    `hours` of work are needed in all. `least` different people judge every item, however little
    work there is.
    """

    hours: float
    annotators: int
    annotators_to_be_safe: int
    days: float
    hours_per_day: float
    least: int = 1


def check_hours_per_day(hours: float) -> None:
    """Raise InputError if nobody can work so many hours a day."""
    if not 0 < hours <= HOURS_OF_A_DAY:
        raise InputError(f"hours per day should be above 0 and at most 24; got {hours:g}.")


def throughput(timing: Timing, confidence: float = CONFIDENCE) -> Throughput:
    """What annotators get done in a day; the interval takes annotators for a sample of theirs."""
    return _throughput(_days(timing), "like_these", confidence)


def annotator_throughput(timing: Timing, confidence: float = CONFIDENCE) -> list[Throughput]:
    """What every annotator gets done in a day, in the order of `timing.annotators`."""
    days = _days(timing)
    ends = np.searchsorted(days["annotator"].to_numpy(), np.arange(len(timing.annotators) + 1))
    return [_throughput(days.iloc[start:end], "these", confidence) for start, end in pairwise(ends)]


def _days(timing: Timing) -> pd.DataFrame:
    """Labels and seconds of every annotator on every day that he worked, annotator by annotator."""
    created = timing.judgments["created_at"]
    known = created.notna().to_numpy()
    day = created[known].dt.floor("D").dt.tz_localize(None).to_numpy().astype(np.int64)
    who = timing.annotator[known]
    keys = pd.DataFrame({"annotator": who, "day": day})
    keys["labels"] = timing.labelled[known]
    keys["seconds"] = np.nan_to_num(timing.seconds[known])
    return keys.groupby(["annotator", "day"], sort=True).sum().reset_index()


def _throughput(days: pd.DataFrame, scope: Scope, confidence: float) -> Throughput:
    if days.empty:
        return Throughput(NOTHING, None, 0)
    labels = days["labels"].to_numpy(dtype=np.float64)
    person = days["annotator"].to_numpy(dtype=np.int64)
    found = ratio_interval(
        labels, np.ones(labels.size), np.arange(labels.size), person, scope, confidence
    )
    hours = float(days["seconds"].mean()) / 3600
    return Throughput(found, hours if hours > 0 else None, int(labels.size))


def staffing(
    wanted: Mapping[str, int],
    work: Mapping[str, WorkTime],
    days: float,
    hours_per_day: float,
    judgments_per_label: int = 1,
) -> Staffing:
    """How many annotators finish so many judgments in so many days.

    Parameters
    ----------
    wanted
        Stratum -> judgments that should end in a label (labels times judgments per label).
    work
        Stratum -> its measured times.
    days
        Working days until the deadline.
    hours_per_day
        Hours that an annotator works on items in a day, at most 24.
    judgments_per_label
        By as many different people.

    Raises
    ------
    InputError
        If a number is not above 0, a day too long, or a stratum has no measured time.
    """
    if not 0 < days < math.inf:
        raise InputError(f"days should be a number above 0; got {days:g}.")
    check_hours_per_day(hours_per_day)
    expected = upper = 0.0
    for stratum, judgments in wanted.items():
        if judgments < 0:
            raise InputError(
                f"stratum '{stratum}': the number of judgments should not be negative; got "
                f"{judgments}."
            )
        time = work[stratum].with_cancelled if stratum in work else None
        if time is None or time.estimate is None:
            known = [
                name for name, each in work.items() if each.with_cancelled.estimate is not None
            ]
            raise InputError(
                f"stratum '{stratum}' has no measured times; there are some for: "
                f"{', '.join(known) or 'none'}."
            )
        expected += judgments * time.estimate / 3600
        upper += judgments * (time.high if time.high is not None else time.estimate) / 3600
    capacity = days * hours_per_day
    least = judgments_per_label if any(wanted.values()) else 0
    return Staffing(
        hours=expected,
        annotators=max(least, math.ceil(expected / capacity)),
        annotators_to_be_safe=max(least, math.ceil(upper / capacity)),
        days=days,
        hours_per_day=hours_per_day,
        least=least,
    )
