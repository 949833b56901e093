"""The explorer in words: what to buy, why, and what else was possible."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from analysis.estimates import Estimate
from analysis.numbers import count, interval_name, labels_text, money, percent, points, span
from analysis.run.verdicts import plain_name
from analysis.run.wording import WITHOUT_LABELS, method_name
from budget.decision import wording as sentences
from budget.decision.by_budget import BEST, BudgetCurve
from budget.decision.headline import against_forecast, headline
from budget.decision.replan import Replan
from budget.decision.result import PurchaseLine
from budget.web.chart import Chart, Mark, PlottedCurve, charts

_LOOKS = ("second", "third", "fourth", "fifth")


class ExploreFacts(BaseModel):
    """What the explorer tells: the decision, and accuracy by budget."""

    decision: Replan
    by_budget: list[BudgetCurve]


def explore_view(facts: ExploreFacts) -> dict[str, object]:
    """What the template of the answer needs."""
    own, currency = facts.decision, facts.decision.currency
    decision = own.decision
    first, then = headline(decision, own.action, currency, own.pilot.labels, own.better_rule)
    notes = [sentences.error_doubt(doubt) for doubt in decision.error_doubts]
    if own.better_rule is not None and own.action != "rule":
        notes.insert(0, against_forecast(own.better_rule))
    return {
        "first": first,
        "then": then,
        "gives": sentences.what_it_gives(decision, own.target, own.confidence),
        "reaches": "" if decision.target is None else sentences.what_reaches(decision.target),
        "runner_up": sentences.runner_up(decision, currency) if decision.plan.lines else "",
        "worth": "" if decision.worth is None else sentences.worth(decision.worth, currency),
        "next_round": ""
        if decision.next_round is None or not decision.tells_next_round
        else sentences.next_step(decision.next_round, currency),
        "facts": _facts(own),
        "lines": [_line(line, currency) for line in decision.plan.lines],
        "others": _others(own),
        "interval": interval_name(own.confidence),
        "target": own.target,
        "method": method_name(own.method),
        "notes": notes,
        "warnings": own.warnings,
        "charts": _charts(facts),
        "kinds": [(kind_title(c.kind), _look(k)) for k, c in enumerate(facts.by_budget)],
    }


def turns_view(own: Replan) -> list[tuple[str, list[str]]]:
    """What would turn the decision: for every other stratum a title and sentences."""
    found = []
    for side in own.decision.sides:
        told = sentences.sides(side, own.currency)
        if (tested := own.tested_sides.get(side.stratum)) is not None:
            told.append(sentences.tested_in_the_run(side, tested))
        if (rate := own.exchange_rates.get(side.stratum)) is not None:
            told.append(sentences.rate_of_the_pilot(rate, own.confidence))
        found.append((f"{side.stratum} or {side.target}?", told))
    return found


def _facts(own: Replan) -> list[tuple[str, str, str]]:
    """Name, number and its note."""
    expected, plan, currency = own.decision.plan.expected_accuracy, own.plan, own.currency
    because = own.decision.left_because
    why = "" if because is None else sentences.why_money_is_left(because)
    return [
        ("expected accuracy", percent(expected.estimate), f"{span(expected)} %"),
        ("without buying more", percent(own.decision.now.estimate), "the pilot alone"),
        ("costs in all", money(plan.cost, currency), f"pilot {money(own.pilot.cost, currency)}"),
        ("is left", money(plan.money_left, currency), why),
    ]


def _line(line: PurchaseLine, currency: str) -> dict[str, object]:
    return {
        "stratum": line.stratum,
        "supplier": sentences.supplier_name(line.supplier),
        "labels": count(line.labels),
        "judgments": count(line.judgments),
        "clean": percent(line.clean_share, 0),
        "each": money(line.cost / line.labels, currency),
        "cost": money(line.cost, currency),
    }


def _others(own: Replan) -> list[dict[str, object]]:
    """The plan, other purchases, simple rules, and what needs no label."""
    decision, currency = own.decision, own.currency

    def row(
        name: str,
        labels: Mapping[str, int],
        cost: float,
        expected: Estimate,
        better: str,
        kind: str,
    ) -> dict[str, object]:
        bought = labels_text(dict(labels)).removesuffix(" labels") if any(labels.values()) else ""
        return {
            "name": name,
            "labels": bought or "none",
            "cost": money(cost, currency),
            "expected": percent(expected.estimate),
            "between": f"{span(expected)} %" if expected.low is not None else "",
            "better": better,
            "kind": kind,
        }

    plan = decision.plan
    found = [row("plan", plan.labels, plan.cost, plan.expected_accuracy, "", "plan")]
    for other in decision.others:
        chance = sentences.probability(other.probability_plan_better)
        better = f"{points(other.plan_minus_this.estimate)} ({chance})"
        accuracy = other.expected_accuracy
        found.append(row(other.kind, other.labels, other.cost, accuracy, better, "other"))
    for name, rule in own.alternatives.items():
        accuracy = rule.expected_accuracy
        found.append(row(plain_name(name), rule.labels, rule.cost, accuracy, "", "rule"))
    for key, accuracy in own.without_labels.items():
        found.append(row(WITHOUT_LABELS[key], {}, 0, accuracy, "", "none"))
    return found


def _charts(facts: ExploreFacts) -> list[Chart]:
    own = facts.decision
    drawn = [
        PlottedCurve(
            kind_title(curve.kind),
            _look(place),
            curve.budgets,
            _numbers(curve.accuracy, "estimate"),
            # Bands of all would cover each other.
            _numbers(curve.accuracy, "low") if curve.kind == BEST else None,
            _numbers(curve.accuracy, "high") if curve.kind == BEST else None,
        )
        for place, curve in enumerate(facts.by_budget)
    ]
    expected, spent = own.decision.plan.expected_accuracy, own.plan.cost
    ends = (expected.estimate, expected.low, expected.high)
    mark = None
    if ends[0] is not None and ends[1] is not None and ends[2] is not None:
        mark = Mark(spent, ends[0], ends[1], ends[2])
    if not drawn:
        return []
    told = f"Expected accuracy on {own.target} items by money spent, pilot included. " + " ".join(
        _told(curve, own.currency) for curve in facts.by_budget
    )
    return charts(
        drawn, mark, f"money spent in all, {own.currency}", f"right on {own.target} items", told
    )


def kind_title(kind: str) -> str:
    """How a curve is called on the page."""
    return "best purchase" if kind == BEST else kind.removesuffix(" labels")


def _look(place: int) -> str:
    return "first" if place == 0 else _LOOKS[(place - 1) % len(_LOOKS)]


def _told(curve: BudgetCurve, currency: str) -> str:
    first, last = curve.accuracy[0], curve.accuracy[-1]
    return (
        f"{kind_title(curve.kind)}: {percent(first.estimate)} for "
        f"{money(curve.budgets[0], currency)}, {percent(last.estimate)} for "
        f"{money(curve.budgets[-1], currency)}."
    )


def _numbers(accuracy: Sequence[Estimate], which: str) -> list[float]:
    return [float(getattr(own, which) or 0.0) for own in accuracy]
