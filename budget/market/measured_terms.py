"""Measured terms in the form that a run's configuration takes."""

from pathlib import Path
from typing import Literal

from analysis.estimates import Estimate
from analysis.numbers import (
    interval_name,
    money,
    percent,
    span,
)
from annotation.errors import InputError
from annotation.files import whole_file
from annotation.intervals import Interval
from annotation.team.report import JudgmentReport, StratumReport

STRATA = ("easy", "medium", "hard")  # that a configuration can name


def as_estimate(interval: Interval) -> Estimate:
    """An interval in the form that `analysis.numbers` prints."""
    return Estimate(estimate=interval.estimate, low=interval.low, high=interval.high)


def terms_toml(
    report: JudgmentReport,
    error_kind: Literal["flip", "redraw"] = "flip",
    currency: str = "$",
    planned: dict[str, int] | None = None,
) -> str:
    """Sections [annotators.STRATUM] with cost and error rate of one judgment, as measured.

    Parameters
    ----------
    report
        What was measured.
    error_kind
        How the error rate is written: "flip", the share of wrong judgments itself, or "redraw",
        the redraw rate that errs as often.
    currency
        For the comments.
    planned
        Stratum -> judgments among which the cost of recruiting is shared out; where it is not
        given, recruiting is left out of the cost.

    Raises
    ------
    InputError
        If no stratum is one that a configuration can name, or the error rate of none is known.
    """
    usable = [each for each in report.strata if each.name in STRATA]
    if not usable:
        there = ", ".join(each.name for each in report.strata)
        raise InputError(
            f"a configuration has the strata {', '.join(STRATA)}, the judgments have: {there}; "
            "give --config, or --items with --measure and --cut, to cut items into those."
        )
    lines = [
        "# Terms measured from judgments by 'labelmix judgments report'.",
        "# Put these sections into a run's configuration in place of its own.",
    ]
    for stratum in usable:
        lines += ["", *_section(stratum, report, error_kind, currency, planned or {})]
    left_out = [each.name for each in report.strata if each.name not in STRATA]
    if left_out:
        lines += ["", f"# Not for a configuration: {', '.join(map(_plain, left_out))}."]
    return "\n".join(lines) + "\n"


def check_terms_path(path: Path | None, option: str) -> None:
    """Raise InputError if a file of such a name would not be taken for TOML."""
    if path is not None and path.suffix.lower() != ".toml":
        raise InputError(f"{option} {path}: is written as TOML; name it .toml.")


def write_terms(text: str, path: Path) -> None:
    """Write terms, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _section(
    stratum: StratumReport,
    report: JudgmentReport,
    error_kind: Literal["flip", "redraw"],
    currency: str,
    planned: dict[str, int],
) -> list[str]:
    kind = interval_name(report.confidence)
    lines = [f"[annotators.{stratum.name}]"]
    cost = stratum.cost
    if cost is None:
        lines.append("# cost is not known: no hourly rate was given, or no time measured")
    else:
        judgments = planned.get(stratum.name)
        amount = cost.over(judgments) if judgments else cost.per_judgment
        bounds = span(
            as_estimate(cost.interval.shifted(float(amount - cost.per_judgment))), "ratio"
        )
        note = f"per judgment; {kind} {bounds}"
        if cost.recruiting:
            shared = f"shared out among {judgments}" if judgments else "not included"
            note += f"; recruiting {money(float(cost.recruiting), currency)} {shared}"
        if amount > 0:
            lines.append(f"cost = {amount:f}  # {note}")
        else:
            lines.append("# cost is 0 as measured, which a plan cannot use")
    error = stratum.error
    rate = error.rate.estimate
    if rate is None:
        lines.append("# error_rate is not known: nothing to measure it by")
        return lines
    written = rate if error_kind == "flip" else stratum.redraw_rate
    share = f"{percent(rate)} of judgments wrong; {kind} {span(as_estimate(error.rate))} %"
    lines.append(f"error_rate = {written:.4f}  # {share}; by {error.method}")
    lines.append(f'error_kind = "{error_kind}"')
    return lines


def _plain(name: str) -> str:
    """A name that cannot leave its comment."""
    return " ".join(name.split())
