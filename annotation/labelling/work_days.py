"""When simulated annotators hand in their judgments: one after the other, day after day."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

START = pd.Timestamp("2026-01-05T09:00:00", tz="UTC")
_BETWEEN = 2.0  # seconds from one judgment to the next, on average


def time_stamps(
    annotator: NDArray[np.int64],
    seconds: NDArray[np.float64],
    hours_per_day: float,
    rng: np.random.Generator,
) -> pd.Series:
    """When every judgment is handed in, (judgments,), datetime64[us, UTC].

    Annotators work `hours_per_day` from nine o'clock and leave for the day with the first judgment
    that goes beyond them; then they go on the next day. Judgments of one annotator are made in the
    order given, with a short pause before each, so that the time between two stamps is never less
    than the second one's seconds. `annotator` and `seconds` (judgments,).
    """
    pause = rng.exponential(_BETWEEN, annotator.size)
    by_annotator = np.argsort(annotator, kind="stable")
    took = (seconds + pause)[by_annotator]
    who = annotator[by_annotator]
    first = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    total = np.cumsum(took)
    before = np.repeat(np.r_[0.0, total[first[1:] - 1]], np.diff(np.r_[first, who.size]))
    worked = total - before  # seconds of work so far, of this annotator
    limit = 3600 * hours_per_day
    begun_after = np.maximum(worked - took, 0.0)  # never below, whatever rounding does
    day = np.floor(begun_after / limit)  # the day on which the judgment was begun
    # What a day's last judgment takes beyond its end does not shorten the next day.
    new_day = np.flatnonzero(np.r_[True, (who[1:] != who[:-1]) | (day[1:] != day[:-1])])
    lengths = np.diff(np.r_[new_day, worked.size])
    begun = np.repeat((worked - took)[new_day], lengths)
    elapsed = np.empty(worked.size)
    elapsed[by_annotator] = day * 86400 + worked - begun
    since = pd.Series(pd.to_timedelta(np.round(elapsed * 1e6), unit="us"))
    return (since + START).dt.as_unit("us")
