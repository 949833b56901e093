"""When the judgments that are left will be done: people come, work, get faster, rest and leave."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.monitoring.time_signal import practice_slope
from annotation.team.pay import time_zone

_MOST_YEARS = 50
FEWEST = 20  # judgments; of fewer, no pace is known
CONFIDENCE = 0.8
_PATHS = 300
_FEWEST_DAYS = 4  # seen; of fewer, neither days of the week nor who left are known
_MOST_PERIODS = 400  # that are simulated; what is left then goes on at the mean pace so far
_MOST_LEARNT = -0.4  # slope of log seconds by practice; steeper ones are chance
_UNKNOWN_WEEKEND = 0.5  # probability that people work on a Saturday or Sunday, where none was seen
_WEEKDAY_PRIOR = 1.0  # days of usual work that every day of the week begins with
# Of the log of time left. Where no whole days were seen, work goes on more slowly than before (the
# last items wait for people who have not judged them yet), and how much more slowly varies: mean
# and standard deviation of past collections. Of the log of work left: what no simulated path has.
_SLOWER, _SPREAD_OF_PARTS = 0.90, 0.57
_SPREAD_OF_DAYS = 0.1


@dataclass(frozen=True)
class FinishDate:
    """When the work will be done.

    Attributes
    ----------
    done, left
        Judgments with a label so far, and those that are left.
    begun, seen_until
        The first and the last time stamp; the forecast is made at the second.
    expected, earliest, latest
        Median, and the ends of the interval of this `confidence`.
    per_day
        Judgments a day, on average so far.
    by_days
        Whether at least four days were seen, so that days of the week count and people's coming
        and going can be told; else nights, weekends, and the four fields below are not known.
    people
        Annotators who probably still work on it.
    working_days
        By weekday from Monday on, how much is done against an average day.
    practice
        By how much a judgment gets faster while somebody makes twice as many, e.g. .1.
    leaves
        Probability that somebody who works on it leaves within a day.
    past
        Finished collections that the interval was learnt from.
    """

    done: int
    left: int
    begun: pd.Timestamp
    seen_until: pd.Timestamp
    expected: pd.Timestamp
    earliest: pd.Timestamp
    latest: pd.Timestamp
    confidence: float
    per_day: float
    by_days: bool
    people: float | None
    working_days: tuple[float, ...] | None
    practice: float | None
    leaves: float | None
    past: int


@dataclass(frozen=True)
class _Seen:
    """Judgments of every annotator on every day, (annotators, days).

    `weekday` (days,) from Monday on; `share` of the last day's work that is over; `moments` are
    times of day of judgments, as shares of a day, in order.
    """

    counts: IntArray
    weekday: IntArray
    share: float
    moments: Array


def finish_date(
    judgments: pd.DataFrame,
    left: int,
    *,
    past: Sequence[pd.DataFrame] = (),
    zone: str = "UTC",
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> FinishDate:
    """When so many more judgments will be done, as seen at the last time stamp of the table.

    Where at least four days were seen, the days to come are simulated, many times: people come as
    often as they did lately, are there on a day with a certain probability (days of the week have
    their own share of work), do as much as each did, get faster by practice, and leave. All these
    numbers are drawn, as sure as the table lets them be. Where less was seen, work goes on at the
    mean pace so far, but more slowly towards the end, as past collections did.

    With enough finished collections in `past` the interval is learnt from them instead: each is
    forecast at the same share of its work, and the interval holds as many of their errors as it
    should (split conformal prediction: Vovk, Gammerman and Shafer 2005).

    Parameters
    ----------
    judgments
        A valid judgment table: the collection so far.
    left
        Judgments with a label that are still to be made.
    past
        Valid judgment tables of collections of this kind that are finished.
    zone
        Time zone in which days begin.
    confidence
        Of the interval.
    seed
        Of what is drawn.

    Raises
    ------
    InputError
        If fewer than `FEWEST` judgments have a label and a time stamp, all have the same one, a
        number is out of range, or the work would take half a century.
    """
    if left < 0:
        raise InputError(f"judgments left should be at least 0; got {left}.")
    if not 0 < confidence < 1:
        raise InputError(f"the confidence should be within 0 and 1; got {confidence:g}.")
    place = time_zone(zone)
    made = _made(judgments)
    forecast = _forecast(made, left, place, confidence, seed)
    errors = _past_errors(past, len(made) / (len(made) + left), place, confidence, seed)
    ends = _learnt_ends(errors, confidence)
    if ends is None:
        return forecast
    ahead = (forecast.expected - forecast.seen_until).total_seconds()
    earliest, middle, latest = (
        _after(forecast.seen_until, ahead * float(np.exp(end)), left) for end in ends
    )
    return replace(forecast, expected=middle, earliest=earliest, latest=latest, past=len(errors))


def _after(moment: pd.Timestamp, seconds: float, left: int) -> pd.Timestamp:
    if seconds > _MOST_YEARS * 365 * 86_400:
        raise _too_late(left)
    return moment + pd.Timedelta(seconds=seconds)


def _too_late(left: int) -> InputError:
    return InputError(
        f"{left:,} judgments would take more than {_MOST_YEARS} years at the pace that was seen; "
        "give fewer judgments that are left."
    )


def _made(judgments: pd.DataFrame) -> pd.DataFrame:
    """Judgments with a label and a time stamp, in order of time."""
    made = judgments[~judgments["cancelled"] & judgments["created_at"].notna()]
    return made.sort_values("created_at", kind="stable")


def _forecast(
    made: pd.DataFrame, left: int, place: ZoneInfo, confidence: float, seed: int
) -> FinishDate:
    """What the collection alone tells."""
    from scipy.stats import norm  # half a second to load

    if len(made) < FEWEST:
        raise InputError(
            f"{len(made)} judgments have a label and a time stamp; a finish date needs at least "
            f"{FEWEST}."
        )
    first, last = made["created_at"].iloc[0], made["created_at"].iloc[-1]
    elapsed = (last - first).total_seconds()
    if elapsed <= 0:
        raise InputError(
            "all judgments have the same time stamp, as an import gives them; a finish date needs "
            "the times at which they were made."
        )
    tail = (1 - confidence) / 2
    shares = np.array([tail, 0.5, 1 - tail])
    local = made["created_at"].dt.tz_convert(place).dt.tz_localize(None)
    days = local.to_numpy().astype("datetime64[D]").astype(np.int64)
    team, slope = None, 0.0
    if days[-1] - days[0] + 1 < _FEWEST_DAYS:
        later = elapsed * left / len(made) * np.exp(_SLOWER + _SPREAD_OF_PARTS * norm.ppf(shares))
        ends = [_after(last, float(each), left) for each in later]
    else:
        who, _ = pd.factorize(made["annotator"].to_numpy(dtype=object))
        seen = _days(local, who)
        slope = _slope(made, who)
        rng = np.random.default_rng(seed)
        team = _Team(seen, slope, rng)
        need = left * np.exp(_SPREAD_OF_DAYS * rng.standard_normal(_PATHS))
        periods = team.periods_until(need)
        if np.quantile(periods, shares[-1]) > _MOST_YEARS * 365:
            raise _too_late(left)
        ends = [
            max(last, _moment(each, seen, local.iloc[-1], place))
            for each in np.quantile(periods, shares)
        ]
    return FinishDate(
        done=len(made),
        left=left,
        begun=first,
        seen_until=last,
        earliest=ends[0],
        expected=ends[1],
        latest=ends[2],
        confidence=confidence,
        per_day=len(made) / elapsed * 86_400,
        by_days=team is not None,
        people=None if team is None else team.people,
        working_days=None if team is None else tuple(float(each) for each in team.weekdays),
        practice=None if team is None else float(1 - 2**slope),
        leaves=None if team is None else team.leaves,
        past=0,
    )


def _past_errors(
    past: Sequence[pd.DataFrame], share: float, place: ZoneInfo, confidence: float, seed: int
) -> Array:
    """Log of time left against the expected one, at this share of the work, (collections,)."""
    errors = []
    for table in past:
        made = _made(table)
        done = math.ceil(share * len(made))
        if not FEWEST <= done < len(made):
            continue
        stamps = made["created_at"]
        now = stamps.iloc[done - 1]
        took = (stamps.iloc[-1] - now).total_seconds()
        if now == stamps.iloc[0] or took <= 0:
            continue
        found = _forecast(made.iloc[:done], len(made) - done, place, confidence, seed)
        expected = (found.expected - now).total_seconds()
        errors.append(math.log(took / max(expected, 1.0)))
    return np.sort(errors)


def _learnt_ends(errors: Array, confidence: float) -> tuple[float, float, float] | None:
    """The ends and the middle of errors; None where they are too few for this confidence."""
    count = errors.size
    upper = math.ceil((1 + confidence) / 2 * (count + 1))
    if upper > count:
        return None
    return float(errors[count - upper]), float(np.median(errors)), float(errors[upper - 1])


def _days(local: pd.Series, who: IntArray) -> _Seen:
    moment = local.to_numpy().astype("datetime64[us]")
    midnight = moment.astype("datetime64[D]")
    day = midnight.astype(np.int64)
    count = int(day[-1] - day[0]) + 1
    counts = np.zeros((int(who.max()) + 1, count), dtype=np.int64)
    np.add.at(counts, (who, day - day[0]), 1)
    shares = (moment - midnight) / np.timedelta64(1, "D")
    earlier = np.sort(shares[day < day[-1]])
    over = float(np.searchsorted(earlier, shares[-1])) / earlier.size
    weekday = (day[0] + np.arange(count) + 3) % 7  # 1970 began on a Thursday
    return _Seen(counts, weekday, min(max(over, 0.05), 1.0), earlier)


def _moment(periods: float, seen: _Seen, now: pd.Timestamp, place: ZoneInfo) -> pd.Timestamp:
    """The time stamp after so many periods; the first is what is left of the day that has begun."""
    number, part = int(periods), periods - int(periods)
    if seen.share < 1 and number == 0:
        part = seen.share + part * (1 - seen.share)
    days = number + (1 if seen.share >= 1 else 0)
    of_day = float(np.quantile(seen.moments, part))
    local = now.normalize() + pd.Timedelta(days=days + of_day)
    local = local.tz_localize(place, ambiguous=False, nonexistent="shift_forward")
    return local.tz_convert("UTC")


class _Team:
    """What people did so far, with draws of what that leaves open, (paths,)."""

    def __init__(self, seen: _Seen, slope: float, rng: np.random.Generator) -> None:
        counts, periods = seen.counts, seen.counts.shape[1]
        self._seen, self._slope, self._rng = seen, slope, rng
        exposure = np.ones(periods)
        exposure[-1] = seen.share
        self.weekdays, self._unknown = _weekdays(counts, seen.weekday, exposure)
        weight = self.weekdays[seen.weekday]
        there = counts > 0
        place = np.arange(periods)
        first = there.argmax(axis=1)
        last = periods - 1 - there[:, ::-1].argmax(axis=1)
        between = (place > first[:, None]) & (place < last[:, None])
        came, might = float((there & between).sum()), float((between * weight).sum())
        self._present = rng.beta(came + 1, max(might - came, 0.0) + 0.5, _PATHS)
        silent = weight * exposure
        self._silent = np.array([silent[end + 1 :].sum() for end in last])
        stayed = np.array([weight[a:b].sum() for a, b in zip(first, last, strict=True)])
        self._leave, self._still = self._leaving(stayed)
        self._arrive = self._arriving(first, weight * exposure)
        worked = there * exposure
        self._usual = counts.sum() / worked.sum()
        self._pace = (counts.sum(axis=1) + self._usual) / (worked.sum(axis=1) + 1)
        self._made = counts.sum(axis=1)
        relative = (
            counts[there] / np.broadcast_to(self._pace[:, None] * exposure, counts.shape)[there]
        )
        self._shape = float(np.clip(1 / max(relative.var(), 1e-9), 0.5, 20.0))
        self.people = float(self._still.mean(axis=0).sum())
        self.leaves = float(np.median(self._leave))

    def _leaving(self, stayed: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Probability of leaving in a period, (paths,); who is still there, (paths, annotators)."""
        rng = self._rng
        grid: Array = 0.002 * (0.9 / 0.002) ** (np.arange(60) / 59)
        present = float(np.median(self._present))
        gone, still = _silence(grid[:, None], present, self._silent)
        log_likelihood = (stayed * np.log1p(-grid)[:, None] + np.log(gone + still)).sum(axis=1)
        weight = np.exp(log_likelihood - log_likelihood.max())
        leave = rng.choice(grid, size=_PATHS, p=weight / weight.sum())
        gone, still = _silence(leave[:, None], self._present[:, None], self._silent)
        return leave, rng.random(still.shape) < still / (gone + still)

    def _arriving(self, first: IntArray, exposure: Array) -> Array:
        """New people in a period of usual work, (paths,); late periods count more."""
        periods = exposure.size
        forgetting = 0.5 ** ((periods - 1 - np.arange(periods)) / max(2.0, periods / 3))
        forgetting[0] = 0.0  # whoever is there at the beginning did not come to work that goes on
        new = np.bincount(first, minlength=periods)
        return self._rng.gamma((new * forgetting).sum() + 0.25, 1.0, _PATHS) / max(
            float((exposure * forgetting).sum()), 0.5
        )

    def periods_until(self, left: Array) -> Array:
        """Periods, with their parts, until so many judgments are made, (paths,) both."""
        rng, seen = self._rng, self._seen
        weights = self._drawn_weekdays()
        here = self._still.any(axis=0)
        still = self._still[:, here]
        pace, before = self._pace[here], self._made[here]
        made = np.zeros(still.shape)
        new = np.zeros(_PATHS, dtype=np.int64)
        need = left.copy()
        took = np.full(_PATHS, np.nan)
        took[need <= 0] = 0.0
        leave, present = self._leave, self._present
        for period in range(_MOST_PERIODS):
            if not np.isnan(took).any():
                break
            if not still.any(axis=0).all():  # whom no path has any longer
                kept = still.any(axis=0)
                still, made = still[:, kept], made[:, kept]
                pace, before = pace[kept], before[kept]
            # The first is what is left of a day that has begun.
            number = period if seen.share >= 1 else period - 1
            part = 1.0 if number >= 0 else 1 - seen.share
            weight = weights[:, (seen.weekday[-1] + 1 + number) % 7]
            chance = np.minimum(present * weight, 1.0)
            works = still & (rng.random(still.shape) < chance[:, None])
            faster = ((1 + before + made) / (1 + before / 2)) ** -self._slope
            amount = rng.gamma(self._shape, 1 / self._shape, works.shape)
            own = works * pace * faster * amount * part
            made += own
            new += rng.poisson(self._arrive * weight * part)
            at_work = rng.binomial(new, chance)
            others = (
                self._usual
                * part
                * rng.gamma(np.maximum(at_work * self._shape, 1e-9))
                / self._shape
            )
            done = own.sum(axis=1) + others
            ends = np.isnan(took) & (need <= done)
            took[ends] = period + need[ends] / done[ends]
            need -= done
            leaving = np.minimum(leave * weight * part, 1.0)
            still &= rng.random(still.shape) >= leaving[:, None]
            new -= rng.binomial(new, leaving)
        mean = seen.counts.sum() / seen.counts.shape[1]
        return np.where(np.isnan(took), _MOST_PERIODS + need / mean, took)

    def _drawn_weekdays(self) -> Array:
        """Work on every day of the week against an average day, (paths, 7)."""
        weights = np.tile(self.weekdays, (_PATHS, 1))
        works = self._rng.random(_PATHS) < _UNKNOWN_WEEKEND
        weights[:, self._unknown] *= works[:, None]
        return weights


def _weekdays(counts: IntArray, weekday: IntArray, exposure: Array) -> tuple[Array, IntArray]:
    """Work on every day of the week against an average one, (7,); weekend days not seen yet.

    Shrunk to an average day, which is right for days that were not seen.
    """
    seen = np.bincount(weekday, exposure, 7)
    done = np.bincount(weekday, counts.sum(axis=0), 7)
    usual = done.sum() / seen[done > 0].sum()  # of days on which anybody works
    weights = (done / usual + _WEEKDAY_PRIOR) / (seen + _WEEKDAY_PRIOR)
    weights[(done == 0) & (seen > 0)] /= 1 + 4 * seen[(done == 0) & (seen > 0)]  # a day of rest
    weekend = np.array([5, 6])
    unknown = weekend[seen[weekend] == 0]
    if unknown.size == 1:  # the other day tells
        weights[unknown] = weights[weekend[seen[weekend] > 0]]
        unknown = unknown[:0]
    return weights, unknown


def _silence(leave: Array, present: Array | float, silent: Array) -> tuple[Array, Array]:
    """Probabilities of so long a silence, by who has left and by who is still there.

    He left after one of the silent periods, or right after his last judgment. `silent` may be parts
    of periods; the sum over the time of leaving is a geometric series.
    """
    each = (1 - leave) * (1 - present)
    still = each**silent
    gone = leave * (1 - still) / np.maximum(1 - each, 1e-9)
    return gone, still


def _slope(made: pd.DataFrame, who: IntArray) -> float:
    """Of log seconds against log judgments made before, within annotators; 0 where not known."""
    seconds = made["seconds"].to_numpy()
    timed = np.flatnonzero(~np.isnan(seconds))
    if timed.size < FEWEST:
        return 0.0
    before = made.groupby(who, sort=False).cumcount().to_numpy()
    slope = practice_slope(seconds[timed], who[timed], before[timed])
    return min(max(slope, _MOST_LEARNT), 0.0)
