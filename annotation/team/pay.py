"""Who is owed what for which day, week or month, and what an hour's work made of it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.errors import InputError, short
from annotation.spreadsheet_cells import guarded_row
from annotation.team.label_cost import rounded_up
from annotation.team.roles import roles_of
from annotation.team.timing import IDLE_CAP, Timing
from annotation.terms.cost import money

Period = Literal["day", "week", "month", "all"]
CENTS = 2
_MOST_DECIMALS = 6
_UNDATED = np.iinfo(np.int64).min
_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = np.datetime64("1900-01-01"), np.datetime64("2999-12-31")

PAY_COLUMNS = (
    *("annotator", "role", "period", "first_day", "last_day"),
    *("judgments", "cancelled", "over_asked", "seconds", "untimed", "breaks"),
    *("per_judgment", "per_hour", "due", "hourly_pay", "currency"),
)


@dataclass(frozen=True)
class PayTerms:
    """What annotators are paid by the hour, by the judgment with a label, or by both.

    Amounts by annotator or role, and for everybody else (None: nothing is said of them). An
    annotator's own amount counts before his role's, by the hour and by the judgment apart.

    Raises InputError if an amount is negative or no number.
    """

    per_hour: Mapping[str, Decimal] = field(default_factory=dict)
    usual_per_hour: Decimal | None = None
    per_judgment: Mapping[str, Decimal] = field(default_factory=dict)
    usual_per_judgment: Decimal | None = None

    def __post_init__(self) -> None:
        usual = (self.usual_per_hour, self.usual_per_judgment)
        for amount in (*self.per_hour.values(), *self.per_judgment.values(), *usual):
            if amount is not None:
                money(amount)

    def of_annotator(self, annotator: str, role: str | None) -> tuple[Decimal, Decimal]:
        """What an annotator gets per hour and per judgment; 0 of what is not told.

        Raises InputError if neither is told.
        """
        hourly = _told(self.per_hour, self.usual_per_hour, annotator, role)
        piece = _told(self.per_judgment, self.usual_per_judgment, annotator, role)
        if hourly is None and piece is None:
            raise InputError(
                f"nothing says what annotator {short(annotator)} (role: {role or 'none'}) is paid; "
                "give an amount per hour or per judgment for the annotator, for the role, or for "
                "all others."
            )
        return hourly or Decimal(0), piece or Decimal(0)


@dataclass(frozen=True)
class PayRow:
    """What one annotator is owed for one period.

    `period` is a day (2026-01-05), a week of ISO 8601 (2026-W02), a month (2026-01) or "all";
    `first_day` and `last_day` are its ends. All three are None for judgments without a time stamp.

    `judgments` have a label, `over_asked` of them were more than was asked for; `cancelled` ones
    have none. `seconds` are those of all of them, each at most the idle cap, which `breaks` of them
    were above; of `untimed` ones no seconds are known. `due` is rounded up to the smallest unit.
    `hourly_pay` is what the judgments with a time are paid, per hour of that time; None where there
    is none.
    """

    annotator: str
    role: str | None
    period: str | None
    first_day: date | None
    last_day: date | None
    judgments: int
    cancelled: int
    over_asked: int
    seconds: Decimal
    untimed: int
    breaks: int
    per_judgment: Decimal
    per_hour: Decimal
    due: Decimal
    hourly_pay: Decimal | None


@dataclass(frozen=True)
class PaySheet:
    """Rows by annotator and period, in order of names and days.

    `due` is their sum. `over_asked_due` is what judgments beyond those asked for earn by the
    judgment; it is part of the sum. `unpaid_hours` counts judgments without a time by annotators
    who are paid by the hour: nothing is in the sheet for their time.
    """

    rows: tuple[PayRow, ...]
    due: Decimal
    over_asked_due: Decimal
    unpaid_hours: int
    zone: str
    decimals: int


def pay_sheet(
    judgments: pd.DataFrame,
    terms: PayTerms,
    *,
    period: Period = "month",
    zone: str = "UTC",
    asked: int | None = None,
    pay_over_asked: bool = True,
    roles: Mapping[str, str] | None = None,
    idle_cap: float = IDLE_CAP,
    decimals: int = CENTS,
) -> PaySheet:
    """What every annotator is owed for every period.

    Every row of the table is work: judgments with a label earn the amount per judgment, and the
    time of all, cancelled ones too, earns the amount per hour. A time above the idle cap counts as
    the cap. So a day's pay depends on that day alone, and later judgments cannot change it.

    Parameters
    ----------
    judgments
        A valid judgment table.
    terms
        What is paid.
    period, zone
        How work is divided by `created_at`, at midnight of this time zone ("Europe/Berlin").
    asked
        Judgments asked for of every item. In order of time, what comes after so many people is
        over-asked, and so is a second judgment by the same annotator. None: nothing is.
    pay_over_asked
        Whether these earn the amount per judgment too. Their time is paid in any case.
    roles
        Annotator -> role, where the table tells another or none.
    idle_cap
        Seconds that a judgment counts for at most.
    decimals
        Decimal places of the currency's smallest unit.

    Raises
    ------
    InputError
        If somebody has no pay, pay or a role is told of somebody who is not there, the zone or the
        period is unknown, or a number is out of its range.
    """
    check_period(period)
    if asked is not None and asked < 1:
        raise InputError(f"judgments asked for should be at least 1; got {asked}.")
    if not 0 <= decimals <= _MOST_DECIMALS:
        raise InputError(f"decimal places should be within 0 and {_MOST_DECIMALS}; got {decimals}.")
    timing = Timing(judgments, idle_cap, floor=0.0)
    role = roles_of(judgments, timing, roles or {})
    _check_names(terms, timing, role)
    over = np.zeros(len(judgments), dtype=bool) if asked is None else over_asked(judgments, asked)
    start = period_starts(judgments["created_at"], period, zone)
    groups = _sums(timing, start, over)
    rows, over_due, unpaid = [], Fraction(0), 0
    for (code, first), sums in groups:
        name = str(timing.annotators[code])
        hourly, piece = terms.of_annotator(name, role[code])
        rows.append(
            _row(name, role[code], first, period, sums, hourly, piece, pay_over_asked, decimals)
        )
        over_due += Fraction(piece) * sums["over"] if pay_over_asked else 0
        unpaid += sums["untimed"] if hourly else 0
    return PaySheet(
        rows=tuple(rows),
        due=sum((row.due for row in rows), Decimal(0)),
        over_asked_due=rounded_up(over_due, decimals),
        unpaid_hours=unpaid,
        zone=zone,
        decimals=decimals,
    )


def check_period(period: str) -> None:
    """Raise InputError unless it is one of `Period`."""
    if period not in get_args(Period):
        raise InputError(
            f"the period should be one of {', '.join(get_args(Period))}; got {short(period)}."
        )


def over_asked(judgments: pd.DataFrame, asked: int) -> NDArray[np.bool_]:
    """Judgments with a label beyond the `asked` first people's of their item, (judgments,).

    In order of `created_at`; those without one come last, in the order of the table. A second
    judgment of an item by the same annotator is always beyond.
    """
    labelled = np.flatnonzero(~judgments["cancelled"].to_numpy())
    own = judgments.iloc[labelled][["item_id", "annotator", "created_at"]]
    own = own.sort_values("created_at", kind="stable", na_position="last")
    repeated = own.duplicated(["item_id", "annotator"]).to_numpy()
    place = own[~repeated].groupby("item_id", sort=False).cumcount().to_numpy()
    beyond = repeated.copy()
    beyond[~repeated] = place >= asked
    found = np.zeros(len(judgments), dtype=bool)
    found[own.index[beyond].to_numpy()] = True
    return found


def pay_csv(sheet: PaySheet, currency: str) -> str:
    """The sheet as CSV, a row per annotator and period; a spreadsheet runs no cell of it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PAY_COLUMNS)
    for row in sheet.rows:
        values = {**vars(row), "currency": currency}
        cells = ("" if values[name] is None else str(values[name]) for name in PAY_COLUMNS)
        writer.writerow(guarded_row(cells))
    return text.getvalue()


def _told(
    named: Mapping[str, Decimal], usual: Decimal | None, annotator: str, role: str | None
) -> Decimal | None:
    for name in (annotator, role):
        if name is not None and name in named:
            return named[name]
    return usual


def check_paid(judgments: pd.DataFrame, terms: PayTerms, roles: Mapping[str, str]) -> None:
    """Check that everybody who is paid is there, and that everybody there is paid.

    Raises InputError that names the first of whom that is not so.
    """
    timing = Timing(judgments)
    role = roles_of(judgments, timing, roles)
    _check_names(terms, timing, role)
    for name, own in zip(timing.annotators, role, strict=True):
        terms.of_annotator(str(name), own)


def _check_names(terms: PayTerms, timing: Timing, roles: list[str | None]) -> None:
    """Raise InputError if pay is told of nobody who is there; it would be ignored otherwise."""
    annotators = [str(name) for name in timing.annotators]
    there = {role for role in roles if role is not None}
    for name in (*terms.per_hour, *terms.per_judgment):
        if name not in annotators and name not in there:
            raise InputError(
                f"{short(name)} is paid but is no annotator and no role; roles: "
                f"{', '.join(sorted(there)) or 'none'}; annotators: "
                f"{', '.join(sorted(annotators)[:10])}."
            )


def time_zone(name: str) -> ZoneInfo:
    """A time zone by its name in the database of the IANA.

    Raises InputError if there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"the time zone {short(name)} is unknown; give one such as Europe/Berlin or UTC."
        ) from None


def period_starts(created: pd.Series, period: Period, zone: str) -> IntArray:
    """The first day of every judgment's period, in days since 1970, (judgments,)."""
    local = (
        created.dt.tz_convert(time_zone(zone))
        .dt.tz_localize(None)
        .to_numpy()
        .astype("datetime64[D]")
    )
    known = ~np.isnat(local)
    start = np.full(len(local), _UNDATED)
    days = local[known]
    for day in days[(days < _FIRST_DAY) | (days > _LAST_DAY)][:1]:
        raise InputError(
            f"a judgment has the time stamp {day}, for which nobody is paid; correct 'created_at'."
        )
    number = days.astype(np.int64)
    if period == "week":
        number = number - (number + 3) % 7  # 1970 began on a Thursday; weeks begin on Monday
    elif period == "month":
        number = days.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    start[known] = number if period != "all" else 0
    if period == "all":
        start[:] = 0
    return start


def _sums(
    timing: Timing, start: IntArray, over: NDArray[np.bool_]
) -> list[tuple[tuple[int, int], dict[str, int]]]:
    """Whole numbers of every annotator and period, in order of names and days."""
    timed = ~np.isnan(timing.raw)
    worked = np.minimum(np.nan_to_num(timing.raw), timing.idle_cap)
    table = pd.DataFrame(
        {
            "name": timing.annotators[timing.annotator].astype(str),
            "code": timing.annotator,
            "start": start,
            "judgments": timing.labelled.astype(np.int64),
            "cancelled": (~timing.labelled).astype(np.int64),
            "over": over.astype(np.int64),
            "over_timed": (over & timed).astype(np.int64),
            "labelled_timed": (timing.labelled & timed).astype(np.int64),
            # Milliseconds are whole numbers, so that the sum is exact.
            "milliseconds": np.rint(worked * 1000).astype(np.int64),
            "untimed": (~timed).astype(np.int64),
            "breaks": timing.is_idle.astype(np.int64),
        }
    )
    summed = table.groupby(["name", "code", "start"], sort=True).sum()
    names = [str(name) for name in summed.columns]
    return [
        ((int(code), int(first)), dict(zip(names, map(int, values), strict=True)))
        for (_, code, first), values in zip(summed.index, summed.to_numpy(), strict=True)
    ]


def _row(
    name: str,
    role: str | None,
    start: int,
    period: Period,
    sums: Mapping[str, int],
    hourly: Decimal,
    piece: Decimal,
    pay_over_asked: bool,
    decimals: int,
) -> PayRow:
    hours = Fraction(sums["milliseconds"], 3_600_000)
    for_hours = Fraction(hourly) * hours
    unpaid = 0 if pay_over_asked else sums["over"]
    unpaid_timed = 0 if pay_over_asked else sums["over_timed"]
    due = for_hours + Fraction(piece) * (sums["judgments"] - unpaid)
    timed_due = for_hours + Fraction(piece) * (sums["labelled_timed"] - unpaid_timed)
    first, last, called = period_of(start, period)
    return PayRow(
        annotator=name,
        role=role,
        period=called,
        first_day=first,
        last_day=last,
        judgments=sums["judgments"],
        cancelled=sums["cancelled"],
        over_asked=sums["over"],
        seconds=Decimal(sums["milliseconds"]).scaleb(-3),
        untimed=sums["untimed"],
        breaks=sums["breaks"],
        per_judgment=piece,
        per_hour=hourly,
        due=rounded_up(due, decimals),
        hourly_pay=rounded_nearest(timed_due / hours, decimals) if hours else None,
    )


def rounded_nearest(amount: Fraction, decimals: int) -> Decimal:
    """The nearest decimal with so many places, of two the even one."""
    return Decimal(round(amount * 10**decimals)).scaleb(-decimals)


def period_of(start: int, period: Period) -> tuple[date | None, date | None, str | None]:
    """First day, last day and name of the period that begins with a day since 1970."""
    if period == "all":
        return None, None, "all"
    if start == _UNDATED:
        return None, None, None
    first = _EPOCH + timedelta(days=start)
    if period == "day":
        return first, first, first.isoformat()
    if period == "week":
        year, week, _ = first.isocalendar()
        return first, first + timedelta(days=6), f"{year}-W{week:02d}"
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, following - timedelta(days=1), f"{first:%Y-%m}"
