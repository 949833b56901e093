"""How much annotators get done in a day, and how many are needed to be done in time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.errors import InputError
from annotation.judgments.intervals import CONFIDENCE, Interval, ratio_interval
from annotation.judgments.timing import Timing, WorkTime


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

    `hours` of work are needed in all.
    """

    hours: float
    annotators: int
    annotators_to_be_safe: int
    days: float
    hours_per_day: float


def throughput(timing: Timing, confidence: float = CONFIDENCE) -> Throughput:
    """What annotators get done in a day; the interval takes annotators for a sample of theirs."""
    created = timing.judgments["created_at"]
    known = created.notna().to_numpy()
    if not known.any():
        return Throughput(Interval(None, None, None), None, 0)
    day = created[known].dt.floor("D").dt.tz_localize(None).to_numpy().astype(np.int64)
    who = timing.annotator[known]
    keys = pd.DataFrame({"annotator": who, "day": day})
    keys["labels"] = timing.labelled[known]
    keys["seconds"] = np.nan_to_num(timing.seconds[known])
    days = keys.groupby(["annotator", "day"], sort=True).sum().reset_index()
    labels = days["labels"].to_numpy(dtype=np.float64)
    person = days["annotator"].to_numpy(dtype=np.int64)
    found = ratio_interval(
        labels, np.ones(labels.size), np.arange(labels.size), person, "like_these", confidence
    )
    hours = float(days["seconds"].mean()) / 3600
    return Throughput(found, hours if hours > 0 else None, int(labels.size))


def staffing(
    wanted: Mapping[str, int],
    work: Mapping[str, WorkTime],
    days: float,
    hours_per_day: float,
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
        Hours that an annotator works on items in a day.

    Raises
    ------
    InputError
        If a number is not above 0, or a stratum has no measured time.
    """
    for name, value in (("days", days), ("hours per day", hours_per_day)):
        if not 0 < value < math.inf:
            raise InputError(f"{name} should be a number above 0; got {value:g}.")
    expected = upper = 0.0
    for stratum, judgments in wanted.items():
        if judgments < 0:
            raise InputError(
                f"stratum '{stratum}': the number of judgments should not be negative; got "
                f"{judgments}."
            )
        time = work[stratum].per_label if stratum in work else None
        if time is None or time.estimate is None:
            known = [name for name, each in work.items() if each.per_label.estimate is not None]
            raise InputError(
                f"stratum '{stratum}' has no measured times; there are some for: "
                f"{', '.join(known) or 'none'}."
            )
        expected += judgments * time.estimate / 3600
        upper += judgments * (time.high if time.high is not None else time.estimate) / 3600
    capacity = days * hours_per_day
    return Staffing(
        hours=expected,
        annotators=math.ceil(expected / capacity),
        annotators_to_be_safe=math.ceil(upper / capacity),
        days=days,
        hours_per_day=hours_per_day,
    )
