"""What `labelmix judgments report` prints for a person, and as JSON."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import partial
from typing import Any

from rich.table import Column, Table

from analysis.numbers import (
    NOT_KNOWN,
    count,
    interval_name,
    money,
    percent,
    points,
    ratio,
    span,
)
from annotation.intervals import Interval
from annotation.judgments.rejections import CheckedJudgments, Rejection
from annotation.team.confusion import ClassConfusion
from annotation.team.error_rates import ErrorRate
from annotation.team.label_cost import LabelCost
from annotation.team.report import JudgmentReport
from annotation.team.staffing import Throughput
from budget.commands.screen import Screen
from budget.market.measured_terms import as_estimate, gold_request

_NAME = partial(Column, "annotator", overflow="fold")  # a name cut short is nobody's
MOST_ROWS = 20  # of annotators and warnings that are shown
_MOST_REJECTED = 5  # of a column
_MOST_CLASSES = 10  # whose confusion is shown; all of it is in --json
SCOPES = {
    "these": "these annotators, on items like these",
    "like_these": "annotators and items like these",
}
KINDS = {
    "shared": "the same classes for all items",
    "own choices": "choices of every item's own",
    "open": "answers that nobody listed",
}


def report_json(report: JudgmentReport, reading: CheckedJudgments) -> dict[str, Any]:
    """The report as plain values; money as numbers, what is not known as null."""
    fields = {
        name: getattr(report, name)
        for name in report.__dataclass_fields__
        if name not in ("coded", "aggregate")
    }
    plain = {name: _plain(value) for name, value in fields.items()}
    plain["aggregator"] = report.aggregate.method
    told = reading_json(reading)
    return {**plain, **told, "notes": [*told["notes"], *report.notes]}


def reading_json(reading: CheckedJudgments) -> dict[str, Any]:
    """What was left out and what is doubtful in the files, as plain values."""
    return {
        "rejected": [asdict(rejection) for rejection in reading.rejected],
        "notes": [*map(str, reading.notes)],
    }


def show_reading(console: Screen, reading: CheckedJudgments) -> None:
    """Print what is doubtful in the files, and what was left out of them."""
    for line in (*_some("note", reading.notes, MOST_ROWS), *_rejected(reading.rejected)):
        console.print(line, style="yellow")


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def show_report(report: JudgmentReport, reading: CheckedJudgments, currency: str = "$") -> None:
    """Print tables of strata, roles and annotators, bill, people needed, and all that is odd."""
    console = Screen()
    console.print("\n".join(head(report)))
    for table in report_tables(report, currency, MOST_ROWS):
        console.print(table)
    if len(report.pairs) > MOST_ROWS:
        console.print(f"Cohen's kappa of {count(len(report.pairs))} pairs: see --json")
    for line in sentences(report, currency):
        console.print(line)
    for note in notes(report, reading, MOST_ROWS):
        console.print(note, style="yellow")


def report_tables(report: JudgmentReport, currency: str, most: int) -> list[Table]:
    """Errors, times and costs, roles, agreement, annotators and pairs; `most` rows of people."""
    tables = [_error_table(report), _time_table(report, currency)]
    if any(each.role for each in report.roles):
        tables.append(_role_table(report, currency))
    if len(report.coded.shared) <= _MOST_CLASSES and report.confusions:
        tables.append(confusion_table(report.confusions, "role"))
    if report.majorities:
        tables.append(_majority_table(report, currency))
    tables.append(_agreement_table(report))
    tables.append(_annotator_table(report, most))
    tables.append(_annotator_work_table(report, currency, most))
    if 0 < len(report.pairs) <= most:
        tables.append(_pairs_table(report))
    return tables


def sentences(report: JudgmentReport, currency: str) -> list[str]:
    """Work in a day, people needed, and the bill."""
    return [*_work_lines(report), *_bill_lines(report, currency)]


def notes(report: JudgmentReport, reading: CheckedJudgments, most: int) -> list[str]:
    """What is doubtful, odd or left out; of each kind `most`, and how many more there are."""
    return [
        *(f"note: {line}" for line in _gold_asked_for(report)),
        *_some("note", (*reading.notes, *report.notes), most),
        *_some("impossible times", report.warnings, most),
        *_rejected(reading.rejected),
    ]


def head(report: JudgmentReport) -> tuple[str, str]:
    """How many judgments by whom, and what intervals and labels are."""
    fewest, most = report.choices
    choices = str(fewest) if fewest == most else f"{fewest} to {most}"
    return (
        f"{count(report.judgments)} judgments of {count(report.items)} items by "
        f"{count(len(report.annotators))} annotators; {count(report.cancelled)} cancelled, "
        f"{count(report.superseded)} superseded by a later one; labels are "
        f"{KINDS[report.label_kind]} ({choices} choices).",
        f"Intervals: {interval_name(report.confidence)}s, for {SCOPES[report.scope]}. "
        f"Labels by {report.aggregate.method}.",
    )


def _error_table(report: JudgmentReport) -> Table:
    columns = ("stratum", "items", "judgments", "wrong judgments", "known by", "wrong labels")
    table = Table(*columns, title="Errors")
    for stratum in report.strata:
        table.add_row(
            stratum.name,
            count(stratum.items),
            count(stratum.judgments),
            _share(stratum.error.rate),
            _known_by(stratum.error),
            _share(stratum.label_error),
        )
    return table


def _gold_asked_for(report: JudgmentReport) -> list[str]:
    """Where mistakes that people share are not excluded, and what would tell."""
    lines = []
    for stratum in report.strata:
        error = stratum.error
        if error.shared_mistakes != "not excluded" or error.rate.estimate is None:
            continue
        line = (
            f"{stratum.name}: several people may make the same mistake, which agreement cannot "
            "show; the interval allows for it."
        )
        if error.by_agreement is not None:
            line += f" If nobody shares mistakes, {_share(error.by_agreement)} are wrong."
        if stratum.label_error.estimate is not None:
            line += (
                " More judgments of an item do not mend a shared mistake, so of the labels "
                f"{span(as_estimate(stratum.label_error))} % may be wrong."
            )
        if error.more_gold:
            line += f" {gold_request(error.more_gold)}"
        lines.append(line)
    return lines


def _known_by(error: ErrorRate) -> str:
    """The method; of gold questions, how many answers there were."""
    if error.rate.estimate is None:
        return ""
    return f"gold ({count(error.judgments)})" if error.method == "gold" else error.method


def _role_table(report: JudgmentReport, currency: str) -> Table:
    costs = ["cost per judgment"] if any(each.cost for each in report.roles) else []
    columns = ("stratum", "people", "judgments", "wrong", *costs)
    table = Table(Column("role", overflow="fold"), *columns, title="Roles")
    for each in report.roles:
        table.add_row(
            each.role or "(none)",
            each.stratum,
            count(each.annotators),
            count(each.judgments),
            _share(each.error.rate),
            *([_cost(each.cost, currency)] if costs else []),
        )
    return table


def _time_table(report: JudgmentReport, currency: str) -> Table:
    costs = ["cost per judgment"] if any(stratum.cost for stratum in report.strata) else []
    columns = ("stratum", "minutes, median", "mean", "with cancelled", "breaks", *costs)
    table = Table(*columns, title="Time of a judgment" + (" and its cost" if costs else ""))
    for stratum in report.strata:
        work = stratum.work
        times = [_minutes(each) for each in (work.median, work.mean, work.with_cancelled)]
        costs_told = [_cost(stratum.cost, currency)] if costs else []
        table.add_row(stratum.name, *times, count(work.idle), *costs_told)
    return table


def _cost(cost: LabelCost | None, currency: str) -> str:
    if cost is None:
        return NOT_KNOWN
    text = money(float(cost.per_judgment), currency)
    text += f" ({span(as_estimate(cost.interval), 'ratio')})"
    if cost.recruiting:
        text += f", and {money(float(cost.recruiting), currency)} once"
    return text


def confusion_table(found: Sequence[ClassConfusion], called: str) -> Table:
    """What people overlook, class by class; groups are `called` so."""
    groups = [called] if any(each.group for each in found) else []
    columns = ("stratum", "right answer", "judgments", "overlooked", "taken for", "known by")
    table = Table(
        *(Column(name, overflow="fold") for name in groups), *columns, title="What is overlooked"
    )
    for each in found:
        table.add_row(
            *([each.group or "(none)"] if groups else []),
            each.stratum,
            each.label,
            count(round(each.judgments)),
            _share(each.overlooked),
            each.taken_for or "",
            each.known_by,
        )
    return table


def _majority_table(report: JudgmentReport, currency: str) -> Table:
    costs = {each.name: each.cost for each in report.strata}
    priced = ["cost of a label"] if any(costs.values()) else []
    columns = ("stratum", "items", "judgments", "wrong labels", "gain, points")
    title = "What more judgments of an item are worth"
    table = Table(*columns, *priced, "known by", title=title)
    for each in report.majorities:
        own = costs[each.stratum]
        cost = (
            NOT_KNOWN if own is None else money(float(own.per_judgment) * each.judgments, currency)
        )
        table.add_row(
            each.stratum,
            count(each.items),
            count(each.judgments),
            _share(each.wrong),
            "" if each.fewer is None else _points(each.fewer),
            *([cost] if priced else []),
            "gold" if each.known_by == "gold" else "all judgments",
        )
    return table


def _points(interval: Interval) -> str:
    low, high = interval.bounds
    return f"{points(interval.estimate or 0.0)} ({points(low)} to {points(high)})"


def _agreement_table(report: JudgmentReport) -> Table:
    table = Table(
        "stratum",
        "items judged twice",
        "pairs agree",
        "Fleiss' kappa",
        "Krippendorff's alpha",
        title="Agreement",
    )
    rows = [(stratum.name, stratum.agreement) for stratum in report.strata]
    if len(rows) > 1:
        rows.append(("all", report.agreement))
    for name, agreed in rows:
        kappa, alpha = (_ratio(each) for each in (agreed.fleiss_kappa, agreed.krippendorff_alpha))
        table.add_row(name, count(agreed.items), _share(agreed.raw), kappa, alpha)
    return table


def _annotator_table(report: JudgmentReport, most: int) -> Table:
    shown = report.annotators[:most]
    more = len(report.annotators) - len(shown)
    title = f"Annotators ({count(more)} more in --json)" if more else "Annotators"
    roles = ["role"] if any(each.role for each in shown) else []
    table = Table(_NAME(), *roles, "judgments", "wrong", "agrees with others", title=title)
    for each in shown:
        table.add_row(
            each.name,
            *([each.role or ""] if roles else []),
            count(each.judgments),
            _share(each.error.rate),
            _share(each.agrees),
        )
    return table


def _annotator_work_table(report: JudgmentReport, currency: str, most: int) -> Table:
    shown = report.annotators[:most]
    costs = ["cost per judgment"] if any(each.cost for each in shown) else []
    table = Table(_NAME(), "minutes, median", "labels a day", *costs, title="Annotators' work")
    for each in shown:
        table.add_row(
            each.name,
            _minutes(each.work.median),
            _labels(each.throughput),
            *([_cost(each.cost, currency)] if costs else []),
        )
    return table


def _pairs_table(report: JudgmentReport) -> Table:
    table = Table("annotators", "items of both", "Cohen's kappa", title="Pairs")
    for pair in report.pairs:
        table.add_row(f"{pair.first}, {pair.second}", count(pair.items), _ratio(pair.kappa))
    return table


def _some(title: str, things: Sequence[object], most: int) -> list[str]:
    lines = [f"{title}: {thing}" for thing in things[:most]]
    if len(things) > most:
        lines.append(f"{title}: {len(things) - most:,} more, see --json")
    return lines


def _rejected(rejected: Sequence[Rejection]) -> list[str]:
    """The first rows and values of every file and column, and how many there are."""
    groups: dict[tuple[str, str, bool], list[Rejection]] = defaultdict(list)
    for each in rejected:
        # What was read from items names the judgment instead of a file.
        where = "" if each.where.startswith("judgment ") else each.where
        groups[where, each.column, each.row_stays].append(each)
    lines = []
    for (_, column, row_stays), group in groups.items():
        title = "value left out" if row_stays else "left out"
        lines += [f"{title}: {each}" for each in group[:_MOST_REJECTED]]
        more = len(group) - _MOST_REJECTED
        if more > 0:
            lines.append(f"{title}: {more:,} more in column '{column}', see --json")
    return lines


def _share(interval: Interval) -> str:
    if interval.estimate is None:
        return NOT_KNOWN
    return f"{percent(interval.estimate)} ({span(as_estimate(interval))})"


def _labels(done: Throughput) -> str:
    found = done.labels_per_day
    if found.estimate is None:
        return NOT_KNOWN
    if found.low is None:
        return f"{ratio(found.estimate)} (one day seen)"
    return f"{ratio(found.estimate)} ({span(as_estimate(found), 'ratio')})"


def _ratio(interval: Interval) -> str:
    if interval.estimate is None:
        return "not defined"
    ends = [f"{end:.2f}" if end is not None else NOT_KNOWN for end in (interval.low, interval.high)]
    return f"{interval.estimate:.2f} ({' to '.join(ends)})"


def _minutes(seconds: Interval) -> str:
    if seconds.estimate is None:
        return NOT_KNOWN
    ends = [None if end is None else end / 60 for end in (seconds.low, seconds.high)]
    minutes = Interval(seconds.estimate / 60, *ends)
    return f"{minutes.estimate:.2f} ({span(as_estimate(minutes), 'ratio')})"


def _work_lines(report: JudgmentReport) -> list[str]:
    """What annotators get done in a day, and how many are needed."""
    lines = []
    done = report.throughput
    if done.labels_per_day.estimate is not None:
        hours = f", in {done.hours_per_day:.1f} hours of work" if done.hours_per_day else ""
        lines.append(
            f"An annotator finished {ratio(done.labels_per_day.estimate)} labels a day "
            f"({span(as_estimate(done.labels_per_day), 'ratio')}){hours}; "
            f"{count(done.annotator_days)} {'day' if done.annotator_days == 1 else 'days'} of work "
            "seen, each annotator's counted apart."
        )
    needed = report.staffing
    if needed is not None:
        people = "annotator" if needed.annotators == 1 else "annotators"
        days = "day" if needed.days == 1 else "days"
        every = f" (every label takes {count(needed.least)} different people)"
        lines.append(
            f"{needed.hours:,.1f} hours of work: {count(needed.annotators)} {people} can do it in "
            f"{needed.days:g} {days} of {needed.hours_per_day:g} hours; to be safe, take "
            f"{count(needed.annotators_to_be_safe)}{every if needed.least > 1 else ''}."
        )
    return lines


def _bill_lines(report: JudgmentReport, currency: str) -> list[str]:
    """What the judgments cost and what the labels wanted will; nothing without rates or a fee."""
    bill = report.bill
    if bill is None:
        return []
    if bill.so_far is None:
        lines = [f"What these judgments cost is {NOT_KNOWN}: no judgment with a label was timed."]
    else:
        rest = f"; of {', '.join(bill.unknown)} it is {NOT_KNOWN}" if bill.unknown else ""
        cost = money(float(bill.so_far), currency)
        lines = [f"These judgments cost {cost}, recruiting apart{rest}."]
    if bill.wanted:
        parts = ", ".join(
            f"{each.stratum} {money(float(each.total), currency)} "
            f"({money(float(each.per_label), currency)} a finished label)"
            for each in bill.wanted
        )
        once = ", recruiting included" if any(each.recruiting for each in _costs(report)) else ""
        lines.append(
            f"The labels wanted cost {money(float(bill.total), currency)}{once}: {parts}; to be "
            f"safe, have {money(float(bill.to_be_safe), currency)}."
        )
    return lines


def _costs(report: JudgmentReport) -> list[LabelCost]:
    wanted = {each.stratum for each in report.bill.wanted} if report.bill else set()
    return [each.cost for each in report.strata if each.cost and each.name in wanted]
