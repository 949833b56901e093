"""Measured terms in the form that a run's configuration takes."""

import json
import re
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
from annotation.intervals import Interval
from annotation.team.error_rates import WANTED_HALF_WIDTH, ErrorRate
from annotation.team.report import JudgmentReport, StratumReport
from annotation.truth.coding import UNNAMED
from annotation.whole_files import whole_file

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def as_estimate(interval: Interval) -> Estimate:
    """An interval in the form that `analysis.numbers` prints."""
    return Estimate(estimate=interval.estimate, low=interval.low, high=interval.high)


def gold_request(items: int) -> str:
    """What to ask for where an error rate is not known well enough."""
    answers = "item" if items == 1 else "items"
    return (
        f"About {items:,} more {answers} with a known answer would tell it to within "
        f"{100 * WANTED_HALF_WIDTH:.0f} points, for these annotators."
    )


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
        If the judgments tell of no stratum.
    """
    usable = [each for each in report.strata if each.name != UNNAMED]
    if not usable:
        raise InputError(
            "a configuration has terms per stratum, and the judgments tell of none; give --config, "
            "or --items with --measure and --cut, to cut items into strata."
        )
    lines = [
        "# Terms measured from judgments by 'labelmix judgments report'.",
        "# Put these sections into a run's configuration in place of its own.",
    ]
    for stratum in usable:
        lines += ["", *_section(stratum, report, error_kind, currency, planned or {})]
    if len(usable) < len(report.strata):
        lines += ["", "# Not for a configuration: judgments without a stratum."]
    return "\n".join(lines) + "\n"


def check_terms_path(path: Path | None, option: str) -> None:
    """Raise InputError if a file of such a name would not be taken for TOML."""
    if path is not None and path.suffix.lower() != ".toml":
        raise InputError(f"{option} {path}: is written as TOML; name it .toml.")


def write_terms(text: str, path: Path) -> None:
    """Write terms, whole or not at all; they tell what people are paid, to their owner alone.

    Raises InputError if the file cannot be written.
    """
    with whole_file(path, private=True) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _section(
    stratum: StratumReport,
    report: JudgmentReport,
    error_kind: Literal["flip", "redraw"],
    currency: str,
    planned: dict[str, int],
) -> list[str]:
    kind = interval_name(report.confidence)
    lines = [f"[annotators.{toml_key(stratum.name)}]"]
    cost = stratum.cost
    if cost is None:
        lines.append(
            "# cost is not known: give --rate or --fee; with --rate, times have to be measured"
        )
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
    scale = written / rate if rate and written is not None else 1.0
    ends = [
        None if end is None else min(end * scale, 1.0) for end in (error.rate.low, error.rate.high)
    ]
    return lines + range_lines(error, Interval(written, *ends))


def range_lines(error: ErrorRate, rate: Interval) -> list[str]:
    """Where the error rate may be, for a plan; `rate` is written as the error rate itself is.

    Rounding does not move the error rate out of its interval.
    """
    if rate.estimate is None or rate.low is None or rate.high is None:
        return []
    told = round(rate.estimate, 4)
    lines = [
        f"error_rate_low = {min(round(rate.low, 4), told):.4f}",
        f"error_rate_high = {max(round(rate.high, 4), told):.4f}",
    ]
    if error.shared_mistakes is not None:
        lines.append(f'shared_mistakes = "{error.shared_mistakes}"')
    if error.more_gold:
        lines.append(f"gold_items_wanted = {error.more_gold}  # {gold_request(error.more_gold)}")
    return lines


def toml_key(name: str) -> str:
    """A name as a key of TOML, quoted where it has to be."""
    return name if _BARE_KEY.fullmatch(name) else toml_text(name)


def toml_text(text: str) -> str:
    """A basic string of TOML; it escapes as JSON does, and DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
