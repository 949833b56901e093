"""The sentences of `labelmix judgments report` on work, people and money."""

from analysis.numbers import (
    count,
    money,
    ratio,
    span,
)
from annotation.team.label_cost import LabelCost
from annotation.team.report import JudgmentReport
from budget.market.measured_terms import as_estimate


def work_lines(report: JudgmentReport) -> list[str]:
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


def bill_lines(report: JudgmentReport, currency: str) -> list[str]:
    """What the judgments cost and what the labels wanted will; nothing without hourly rates."""
    bill = report.bill
    if bill is None:
        return []
    lines = [f"These judgments cost {money(float(bill.so_far), currency)}, recruiting apart."]
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
