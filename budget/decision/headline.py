"""The one thing to do now: every other sentence of a decision explains it."""

from collections.abc import Mapping
from typing import Literal

from analysis.numbers import (
    count,
    labels_text,
    money,
    points,
)
from budget.decision import wording as sentences
from budget.decision.result import Decision

Action = Literal["buy", "buy_first", "buy_less", "stop", "nothing_more", "not_yet"]


def action_of(decision: Decision, training_helps: bool) -> Action:
    """What to do now.

    - "not_yet": nothing that was trained is shown to beat no training
    - "nothing_more": no purchase is expected to do better than the pilot
    - "stop": no purchase is worth its money, at what a point of accuracy is worth
    - "buy_first": a part, `decision.next_round`, and then plan again
    - "buy_less": `decision.worth.best`; more is not worth its money
    - "buy": the plan
    """
    worth, first = decision.worth, decision.next_round
    if not training_helps:
        return "not_yet"
    if not decision.plan.lines:
        return "nothing_more"
    if worth is not None and worth.stop:
        return "stop"
    if first is not None and first.labels and (first.gain_value is None or first.gain_value > 0):
        return "buy_first"
    if worth is not None and worth.best_cost < worth.plan_cost:
        return "buy_less"
    return "buy"


def headline(
    decision: Decision, action: Action, currency: str, pilot: Mapping[str, int]
) -> tuple[str, str]:
    """What to do, and what the plan is that the rest of the page tells of; the latter may be ''."""
    plan = sentences.what_to_buy(decision, currency, pilot)
    if action == "not_yet":
        return "Do not buy yet: see the note at the end.", f"All the same, the best plan is: {plan}"
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
