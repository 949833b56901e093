"""The one thing to do now: every other sentence of a decision explains it."""

from collections.abc import Mapping
from typing import Literal

from analysis.estimates import Estimate
from analysis.numbers import count, labels_text, money, percent, points
from analysis.run.conclusion import Advice
from analysis.run.result import MixSummary
from analysis.run.verdicts import plain_name
from budget.decision import wording as sentences
from budget.decision.result import Decision

Action = Literal["buy", "buy_first", "buy_less", "stop", "nothing_more", "not_yet", "rule"]


class BetterRule(MixSummary):
    """A simple rule that the run's own test shows to be better than its plan."""

    name: str
    accuracy: Estimate  # after training on it
    plan_accuracy: Estimate  # after training on the run's plan
    same_plan: bool  # whether the plan of this decision is the run's, at the run's prices


def action_of(decision: Decision, advice: Advice, rule: BetterRule | None) -> Action:
    """What to do now, by what the run's evidence comes to and then by the decision.

    - "not_yet": the run's plan is not shown to beat what needs no label
    - "rule": as a simple rule buys, which did better in the run's test than this very plan
    - "nothing_more": no purchase is expected to do better than the pilot
    - "stop": no purchase is worth its money, at what a point of accuracy is worth
    - "buy_first": a part, `decision.next_round`, and then plan again
    - "buy_less": `decision.worth.best`; more is not worth its money
    - "buy": the plan
    """
    worth, first = decision.worth, decision.next_round
    if advice == "not_yet":
        return "not_yet"
    if rule is not None and rule.same_plan:
        return "rule"
    if not decision.plan.lines:
        return "nothing_more"
    if worth is not None and worth.verdict == "nothing":
        return "stop"
    if first is not None and first.verdict == "first":
        return "buy_first"
    if worth is not None and worth.verdict == "less":
        return "buy_less"
    return "buy"


def headline(
    decision: Decision,
    action: Action,
    currency: str,
    pilot: Mapping[str, int],
    rule: BetterRule | None = None,
) -> tuple[str, str]:
    """What to do, and what the plan is that the rest of the page tells of; the latter may be ''."""
    plan = sentences.what_to_buy(decision, currency, pilot)
    lowered = sentences.lowered(plan)
    if action == "not_yet":
        return (
            "Do not buy yet: the run's plan is not shown to do better than what needs no label.",
            f"All the same, by the forecast the best plan is: {lowered}",
        )
    if action == "rule":
        assert rule is not None
        return (
            f"Buy {labels_text(rule.labels)} for {money(rule.cost, currency)}, as the simple rule "
            f"\u201c{plain_name(rule.name)}\u201d does: {_tested(rule)}.",
            f"By the forecast alone, the plan would be, beyond the pilot: {lowered}",
        )
    if action == "stop":
        assert decision.worth is not None
        each = money(decision.worth.value_per_point, currency)
        return (
            f"Buy nothing beyond the pilot: at {each} a point no purchase is worth its money.",
            f"The most accuracy that the money buys would be: {plan}",
        )
    if action == "buy_first":
        assert decision.next_round is not None
        first = decision.next_round
        return (
            f"Buy first {labels_text(first.labels)} for {money(first.cost, currency)}, train, and "
            f"plan again ({count(first.rounds_left)} rounds are left; that is worth "
            f"{points(first.gain)} points on average).",
            f"As things stand, the whole purchase would be: {plan}",
        )
    if action == "buy_less":
        assert decision.worth is not None
        worth = decision.worth
        smaller = decision.model_copy(update={"plan": worth.best})
        each = money(worth.value_per_point, currency)
        return (
            f"{sentences.what_to_buy(smaller, currency, pilot).removesuffix('.')}: at {each} a "
            "point more is not worth its money.",
            f"The most accuracy that the money buys would be: {plan}",
        )
    return plan, ""


def against_forecast(rule: BetterRule) -> str:
    """That the run's test speaks against the forecast that plans are made of."""
    return (
        "The run's own test speaks against the forecast that this plan is made of: "
        f"{_tested(rule)} (\u201c{plain_name(rule.name)}\u201d)."
    )


def _tested(rule: BetterRule) -> str:
    return (
        f"trained and tested, the rule got {percent(rule.accuracy.estimate)}, the run's plan "
        f"{percent(rule.plan_accuracy.estimate)}"
    )
