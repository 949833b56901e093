"""What a team's judgments say of it: agreement, error rates, times, costs, people needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from annotation.errors import InputError
from annotation.intervals import (
    CONFIDENCE,
    Interval,
    Scope,
    share_interval,
)
from annotation.team.agreement import (
    Agreement,
    agreement,
    agreement_with_others,
    cohen_kappa,
)
from annotation.team.bill import Bill, bill
from annotation.team.confusion import ClassConfusion, confusions
from annotation.team.error_rates import ErrorMethod, ErrorRate, ErrorRates
from annotation.team.label_cost import (
    LabelCost,
    Rates,
    annotator_costs,
    label_cost,
)
from annotation.team.more_judgments import MajorityOf, majorities
from annotation.team.role_rates import RoleStratum, role_rates
from annotation.team.roles import check_paid_names, roles_of
from annotation.team.staffing import (
    Staffing,
    Throughput,
    annotator_throughput,
    check_hours_per_day,
    staffing,
    throughput,
)
from annotation.team.timing import (
    FLOOR,
    IDLE_CAP,
    TimeWarning,
    Timing,
    WorkTime,
)
from annotation.terms.clean_share import common_redraw_rate
from annotation.truth.aggregation import Aggregate, Aggregator
from annotation.truth.coding import (
    UNNAMED,
    Coded,
    LabelKind,
    code_judgments,
)
from annotation.truth.fitted_models import FittedModels
from annotation.truth.suspicious_labels import suspicious_labels

MOST_PAIRS = 45  # of annotators whose Cohen's kappa is computed: those of ten annotators


@dataclass(frozen=True)
class ReportSettings:
    """How judgments are read.

    `judgments_per_label` says what a label will be made of, for the number of people needed:
    `wanted` (stratum -> labels) in `days` of `hours_per_day`.
    """

    error_method: ErrorMethod = "auto"
    aggregator: Aggregator | None = None
    scope: Scope = "like_these"
    confidence: float = CONFIDENCE
    idle_cap: float = IDLE_CAP
    floor: float = FLOOR
    rates: Rates = field(default_factory=Rates)
    roles: Mapping[str, str] = field(default_factory=dict)  # annotator -> role
    choice_count: int | None = None
    wanted: Mapping[str, int] = field(default_factory=dict)
    judgments_per_label: int = 1
    days: float | None = None
    hours_per_day: float = 6.0
    strata_order: tuple[str, ...] = ()  # in order of hardness, where that is known

    def __post_init__(self) -> None:
        check_hours_per_day(self.hours_per_day)


@dataclass(frozen=True)
class StratumReport:
    """One stratum.

    `redraw_rate` is the redraw rate that errs as often, see `annotation.terms.clean_share`.

    `label_error` is the share of aggregated labels that are wrong, see `ErrorRates.label_error`.
    `cost` is of one judgment that ends in a label.
    """

    name: str
    items: int
    judgments: int
    agreement: Agreement
    error: ErrorRate
    redraw_rate: float | None
    label_error: Interval
    work: WorkTime
    cost: LabelCost | None


@dataclass(frozen=True)
class AnnotatorReport:
    """One annotator; `agrees` is the share of others' judgments of the same items that say so.

    `cost` is of one of his judgments that ends in a label.
    """

    name: str
    role: str | None
    judgments: int
    error: ErrorRate
    agrees: Interval
    work: WorkTime
    cost: LabelCost | None
    throughput: Throughput


@dataclass(frozen=True)
class PairAgreement:
    """Cohen's kappa of two annotators on the items that both judged."""

    first: str
    second: str
    items: int
    kappa: Interval


@dataclass(frozen=True)
class JudgmentReport:
    """Everything that `labelmix judgments report` tells; `aggregate` has the labels."""

    items: int
    judgments: int  # that carry a label and are counted
    cancelled: int
    superseded: int  # an earlier judgment by the same annotator on the same item
    label_kind: LabelKind
    choices: tuple[int, int]  # fewest and most choices of an item
    scope: Scope
    confidence: float
    agreement: Agreement
    strata: tuple[StratumReport, ...]
    roles: tuple[RoleStratum, ...]
    annotators: tuple[AnnotatorReport, ...]
    pairs: tuple[PairAgreement, ...]
    warnings: tuple[TimeWarning, ...]
    throughput: Throughput
    staffing: Staffing | None
    bill: Bill | None  # where hourly rates or a fee are known
    confusions: tuple[ClassConfusion, ...]  # by role, where items share their classes
    majorities: tuple[MajorityOf, ...]  # what more judgments of an item are worth
    notes: tuple[str, ...]  # doubts about labels, see `annotation.truth.suspicious_labels`
    better: Aggregator  # "dawid_skene" or "hardness", see `annotation.truth.fitted_models`
    coded: Coded
    aggregate: Aggregate


def coded_judgments(
    judgments: pd.DataFrame, items: pd.DataFrame | None, settings: ReportSettings
) -> Coded:
    """The judgments of a report as arrays.

    Raises InputError as `annotation.truth.coding.code_judgments` does.
    """
    return code_judgments(judgments, items, settings.choice_count, settings.strata_order)


def report_judgments(
    judgments: pd.DataFrame,
    items: pd.DataFrame | None = None,
    settings: ReportSettings = ReportSettings(),
    coded: Coded | None = None,
) -> JudgmentReport:
    """Estimate everything from a valid judgment table.

    `items` is the item table where there is one; labels should be among its choices. `coded` are
    these judgments as `coded_judgments` makes them, where that was done already.

    Raises InputError if there are no judgments with a label, a setting is impossible, rates are
    given and somebody has none, or something is said of somebody or a stratum that is not there.
    """
    if coded is None:
        coded = coded_judgments(judgments, items, settings)
    models = FittedModels(coded)
    found = models.calibrated(settings.aggregator)
    agreed = agreement(coded, confidence=settings.confidence)
    rates = ErrorRates(coded, settings.error_method, settings.scope, models, settings.confidence)
    timing = Timing(
        judgments, settings.idle_cap, settings.floor, settings.scope, settings.confidence
    )
    roles = roles_of(judgments, timing, settings.roles)
    check_paid_names(settings.rates, [*map(str, timing.annotators)], roles, coded.strata)
    strata = _strata(judgments, coded, found, agreed, rates, timing, roles, settings)
    work = {each.name: each.work for each in strata}
    cancelled = int(judgments["cancelled"].sum())
    needed = _staffing(work, settings)
    return JudgmentReport(
        items=len(coded.item_ids),
        judgments=coded.item.size,
        cancelled=cancelled,
        superseded=len(judgments) - cancelled - coded.item.size,
        label_kind=coded.kind,
        choices=(int(coded.choice_counts.min()), int(coded.choice_counts.max())),
        scope=settings.scope,
        confidence=settings.confidence,
        agreement=agreed[None],
        strata=strata,
        roles=_by_role(judgments, coded, strata, rates, timing, roles, settings),
        annotators=_annotators(coded, rates, timing, roles, settings),
        pairs=_pairs(coded, settings.confidence),
        warnings=tuple(timing.warnings),
        throughput=throughput(timing, settings.confidence),
        staffing=needed,
        bill=_bill(strata, settings),
        confusions=_confusions(coded, found, timing, roles, settings),
        majorities=majorities(coded, found.unchecked, settings.confidence),
        notes=suspicious_labels(coded),
        better=models.better,
        coded=coded,
        aggregate=found,
    )


def _strata(
    judgments: pd.DataFrame,
    coded: Coded,
    found: Aggregate,
    agreed: Mapping[str | None, Agreement],
    rates: ErrorRates,
    timing: Timing,
    roles: list[str | None],
    settings: ReportSettings,
) -> tuple[StratumReport, ...]:
    named = judgments["stratum"].to_numpy(dtype=object)
    reports = []
    for code, name in enumerate(coded.strata):
        own = coded.stratum == code
        chosen = pd.isna(named) if name == UNNAMED else named == name
        error = rates.stratum(code)
        share = error.rate.estimate
        counts = coded.choice_counts[own]
        reports.append(
            StratumReport(
                name=name,
                items=int(own.sum()),
                judgments=int((coded.judged_stratum == code).sum()),
                agreement=agreed[name],
                error=error,
                redraw_rate=None if share is None else common_redraw_rate(share, counts),
                label_error=rates.label_error(code, found.likeliest_unchecked),
                work=timing.work(chosen),
                cost=label_cost(timing, settings.rates, roles, name, chosen)
                if settings.rates.are_known
                else None,
            )
        )
    return tuple(reports)


def _by_role(
    judgments: pd.DataFrame,
    coded: Coded,
    strata: tuple[StratumReport, ...],
    rates: ErrorRates,
    timing: Timing,
    roles: list[str | None],
    settings: ReportSettings,
) -> tuple[RoleStratum, ...]:
    if len(set(roles)) > 1:
        return role_rates(judgments, coded, rates, timing, roles, settings.rates)
    return tuple(  # measured already: everybody has the one role, or none
        RoleStratum(
            role=roles[0],
            stratum=each.name,
            annotators=int(np.unique(coded.annotator[coded.judged_stratum == code]).size),
            judgments=each.judgments,
            error=each.error,
            redraw_rate=each.redraw_rate,
            work=each.work,
            cost=each.cost,
        )
        for code, each in enumerate(strata)
    )


def _confusions(
    coded: Coded,
    found: Aggregate,
    timing: Timing,
    roles: list[str | None],
    settings: ReportSettings,
) -> tuple[ClassConfusion, ...]:
    role_of = dict(zip(timing.annotators, roles, strict=True))
    own = [role_of[name] for name in coded.annotators]
    groups = {
        role: np.array([each == role for each in own], dtype=bool)
        for role in sorted(set(own), key=lambda name: (name is None, name or ""))
    }
    return confusions(coded, found.unchecked, groups, settings.scope, settings.confidence)


def _annotators(
    coded: Coded,
    rates: ErrorRates,
    timing: Timing,
    roles: list[str | None],
    settings: ReportSettings,
) -> tuple[AnnotatorReport, ...]:
    agrees = agreement_with_others(coded)
    order = np.argsort(coded.annotator, kind="stable")
    ends = np.cumsum(np.bincount(coded.annotator, minlength=len(coded.annotators)))
    judged = np.split(order, ends[:-1])
    places = {name: code for code, name in enumerate(timing.annotators)}
    times = timing.by_annotator()
    done = annotator_throughput(timing, settings.confidence)
    costs: list[LabelCost | None] = [None] * len(times)
    if settings.rates.are_known:
        costs = annotator_costs(timing, settings.rates, roles)
    reports = []
    for code, (name, error) in enumerate(zip(coded.annotators, rates.annotators(), strict=True)):
        own = judged[code][~np.isnan(agrees[judged[code]])]
        share = share_interval(
            agrees[own], coded.item[own], coded.annotator[own], "these", settings.confidence
        )
        place = places[name]
        reports.append(
            AnnotatorReport(
                name=str(name),
                role=roles[place],
                judgments=int(judged[code].size),
                error=error,
                agrees=share,
                work=times[place],
                cost=costs[place],
                throughput=done[place],
            )
        )
    return tuple(sorted(reports, key=lambda each: (-each.judgments, each.name)))


def _pairs(coded: Coded, confidence: float) -> tuple[PairAgreement, ...]:
    """Cohen's kappa of every two annotators, where they are few."""
    many = len(coded.annotators)
    if many * (many - 1) // 2 > MOST_PAIRS:
        return ()
    pairs = []
    for first in range(many):
        for second in range(first + 1, many):
            shared, kappa = cohen_kappa(coded, first, second, confidence=confidence)
            names = str(coded.annotators[first]), str(coded.annotators[second])
            pairs.append(PairAgreement(*names, shared, kappa))
    return tuple(pairs)


def _staffing(work: Mapping[str, WorkTime], settings: ReportSettings) -> Staffing | None:
    if not settings.wanted:
        return None
    if settings.days is None:
        raise InputError("the days until the deadline are missing; give them with --days.")
    if settings.judgments_per_label < 1:
        raise InputError(
            f"judgments per label should be at least 1; got {settings.judgments_per_label}."
        )
    judgments = {
        name: count * settings.judgments_per_label for name, count in settings.wanted.items()
    }
    return staffing(
        judgments, work, settings.days, settings.hours_per_day, settings.judgments_per_label
    )


def _bill(strata: Sequence[StratumReport], settings: ReportSettings) -> Bill | None:
    if not settings.rates.are_known:
        return None
    return bill(
        {each.name: each.cost for each in strata},
        {each.name: each.judgments for each in strata},
        settings.wanted,
        settings.judgments_per_label,
    )
