"""Alarms: an annotator who errs more than before, works faster or slower, and what that cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.monitoring.change_chart import (
    ChangeModel,
    ChartAlarm,
    Sequences,
    believed_levels,
    calibrated_threshold,
    change_point,
    crossings,
)
from annotation.monitoring.error_signal import ErrorModel, error_signal
from annotation.monitoring.time_signal import FASTER, NEIGHBOURS, TimeModel
from annotation.team.pay import PayTerms, rounded_nearest
from annotation.team.roles import roles_of
from annotation.team.timing import Timing
from annotation.truth.coding import Coded, code_judgments

FALSE_ALARMS = 3.0  # per 1,000 judgments
Sign = Literal["errors", "faster", "slower"]
_ERRORS_SHARE = 0.75  # of the false alarms; times tell a change much earlier than errors
_SHUFFLED = 100_000  # judgments of which the thresholds are made
_CENTS = 2
MOST_FALSE_ALARMS = 100.0


@dataclass(frozen=True)
class QualityAlarm:
    """Something changed in one annotator's judgments of one stratum.

    Attributes
    ----------
    annotator, stratum, sign
        Who, where, and what: more errors, or faster or slower work.
    raised_at, raised_by
        Time and source_id of the judgment that raised the alarm.
    since, since_judgment
        Time and source_id of the first judgment after the change, as far as can be told.
    found_after
        Judgments from there to the alarm, both included.
    judgments
        Judgments from there to the next alarm of this chart, or to the last one there is.
    before, after
        Error rate, or median seconds, before the change and in those judgments.
    cost
        What these judgments cost more than they are worth: for errors, the judgments that are
        wrong beyond the usual, at what a judgment costs; for slower work, the longer time at the
        hourly rate. None where no pay is told, and of faster work.
    """

    annotator: str
    stratum: str
    sign: Sign
    raised_at: pd.Timestamp
    raised_by: str
    since: pd.Timestamp
    since_judgment: str
    found_after: int
    judgments: int
    before: float
    after: float
    cost: Decimal | None


@dataclass(frozen=True)
class WatchedSign:
    """How one sign was watched.

    `judgments` are those with something to go by, in so many `charts` (one per annotator and
    stratum); `false_alarms` is how many to expect among them if nothing ever changed; `threshold`
    is that of the statistic of `annotation.monitoring.change_chart`.
    """

    judgments: int
    charts: int
    false_alarms: float
    threshold: float | None


@dataclass(frozen=True)
class QualityReport:
    """Alarms in order of time, how errors and times were watched, and what could not be."""

    alarms: tuple[QualityAlarm, ...]
    per_thousand: float
    errors: WatchedSign
    times: WatchedSign
    on_gold: int  # of the judgments whose errors were watched
    undated: int  # judgments without a time stamp, which have no place in any order
    untold: int  # judgments with neither a gold answer nor another judgment that says anything


@dataclass(frozen=True)
class AlarmSettings:
    """How judgments are watched.

    `per_thousand` is the rate of false alarms: how many per 1,000 judgments if nothing ever
    changes, of all signs together. Its inverse, 1,000 / per_thousand, is the average run length to
    a false alarm (Page 1954, Biometrika 41). `pay`, with `roles` (annotator -> role), prices what
    a fault has cost.

    Raises InputError if the rate is out of range.
    """

    per_thousand: float = FALSE_ALARMS
    pay: PayTerms | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.per_thousand <= MOST_FALSE_ALARMS:
            raise InputError(
                "false alarms per 1,000 judgments should be above 0 and at most "
                f"{MOST_FALSE_ALARMS:g}; got {self.per_thousand:g}."
            )


def quality_alarms(
    judgments: pd.DataFrame,
    settings: AlarmSettings = AlarmSettings(),
    choice_count: int | None = None,
) -> QualityReport:
    """Watch every annotator's errors and times in every stratum, in order of time.

    Errors are told by gold answers, elsewhere by what the other annotators say of the same item.
    Cancelled judgments are not watched.

    Parameters
    ----------
    judgments
        A valid judgment table.
    settings
        Rate of false alarms, and what is paid.
    choice_count
        Choices of an item, where the labels do not tell.

    Raises
    ------
    InputError
        If no judgment has a label, none has a time stamp, or somebody has no pay.
    """
    coded = code_judgments(judgments, choice_count=choice_count)
    created = judgments["created_at"].iloc[coded.row].reset_index(drop=True)
    dated = created.notna().to_numpy()
    if not dated.any():
        raise InputError(
            "no judgment has a time stamp, so nothing can be told of changes; give judgments with "
            "'created_at'."
        )
    signal = error_signal(coded)
    charts = _Charts(judgments, coded, created)
    errors = ErrorModel(signal)
    of_errors = charts.watched(
        errors, np.flatnonzero(dated & signal.tells), settings, _ERRORS_SHARE, block=1
    )
    seconds = judgments["seconds"].to_numpy()[coded.row]
    timed = np.flatnonzero(dated & ~np.isnan(seconds))
    of_times = _NOTHING
    if timed.size:
        times = TimeModel(seconds[timed], charts.chart[timed], charts.practice[timed], timed)
        of_times = charts.watched(times, timed, settings, 1 - _ERRORS_SHARE, block=NEIGHBOURS)
    prices = None if settings.pay is None else _Prices(judgments, coded, settings)
    alarms = [
        *(
            _error_alarm(charts, errors, of_errors.believed, found, prices)
            for found in of_errors.found
        ),
        *(_time_alarm(charts, seconds, found, prices) for found in of_times.found),
    ]
    return QualityReport(
        alarms=tuple(sorted(alarms, key=lambda each: (each.raised_at, each.annotator))),
        per_thousand=settings.per_thousand,
        errors=of_errors.told,
        times=of_times.told,
        on_gold=int((dated & signal.is_gold).sum()),
        undated=int((~dated).sum()),
        untold=int((dated & ~signal.tells).sum()),
    )


@dataclass(frozen=True)
class _Change:
    """An alarm as rows of `Coded`, all in order of time and of one annotator and stratum.

    `raised` is the row that raised it. Of the rows that were watched, `before` are those of the
    chart before the change, `after` those from there on; `judged` are all judgments from there on.
    """

    raised: int
    direction: int
    before: IntArray
    after: IntArray
    judged: IntArray
    found_after: int


@dataclass(frozen=True)
class _Watched:
    found: list[_Change]
    believed: Array  # how probable each level is beforehand, (levels,)
    told: WatchedSign


_NOTHING = _Watched([], np.empty(0), WatchedSign(0, 0, 0.0, None))


class _Charts:
    """The judgments of one table in order of time, a chart for every annotator and stratum.

    `chart` is the chart's number and `practice` how many judgments its annotator had made before,
    both (judgments,) of `Coded`.
    """

    def __init__(self, judgments: pd.DataFrame, coded: Coded, created: pd.Series) -> None:
        self.coded, self.created = coded, created
        self.source_ids = judgments["source_id"].to_numpy(dtype=object)[coded.row]
        self.chart = coded.annotator * len(coded.strata) + coded.judged_stratum
        stamp = created.dt.tz_localize(None).to_numpy().astype(np.int64)
        self._dated = created.notna().to_numpy()
        self._in_time = np.lexsort((coded.row, stamp, self.chart))
        by_annotator = np.lexsort((coded.row, stamp, coded.annotator))
        count = np.bincount(coded.annotator)
        self.practice = np.empty(self.chart.size, dtype=np.int64)
        before = np.repeat(np.cumsum(count) - count, count)
        self.practice[by_annotator] = np.arange(self.chart.size) - before

    def watched(
        self,
        model: ChangeModel,
        rows: IntArray,
        settings: AlarmSettings,
        share: float,
        block: int,
    ) -> _Watched:
        """Watch these rows, with this share of the false alarms."""
        if not rows.size:
            return _NOTHING
        rate = settings.per_thousand * share
        ordered = self._ordered(rows)
        sequences = Sequences(ordered, np.unique(self.chart[ordered], return_counts=True)[1])
        believed = believed_levels(model, sequences)
        rng = np.random.default_rng(settings.seed)
        threshold = calibrated_threshold(model, sequences, believed, rate, _SHUFFLED, rng, block)
        crossed = crossings(model, sequences, believed, threshold)
        told = WatchedSign(rows.size, sequences.lengths.size, rate * rows.size / 1000, threshold)
        return _Watched(self._changes(model, sequences, believed, crossed), believed, told)

    def _ordered(self, rows: IntArray) -> IntArray:
        """Rows chart by chart, in order of time."""
        chosen = np.zeros(self.chart.size, dtype=bool)
        chosen[rows] = True
        return np.asarray(self._in_time[chosen[self._in_time]])

    def _changes(
        self,
        model: ChangeModel,
        sequences: Sequences,
        believed: Array,
        crossed: list[ChartAlarm],
    ) -> list[_Change]:
        found = []
        for number, crossing in enumerate(crossed):
            first = int(sequences.starts[crossing.sequence])
            rows = sequences.rows[first : first + int(sequences.lengths[crossing.sequence])]
            previous = crossed[number - 1] if number else None
            following = crossed[number + 1] if number + 1 < len(crossed) else None
            same = crossing.sequence
            begun = previous.place + 1 if previous and previous.sequence == same else 0
            ended = following.place if following and following.sequence == same else len(rows)
            segment = rows[begun : crossing.place + 1]
            change = begun + change_point(model, segment, believed, crossing.direction)
            judged = self._all_between(int(rows[change]), int(rows[ended - 1]))
            raised = int(rows[crossing.place])
            found.append(
                _Change(
                    raised=raised,
                    direction=crossing.direction,
                    before=rows[begun:change],
                    after=rows[change:ended],
                    judged=judged,
                    found_after=int(np.flatnonzero(judged == raised)[0]) + 1,
                )
            )
        return found

    def _all_between(self, first: int, last: int) -> IntArray:
        """All dated judgments of a chart from one to another, both included."""
        own = self._in_time[(self.chart == self.chart[first])[self._in_time]]
        own = own[self._dated[own]]
        begin, end = (int(np.flatnonzero(own == row)[0]) for row in (first, last))
        return np.asarray(own[begin : end + 1])


class _Prices:
    """What judgments cost."""

    def __init__(self, judgments: pd.DataFrame, coded: Coded, settings: AlarmSettings) -> None:
        timing = Timing(judgments)
        roles = roles_of(judgments, timing, settings.roles)
        role = dict(zip(map(str, timing.annotators), roles, strict=True))
        assert settings.pay is not None
        self._pay = [
            settings.pay.of_annotator(str(name), role[str(name)]) for name in coded.annotators
        ]
        self._annotator = coded.annotator
        self._seconds = np.minimum(timing.raw, timing.idle_cap)[coded.row]

    def of_judgment(self, rows: IntArray) -> Fraction:
        """What one of these judgments by one annotator costs, on average."""
        hourly, piece = self._pay[int(self._annotator[rows[0]])]
        timed = self._seconds[rows][~np.isnan(self._seconds[rows])]
        mean = Fraction(float(timed.mean())) if timed.size else Fraction(0)
        return Fraction(piece) + Fraction(hourly) * mean / 3600

    def of_seconds(self, row: int, seconds: float) -> Fraction:
        """What so much time of a judgment's annotator costs."""
        hourly, _ = self._pay[int(self._annotator[row])]
        return Fraction(hourly) * Fraction(seconds) / 3600


def _error_alarm(
    charts: _Charts,
    model: ErrorModel,
    believed: Array,
    found: _Change,
    prices: _Prices | None,
) -> QualityAlarm:
    before, after = model.usual_rate(found.before, believed), model.rate(found.after)
    wrong = max(0.0, after - before) * found.judged.size
    cost = None if prices is None else Fraction(wrong) * prices.of_judgment(found.judged)
    return _alarm(charts, found, "errors", before, after, cost)


def _time_alarm(
    charts: _Charts, seconds: Array, found: _Change, prices: _Prices | None
) -> QualityAlarm:
    before, after = (float(np.median(seconds[rows])) for rows in (found.before, found.after))
    if found.direction == FASTER:
        return _alarm(charts, found, "faster", before, after, None)
    longer = max(0.0, after - before) * found.judged.size
    cost = None if prices is None else prices.of_seconds(found.raised, longer)
    return _alarm(charts, found, "slower", before, after, cost)


def _alarm(
    charts: _Charts,
    found: _Change,
    sign: Sign,
    before: float,
    after: float,
    cost: Fraction | None,
) -> QualityAlarm:
    coded, first = charts.coded, int(found.judged[0])
    return QualityAlarm(
        annotator=str(coded.annotators[coded.annotator[first]]),
        stratum=coded.strata[coded.judged_stratum[first]],
        sign=sign,
        raised_at=charts.created.iloc[found.raised],
        raised_by=str(charts.source_ids[found.raised]),
        since=charts.created.iloc[first],
        since_judgment=str(charts.source_ids[first]),
        found_after=found.found_after,
        judgments=found.judged.size,
        before=before,
        after=after,
        cost=None if cost is None else rounded_nearest(cost, _CENTS),
    )
