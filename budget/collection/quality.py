"""How the work of a collection goes on: alarms with what a fault has cost, and finish dates."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import pandas as pd
from pydantic import BaseModel

from annotation.errors import InputError
from annotation.monitoring.alarms import AlarmSettings, QualityAlarm, quality_alarms
from annotation.monitoring.finish_date import finish_date
from annotation.team.pay import rounded_nearest, time_zone
from budget.collection.ledger import PAID
from budget.collection.measuring import JudgmentsSoFar
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore

Verdict = Literal["in time", "may be late", "late"]
"""Of the whole 80 % interval: before the deadline's end, on both sides of it, or after it."""


class AlarmStatus(BaseModel):
    """Something changed in one annotator's judgments of one stratum.

    Attributes
    ----------
    sign : errors, faster or slower
    since, raised_at : first judgment after the change, and the one that raised the alarm, ISO 8601
    judgments : from the change on
    before, after : error rate, or median seconds
    cost : of errors, what was paid for judgments that are wrong beyond the usual; of slower work,
        for the longer time; None of faster work
    """

    supplier: str
    annotator: str
    stratum: str
    sign: str
    since: str
    raised_at: str
    judgments: int
    before: float
    after: float
    cost: Decimal | None


class FinishStatus(BaseModel):
    """When a supplier will have made the judgments of the open batch that are left.

    Attributes
    ----------
    left : judgments
    seen_until : the last one, which the forecast starts from
    expected, earliest, latest : median and ends of the interval of this `confidence`, ISO 8601 in
        the zone; None where nothing can be told
    verdict : against the deadline; None without one
    why : nothing can be told; None where something is
    """

    supplier: str
    left: int
    seen_until: str | None = None
    expected: str | None = None
    earliest: str | None = None
    latest: str | None = None
    confidence: float | None = None
    verdict: Verdict | None = None
    why: str | None = None


class QualityStatus(BaseModel):
    """Alarms in order of time, and finish dates of the open batch.

    Attributes
    ----------
    false_alarms : how many alarms to expect if nothing ever changed
    watched : judgments that were watched by their errors
    unwatched : why no alarms could be raised; None where they could
    batch : the open one; None where none is out
    """

    alarms: list[AlarmStatus]
    false_alarms: float
    watched: int
    unwatched: str | None
    batch: int | None
    finish: list[FinishStatus]
    zone: str


def collection_quality(collection: Collection, zone: str = "UTC") -> QualityStatus:
    """What the judgments tell of how the work goes on; nothing is fetched or booked for it.

    Raises InputError if the time zone is unknown.
    """
    time_zone(zone)
    store = collection.store
    so_far = collection.proposer.judgments_so_far()
    batch = collection.open_batch()
    is_out = batch is not None and batch.state == "ordered"
    found = QualityStatus(
        alarms=[],
        false_alarms=0.0,
        watched=0,
        unwatched=None,
        batch=batch.number if batch is not None and is_out else None,
        finish=[],
        zone=zone,
    )
    _add_alarms(found, store, so_far, collection.alarms)
    if batch is not None and is_out:
        deadline = collection.config.deadline
        found.finish = _finish_dates(store, so_far.table, batch.number, deadline, zone)
    return found


def _add_alarms(
    found: QualityStatus, store: CollectionStore, so_far: JudgmentsSoFar, settings: AlarmSettings
) -> None:
    if so_far.is_empty:
        found.unwatched = "nobody has judged anything yet"
        return
    try:
        report = quality_alarms(so_far.not_chosen, settings)
    except InputError as error:
        found.unwatched = str(error).rstrip(".")
        return
    prices = _Paid(store, so_far.not_chosen)
    found.alarms = [prices.told(alarm) for alarm in report.alarms]
    found.false_alarms = report.errors.false_alarms + report.times.false_alarms
    found.watched = report.errors.judgments


class _Paid:
    """What was paid for the judgments that an alarm is about."""

    def __init__(self, store: CollectionStore, judgments: pd.DataFrame) -> None:
        ledger, lines = store.ledger(), store.lines()
        self._places = store.unit.places
        self._paid: dict[tuple[str, str], Decimal] = {}
        paid = ledger[ledger["kind"].isin(list(PAID))]
        for kind, supplier, source, amount in zip(
            paid["kind"], paid["supplier"], paid["source_id"], paid["amount"], strict=True
        ):
            key = (str(supplier), str(source))
            self._paid[key] = self._paid.get(key, Decimal(0)) + PAID[kind] * amount
        self._hourly = {
            (int(row["batch"]), str(row["supplier"]), str(row["item_id"])): (
                Fraction(row["per_hour"]),
                float(row["most_seconds"]),
            )
            for row in lines[lines["per_hour"] > 0].to_dict("records")
        }
        self._judgments = judgments.sort_values("created_at", kind="stable")

    def told(self, alarm: QualityAlarm) -> AlarmStatus:
        rows = self._judgments_of(alarm)
        cost = None
        if alarm.sign == "errors":
            share = Fraction(max(0.0, alarm.after - alarm.before))
            cost = share * sum((self._of_one(row) for row in rows), Fraction(0))
        elif alarm.sign == "slower":
            cost = sum((self._longer(row, alarm) for row in rows), Fraction(0))
        return AlarmStatus(
            supplier=str(rows[0]["supplier"]),
            annotator=alarm.annotator.removeprefix(f"{rows[0]['supplier']} / "),
            stratum=alarm.stratum,
            sign=alarm.sign,
            since=alarm.since.isoformat(),
            raised_at=alarm.raised_at.isoformat(),
            judgments=alarm.judgments,
            before=alarm.before,
            after=alarm.after,
            cost=None if cost is None else rounded_nearest(cost, self._places),
        )

    def _judgments_of(self, alarm: QualityAlarm) -> list[dict[str, object]]:
        """From the change to the next alarm of this annotator and stratum, or to the last one."""
        table = self._judgments
        own = table[
            (table["annotator"] == alarm.annotator)
            & (table["stratum"] == alarm.stratum)
            & table["created_at"].notna()
        ]
        start = own["source_id"].tolist().index(alarm.since_judgment)
        rows: list[dict[str, object]] = own.iloc[start : start + alarm.judgments].to_dict("records")
        return rows

    def _of_one(self, row: dict[str, object]) -> Fraction:
        return Fraction(self._paid.get((str(row["supplier"]), str(row["source_id"])), Decimal(0)))

    def _longer(self, row: dict[str, object], alarm: QualityAlarm) -> Fraction:
        """Pay for the time that this judgment took longer than usual; 0 where time is not paid."""
        batch = row["batch"]
        key = (-1 if pd.isna(batch) else int(str(batch)), str(row["supplier"]), str(row["item_id"]))
        if key not in self._hourly:
            return Fraction(0)
        per_hour, most = self._hourly[key]
        longer = max(0.0, min(alarm.after, most) - min(alarm.before, most))
        return per_hour * Fraction(longer) / 3600


def _finish_dates(
    store: CollectionStore, judgments: pd.DataFrame, batch: int, deadline: date | None, zone: str
) -> list[FinishStatus]:
    """Of every supplier that still has judgments to make in the batch."""
    lines = store.lines(batch)
    missing = (lines["judgments"] - lines["received"]).clip(lower=0)
    left = missing.groupby(lines["supplier"], sort=False).sum()
    return [
        _finish(
            judgments[judgments["supplier"] == name], str(name), int(count), batch, deadline, zone
        )
        for name, count in left.items()
        if count
    ]


def _finish(
    own: pd.DataFrame, supplier: str, left: int, batch: int, deadline: date | None, zone: str
) -> FinishStatus:
    """From this batch's judgments alone: between batches people wait, which is no pace."""
    is_this = (own["batch"] == batch).fillna(False).to_numpy(dtype=bool)
    before = own[~is_this & own["batch"].notna().to_numpy()]
    past = [table.reset_index(drop=True) for _, table in before.groupby("batch")]
    try:
        found = finish_date(own[is_this].reset_index(drop=True), left, past=past, zone=zone)
    except InputError as error:
        return FinishStatus(supplier=supplier, left=left, why=str(error).rstrip("."))
    place = time_zone(zone)
    moments = (found.seen_until, found.expected, found.earliest, found.latest)
    seen, expected, earliest, latest = (own.tz_convert(place).isoformat() for own in moments)
    return FinishStatus(
        supplier=supplier,
        left=left,
        seen_until=seen,
        expected=expected,
        earliest=earliest,
        latest=latest,
        confidence=found.confidence,
        verdict=None
        if deadline is None
        else against_deadline(found.earliest, found.latest, deadline, zone),
    )


def against_deadline(
    earliest: pd.Timestamp, latest: pd.Timestamp, deadline: date, zone: str
) -> Verdict:
    """Where an interval lies; the deadline is a day of the zone, and counts to its end."""
    end = pd.Timestamp(deadline + timedelta(days=1), tz=time_zone(zone))
    if latest < end:
        return "in time"
    return "may be late" if earliest < end else "late"
