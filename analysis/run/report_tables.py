"""The tables and lists of the report: numbers of a result as text, row by row."""

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.estimates import Estimate
from analysis.numbers import (
    count,
    interval_name,
    is_number,
    money,
    percent,
    points,
    ratio,
    sgr_cost_unit,
    span,
)
from analysis.over_untrained import MARK
from analysis.run import before_buying, caveats, label_source, verdicts, wording
from analysis.run.conclusion import (
    Conclusion,
    as_planned_with,
    conclude,
    not_above,
    without_labels,
)
from analysis.run.result import (
    Baseline,
    ExchangeRate,
    MethodResult,
    RunResult,
)


@dataclass(frozen=True)
class TableCell:
    """A number in a table and, below it, its interval or another remark; both may be empty."""

    main: str
    note: str = ""
    muted: bool = False  # a difference that is not distinguishable from zero


@dataclass(frozen=True)
class AlternativeRow:
    """One purchase in the table of alternatives."""

    name: str
    description: str
    labels: list[str]  # one per stratum for sale
    cost: str
    expected: TableCell
    measured: TableCell
    plan_ahead: TableCell
    sgr_per_cost: TableCell


@dataclass(frozen=True)
class Alternatives:
    """The table of alternatives of one method."""

    identifier: str
    caption: str
    strata: list[str]
    rows: list[AlternativeRow]
    sgr_heading: str  # empty: the gap is not resolved, and there is no such column


@dataclass(frozen=True)
class MethodSection:
    """What another method than the planning one found out."""

    name: str
    break_even: list[str]
    gap: str
    tested: str
    table: Alternatives


NOT_APPLICABLE = TableCell("\u2013")


def break_even_sentences(method: MethodResult, confidence: float, found: Conclusion) -> list[str]:
    """What one label of each other stratum is worth, in words."""
    return [wording.break_even(rate, confidence, found) for rate in rates(method)]


def rates(method: MethodResult) -> Iterable[ExchangeRate]:
    """Exchange rates of the strata other than the target."""
    return (rate for rate in method.exchange_rates.values() if rate.stratum != rate.target)


def easiest(result: RunResult) -> str:
    """The stratum whose training is the 'easy' arm of the supervision gap."""
    return result.exchange_rate.stratum


def how_hard_others_are(result: RunResult) -> str:
    """Whether the labels of the 'easy' arm are easier than the target's, or harder."""
    names = list(result.strata)
    return "easier" if names.index(easiest(result)) < names.index(result.target) else "harder"


def gap_sentence(result: RunResult, method: MethodResult) -> str:
    """The supervision gap recovered, or that it is not resolved, in words."""
    return wording.supervision_gap(method.sgr, easiest(result), result.target, result.confidence)


def tested(result: RunResult, method: MethodResult, found: Conclusion, purchase: str) -> str:
    """The plan's measured accuracy against the best simple rule, with where its labels are from."""
    trained_on = f"{purchase} ({verdicts.words_of(result).trained_on})"
    return wording.tested(method, result.target, result.confidence, found, trained_on)


def gap_terms(result: RunResult, method: MethodResult) -> list[tuple[str, str, TableCell]]:
    """The three terms of SGR and the gap: what was trained, on how many labels, accuracy."""
    gap = method.sgr
    number = count(gap.labels)
    easy, hard = easiest(result), result.target
    kind = verdicts.words_of(result).kind

    def arm(name: str) -> str:
        return f"{name}_equal_count"

    return [
        (
            f"Trained on {kind}{hard} labels",
            number,
            _trained_cell(result, result.planning_method, arm(hard), gap.hard),
        ),
        (
            f"Trained on {kind}{easy} labels",
            number,
            _trained_cell(result, result.planning_method, arm(easy), gap.easy),
        ),
        ("Zero-shot (no training)", "0", _accuracy_cell(gap.unsupervised)),
        (
            f"Gap: {hard} minus zero-shot",
            "",
            _difference_cell(gap.gap, unit=" points"),
        ),
    ]


def _trained_cell(result: RunResult, key: str, condition: str, own: Estimate | None) -> TableCell:
    """A measured accuracy, marked where it is not resolved to be above what needs no label."""
    cell = _accuracy_cell(own)
    below = not_above(result, key, condition, own)
    if own is None or cell is NOT_APPLICABLE or not below:
        return cell
    names = " and ".join(wording.WITHOUT_LABELS[name] for name in below)
    note = f"{cell.note}, " if cell.note else ""
    return TableCell(f"{cell.main} {MARK}", f"{note}not resolved above {names}")


def _accuracy_cell(estimate: Estimate | None) -> TableCell:
    if estimate is None or not is_number(estimate.estimate):
        return NOT_APPLICABLE
    known = estimate.low is None or estimate.low == estimate.high  # not from a test
    return TableCell(percent(estimate.estimate), "" if known else span(estimate))


def _difference_cell(difference: Estimate, unit: str = "") -> TableCell:
    if not is_number(difference.estimate):
        return NOT_APPLICABLE
    clear = verdicts.distinguishable(difference)
    note = span(difference, "points")
    return TableCell(
        points(difference.estimate) + unit, note if clear else f"{note}, unclear", muted=not clear
    )


def alternatives(result: RunResult, key: str) -> Alternatives:
    """The table of alternatives of one method: plan, simple rules, zero-shot."""
    method = result.methods[key]
    gap_resolved = verdicts.has_sgr(method.sgr)
    per_cost = (method.sgr_per_cost or {}) if gap_resolved else {}
    unit = sgr_cost_unit(own.estimate or 0.0 for own in per_cost.values())
    strata = [name for name, stratum in result.strata.items() if stratum.cost is not None]

    def row(
        name: str,
        description: str,
        labels: dict[str, int],
        cost: float,
        expected: TableCell,
        measured: TableCell,
        ahead: TableCell,
    ) -> AlternativeRow:
        spelled = {verdicts.plain_name(condition): value for condition, value in per_cost.items()}
        value = spelled.get(name)
        return AlternativeRow(
            name=name,
            description=description,
            labels=[count(labels.get(stratum, 0)) for stratum in strata],
            cost=money(cost, result.currency),
            expected=expected,
            measured=measured,
            plan_ahead=ahead,
            sgr_per_cost=_sgr_per_cost(value, unit),
        )

    def rule(name: str, baseline: Baseline) -> AlternativeRow:
        return row(
            verdicts.plain_name(name),
            baseline.description,
            baseline.labels,
            baseline.cost,
            _accuracy_cell(baseline.expected_accuracy),
            _trained_cell(result, key, name, baseline.accuracy),
            _difference_cell(baseline.plan_minus_baseline),
        )

    plan, name = method.plan, wording.method_name(key)
    expected = _accuracy_cell(plan.expected_accuracy)
    found = _trained_cell(result, key, "plan", verdicts.measured(method, "plan"))
    text = f"own plan with {name}"
    if verdicts.same_plan(result, method):
        recommended = conclude(result).advice == "plan"
        text = "recommended above" if recommended else "as the pilot suggests"
    rows = [row("plan", text, plan.labels, plan.cost, expected, found, NOT_APPLICABLE)]
    rows += [rule(baseline_name, baseline) for baseline_name, baseline in method.baselines.items()]
    rows += [
        row(named, text, {}, 0.0, NOT_APPLICABLE, _accuracy_cell(own), ahead)
        for named, text, own, ahead in _without_labels(result, key)
    ]
    return Alternatives(
        identifier=f"alternatives-{list(result.methods).index(key) + 1}",
        caption=f"Ways to spend {money(result.budget, result.currency)}, trained with {name}",
        strata=strata,
        rows=rows,
        sgr_heading=f"SGR per {money(unit, result.currency)}" if per_cost else "",
    )


def _without_labels(result: RunResult, key: str) -> Iterable[tuple[str, str, Estimate, TableCell]]:
    """What needs no label: its name, what it is, its accuracy, and how far the plan is ahead."""
    ahead = result.methods[key].over_untrained.get("plan", {})
    for name, own in without_labels(as_planned_with(result, key)).items():
        difference = ahead.get(name)
        cell = NOT_APPLICABLE if difference is None else _difference_cell(difference)
        yield wording.WITHOUT_LABELS[name], wording.what_needs_no_label(result, name), own, cell


def _sgr_per_cost(value: Estimate | None, unit: int) -> TableCell:
    """SGR per `unit` of currency; a negative one is no amount per money and gets no number."""
    if value is None or value.estimate is None:
        return NOT_APPLICABLE

    def told(end: float) -> str:
        return percent(end * unit) if end >= 0 else "negative"

    if value.low is None or value.high is None or value.high < 0:
        return TableCell(told(value.estimate))
    low, high = (told(end).removesuffix(" %") for end in (value.low, value.high))
    return TableCell(told(value.estimate), f"{low} to {high}")


def other_method(result: RunResult, key: str) -> MethodSection:
    """The section of a method that the plan does not rest on."""
    method, found = result.methods[key], conclude(as_planned_with(result, key))
    purchase = "its own plan, shown below"
    if verdicts.same_plan(result, method):
        purchase = "this purchase" if conclude(result).advice == "plan" else "the plan"
    return MethodSection(
        name=wording.method_name(key),
        break_even=[
            *break_even_sentences(method, result.confidence, found),
            *wording.crossovers(method, result.currency, found),
            *before_buying.scoring(method, result.target),
            *before_buying.guessed_labels(method, result.strata, result.target),
        ],
        gap=gap_sentence(result, method),
        tested=tested(result, method, found, purchase),
        table=alternatives(result, key),
    )


def strata_rows(result: RunResult) -> list[tuple[str, str, str, str, str, str, str, str]]:
    """Per stratum: name, rule, items, test items, buyable items, cost, errors, origin."""
    return [
        (
            name,
            stratum.rule,
            count(stratum.items),
            count(stratum.test_items),
            count(stratum.pool_items),
            money(stratum.cost, result.currency) if stratum.cost is not None else "not for sale",
            label_source.error_rate(result, name),
            label_source.basis(result, name),
        )
        for name, stratum in result.strata.items()
    ]


_SCORES = {
    "sum": "the whole log-probability of its text",
    "token": "log-probability per token",
    "character": "log-probability per character",
}


def _asked(result: RunResult) -> list[tuple[str, str]]:
    """The prompt, and what choices are compared by; nothing of an encoder."""
    asked = result.prompt
    if asked is None:
        return []
    by = _SCORES.get(asked.normalisation, asked.normalisation)
    return [("Prompt", f"{asked.version}; untrained, a choice is scored by {by}")]


def what_was_measured(result: RunResult, planning: MethodResult) -> list[tuple[str, str]]:
    """What was measured, and with what."""
    model, trials = result.model, result.trials
    by_method = ", ".join(
        f"{count(number)} {wording.method_name(method)}"
        for method, number in trials.by_method.items()
    )
    test_items = result.strata[result.target].test_items if result.target in result.strata else 0
    return [
        ("Items", f"{count(result.items)} from {result.source}"),
        ("Hardness", f"measured by {result.measure}; larger is harder"),
        (
            "Test items",
            f"{count(test_items)} {result.target} items, the same for every purchase, so that "
            "differences are paired",
        ),
        (
            "Guessing",
            f"{percent(result.chance_accuracy)} right with "
            f"{ratio(result.choices_per_item).removesuffix('.0')} choices per item",
        ),
        (
            "Model",
            f"{model.name}, revision {model.revision}, {model.kind} with "
            f"{count(model.parameters)} parameters",
        ),
        *_asked(result),
        ("Trainings", f"{count(trials.total)} trials ({by_method})"),
        ("Seeds", caveats.seeds_text(result.seeds)),
        *(("Unlabelled items", said) for said in before_buying.scoring(planning, result.target)),
        *(
            ("Guessed labels", said)
            for said in before_buying.guessed_labels(planning, result.strata, result.target)
        ),
        ("Fit", caveats.surface_fit(planning.surface)),
        ("Intervals", f"{interval_name(result.confidence)}s throughout"),
    ]
