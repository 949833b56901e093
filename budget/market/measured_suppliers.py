"""What was measured of annotators, in the form of the file of suppliers that a plan takes."""

from itertools import groupby

from analysis.numbers import (
    interval_name,
    money,
    percent,
    span,
)
from annotation.errors import InputError
from annotation.team.report import JudgmentReport
from annotation.team.role_rates import RoleStratum
from annotation.truth.coding import UNNAMED
from budget.market.measured_terms import as_estimate, range_lines, toml_key, toml_text
from budget.market.offers import MOST_JUDGMENTS

_EVERYBODY, _OTHERS = "annotators", "others"  # where nobody, or not everybody, has a role


def suppliers_toml(
    report: JudgmentReport,
    judgments_per_label: int = 1,
    hours_per_day: float = 6.0,
    currency: str | None = None,
) -> str:
    """A file of suppliers, one for every role, or one of all annotators.

    See `budget.market.supplier_file`.

    Of every stratum that a role judged: cost, error rate and seconds of a judgment, and what
    recruiting costs once.

    Parameters
    ----------
    report
        What was measured; hourly rates or a fee have to be known.
    judgments_per_label
        How many judgments a label is bought with, at most 7.
    hours_per_day
        That each annotator works, for plans with a deadline.
    currency
        That of what is paid; None where it was not named, and comments say "$".

    Raises
    ------
    InputError
        If neither hourly rates nor a fee were given, a label has too many judgments, or cost and
        error rate are known of no stratum that a run can sell.
    """
    if report.bill is None:
        raise InputError(
            "suppliers need a cost: give --rate, or --fee where every label is paid alike."
        )
    if judgments_per_label > MOST_JUDGMENTS:
        raise InputError(
            f"a plan takes at most {MOST_JUDGMENTS} judgments per label; got {judgments_per_label}."
        )
    lines = [
        "# Suppliers measured from judgments by 'labelmix judgments report'.",
        "# labelmix plan RUN --suppliers THIS_FILE; numbers are of one judgment, edit them freely.",
    ]
    if currency is not None:
        lines += ["", f"currency = {toml_text(currency)}"]
    there = 0
    for role, group in groupby(report.roles, key=lambda each: each.role):
        measured = list(group)
        name = role or (_OTHERS if len({each.role for each in report.roles}) > 1 else _EVERYBODY)
        while role is None and any(each.role == name for each in report.roles):
            name += "_"
        sections = [_stratum(name, each, report, currency or "$") for each in measured]
        usable = [section for section in sections if not section[0].startswith("#")]
        there += len(usable)
        lines.append("")
        if usable:
            key = toml_key(name)
            lines += [f"[suppliers.{key}]", f"role = {toml_text(name)}"]
            lines.append(
                f"judgments = [{judgments_per_label}]  # per label; [1, 3] lets a plan choose, "
                "as if nobody shared mistakes"
            )
            lines += [line for section in usable for line in section]
            lines += ["", f"[roles.{key}]"]
            lines.append(f"people = {len(_people(report, role))}  # who judged")
            lines.append(f"hours_per_day = {hours_per_day:g}")
        lines += [line for section in sections if section not in usable for line in section]
    if not there:
        raise InputError(
            "cost and error rate are known of no stratum that a run can sell; the strata are: "
            f"{', '.join(dict.fromkeys(each.stratum for each in report.roles))}."
        )
    return "\n".join(lines) + "\n"


def _people(report: JudgmentReport, role: str | None) -> list[str]:
    return [each.name for each in report.annotators if each.role == role]


def _stratum(name: str, each: RoleStratum, report: JudgmentReport, currency: str) -> list[str]:
    """The lines of one stratum; one comment where a plan could not use it."""
    stratum, rate, cost = each.stratum, each.error.rate, each.cost
    of = f"# {' '.join(name.split())}, {' '.join(stratum.split())}: left out,"
    if stratum == UNNAMED and len(report.strata) > 1:
        return [f"{of} judgments without a stratum"]
    if cost is None or cost.per_judgment == 0:
        return [f"{of} the cost is {'not known' if cost is None else '0, which no plan can use'}"]
    if rate.estimate is None:
        return [f"{of} nothing to measure the error rate by"]
    kind = interval_name(report.confidence)
    lines = (
        []
        if stratum == UNNAMED
        else ["", f"[suppliers.{toml_key(name)}.strata.{toml_key(stratum)}]"]
    )
    bounds = span(as_estimate(cost.interval), "ratio")
    lines.append(f"cost = {cost.per_judgment:f}  # {kind} {bounds}; {each.judgments} judgments")
    share = f"{percent(rate.estimate)} wrong; {kind} {span(as_estimate(rate))} %"
    lines.append(f"error_rate = {rate.estimate:.4f}  # {share}; by {each.error.method}")
    lines.append('error_kind = "flip"')
    lines += range_lines(each.error, rate)
    if each.work.with_cancelled.estimate is not None:
        lines.append(f"seconds = {each.work.with_cancelled.estimate:.1f}")
    if cost.recruiting:
        once = money(float(cost.recruiting), currency)
        lines.append(f"fixed_cost = {cost.recruiting:f}  # recruiting, {once} once")
    return lines
