"""What `labelmix judgments report` prints for a person, and as JSON."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from analysis.number_format import NOT_KNOWN, count, interval_name, money, percent, ratio, span
from annotation.judgments.intervals import Interval
from annotation.judgments.rejections import Rejection
from annotation.judgments.report import JudgmentReport, StratumReport
from budget.judgments_terms import as_estimate

MOST_ROWS = 20  # of annotators, warnings and rejected rows that are shown
_CAUTION = (
    "these error rates take the posterior for the truth: they tend to be too low and their "
    "intervals too narrow; put gold questions among the items to know better."
)
SCOPES = {
    "these": "these annotators, on items like these",
    "like_these": "annotators and items like these",
}
KINDS = {
    "shared": "the same classes for all items",
    "own choices": "choices of every item's own",
    "open": "answers that nobody listed",
}


def report_json(report: JudgmentReport, rejected: tuple[Rejection, ...]) -> dict[str, Any]:
    """The report as plain values; money as numbers, what is not known as null."""
    fields = {
        name: getattr(report, name)
        for name in report.__dataclass_fields__
        if name not in ("coded", "aggregate")
    }
    plain = {name: _plain(value) for name, value in fields.items()}
    plain["aggregator"] = report.aggregate.method
    plain["rejected"] = [asdict(rejection) for rejection in rejected]
    return plain


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def show_report(
    report: JudgmentReport, rejected: tuple[Rejection, ...], currency: str = "$"
) -> None:
    """Print tables of strata and annotators, warnings, rejected rows, and people needed."""
    console = Console(highlight=False, markup=False)
    console.print(_head(report))
    console.print(_error_table(report))
    console.print(_time_table(report, currency))
    console.print(_agreement_table(report))
    console.print(_annotator_table(report))
    if 0 < len(report.pairs) <= MOST_ROWS:
        console.print(_pairs_table(report))
    for line in _work_lines(report):
        console.print(line)
    if any(stratum.error.method not in ("gold", "hardness") for stratum in report.strata):
        console.print(f"note: {_CAUTION}", style="yellow")
    _show_some(console, "impossible times", report.warnings)
    _show_some(console, "left out", rejected)


def _head(report: JudgmentReport) -> str:
    fewest, most = report.choices
    choices = str(fewest) if fewest == most else f"{fewest} to {most}"
    return (
        f"{count(report.judgments)} judgments of {count(report.items)} items by "
        f"{count(len(report.annotators))} annotators; {count(report.cancelled)} cancelled, "
        f"{count(report.superseded)} superseded by a later one; labels are "
        f"{KINDS[report.label_kind]} ({choices} choices).\n"
        f"Intervals: {interval_name(report.confidence)}s, for {SCOPES[report.scope]}. "
        f"Labels by {report.aggregate.method}."
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
            stratum.error.method,
            percent(stratum.label_error),
        )
    return table


def _time_table(report: JudgmentReport, currency: str) -> Table:
    costs = ["cost per judgment"] if any(stratum.cost for stratum in report.strata) else []
    columns = ("stratum", "minutes, median", "mean", "with cancelled", *costs)
    table = Table(*columns, title="Time of a judgment" + (" and its cost" if costs else ""))
    for stratum in report.strata:
        work = stratum.work
        times = [_minutes(each) for each in (work.median, work.mean, work.per_label)]
        table.add_row(stratum.name, *times, *([_cost(stratum, currency)] if costs else []))
    return table


def _cost(stratum: StratumReport, currency: str) -> str:
    if stratum.cost is None:
        return NOT_KNOWN
    text = money(float(stratum.cost.per_label), currency)
    text += f" ({span(as_estimate(stratum.cost.interval), 'ratio')})"
    if stratum.cost.recruiting:
        text += f", and {money(float(stratum.cost.recruiting), currency)} once"
    return text


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


def _annotator_table(report: JudgmentReport) -> Table:
    shown = report.annotators[:MOST_ROWS]
    more = len(report.annotators) - len(shown)
    title = f"Annotators ({count(more)} more in --json)" if more else "Annotators"
    columns = ("annotator", "role", "judgments", "wrong", "agrees with others", "minutes, median")
    table = Table(*columns, title=title)
    for each in shown:
        table.add_row(
            each.name,
            each.role or "",
            count(each.judgments),
            _share(each.error.rate),
            _share(each.agrees),
            _minutes(each.work.median),
        )
    return table


def _pairs_table(report: JudgmentReport) -> Table:
    table = Table("annotators", "items of both", "Cohen's kappa", title="Pairs")
    for pair in report.pairs:
        table.add_row(f"{pair.first}, {pair.second}", count(pair.items), _ratio(pair.kappa))
    return table


def _work_lines(report: JudgmentReport) -> list[str]:
    lines = []
    done = report.throughput
    if done.labels_per_day.estimate is not None:
        hours = f", in {done.hours_per_day:.1f} hours of work" if done.hours_per_day else ""
        lines.append(
            f"An annotator finished {ratio(done.labels_per_day.estimate)} labels a day "
            f"({span(as_estimate(done.labels_per_day), 'ratio')}){hours}; "
            f"{count(done.annotator_days)} such days were seen."
        )
    needed = report.staffing
    if needed is not None:
        people = "annotator" if needed.annotators == 1 else "annotators"
        lines.append(
            f"{needed.hours:,.1f} hours of work: {count(needed.annotators)} {people} can do it in "
            f"{needed.days:g} days of {needed.hours_per_day:g} hours; to be safe, take "
            f"{count(needed.annotators_to_be_safe)}."
        )
    return lines


def _show_some(console: Console, title: str, things: tuple[object, ...]) -> None:
    for thing in things[:MOST_ROWS]:
        console.print(f"{title}: {thing}", style="yellow")
    if len(things) > MOST_ROWS:
        console.print(f"{title}: {len(things) - MOST_ROWS:,} more, see --json", style="yellow")


def _share(interval: Interval) -> str:
    if interval.estimate is None:
        return NOT_KNOWN
    return f"{percent(interval.estimate)} ({span(as_estimate(interval))})"


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
