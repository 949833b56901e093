"""The report of a run: one self-contained HTML page for whoever decides what to buy.

The page loads nothing from anywhere: styles stand in it, figures are inline SVG, there are no
scripts. All text of the result is escaped. The same result gives the same bytes; the run's times
are left out, so an interrupted and resumed run gives the same page as an uninterrupted one.
"""

from pathlib import Path

from markupsafe import Markup

from analysis.html_page import filled_template
from analysis.numbers import interval_name, labels_text, money
from analysis.run import (
    before_buying,
    caveats,
    label_source,
    report_tables,
    verdicts,
    wording,
)
from analysis.run.conclusion import Conclusion, conclude
from analysis.run.figures import exchange_rate_figure, has_logarithmic_money, learning_curve
from analysis.run.result import RunResult
from annotation.errors import InputError
from annotation.whole_files import whole_file


def render_report(result: RunResult) -> str:
    """The report as one self-contained HTML page.

    Raises InputError if the result has nothing on its own planning method.
    """
    if result.planning_method not in result.methods:
        raise InputError(
            f"result {result.name!r}: methods has no {result.planning_method!r}, the planning "
            f"method, only {sorted(result.methods)}; run 'labelmix run' again."
        )
    planning = result.methods[result.planning_method]
    found = conclude(result)
    others = [key for key in result.methods if key != result.planning_method]
    return filled_template(
        "analysis.run",
        "report_template.html",
        result=result,
        interval=interval_name(result.confidence),
        planning_method=wording.method_name(result.planning_method),
        facts=_facts(result, found),
        recommendation=wording.recommendation(result, found),
        reason=wording.reason(result, found),
        labels_from=" ".join(label_source.where_labels_came_from(result)),
        words=verdicts.words_of(result),
        tested=report_tables.tested(
            result,
            planning,
            found,
            "this purchase" if found.advice == "plan" else "the plan",
        ),
        after_the_pilot=wording.after_the_pilot(result, found),
        notices=caveats.notices(result, found),
        curve=Markup(learning_curve(result)),
        curve_compact=Markup(learning_curve(result, compact=True)),
        logarithmic=has_logarithmic_money(result),
        fits=verdicts.surface_fits(planning.surface),
        lent=before_buying.cross_validation(result, planning),
        break_even=report_tables.break_even_sentences(planning, result.confidence, found),
        crossovers=wording.crossovers(planning, result.currency, found),
        crossovers_drawn=any(own.verdict == "changes" for own in planning.crossovers.values()),
        rate_figures=_rate_figures(result),
        easiest=report_tables.easiest(result),
        others_are=report_tables.how_hard_others_are(result),
        gap=report_tables.gap_sentence(result, planning),
        gap_terms=report_tables.gap_terms(result, planning),
        gap_resolved=verdicts.has_sgr(planning.sgr),
        table=report_tables.alternatives(result, result.planning_method),
        others=[report_tables.other_method(result, key) for key in others],
        strata=report_tables.strata_rows(result),
        assumptions=caveats.assumptions(result),
        measured=report_tables.what_was_measured(result, planning),
    )


def write_report(result: RunResult, path: Path) -> None:
    """Write the report to `path`, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    page = render_report(result)
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _facts(result: RunResult, found: Conclusion) -> list[tuple[str, str]]:
    """The four amounts at the top."""
    plan, currency = result.plan, result.currency
    budget = ("Budget", money(result.budget, currency))
    if found.advice == "not_yet":
        kept = max(result.budget - result.pilot.cost, 0.0)
        return [
            budget,
            ("The pilot would cost", money(result.pilot.cost, currency)),
            ("Left over", money(kept, currency)),
            ("To buy beyond the pilot", "nothing yet"),
        ]
    if found.advice == "rule":
        assert found.rule is not None
        _, rule = found.rule
        return [
            budget,
            ("The rule costs", money(rule.cost, currency)),
            ("Left over", money(max(result.budget - rule.cost, 0.0), currency)),
            ("To buy", labels_text(rule.labels, result.strata)),
        ]
    after = labels_text(plan.labels_after_pilot, result.strata)
    to_pay = money(max(plan.cost - result.pilot.cost, 0.0), currency)
    return [
        budget,
        ("The plan costs", money(plan.cost, currency)),
        ("Left over", money(plan.money_left, currency)),
        ("To buy beyond the pilot", f"{after}, {to_pay}"),
    ]


def _rate_figures(result: RunResult) -> list[Markup]:
    """The exchange-rate figure, wide and compact; empty where no rate is resolved."""
    drawn = (exchange_rate_figure(result), exchange_rate_figure(result, compact=True))
    return [Markup(figure) for figure in drawn if figure is not None]
