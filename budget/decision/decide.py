"""The decision: the plan, what it was chosen from, and what would change it."""

from dataclasses import dataclass, replace
from decimal import Decimal

from analysis.accuracy import interval
from budget.decision.alternatives import (
    against,
    best_plan,
    described,
    other_plans,
)
from budget.decision.error_doubts import error_doubts
from budget.decision.flips import compare_side
from budget.decision.insurance import insurance
from budget.decision.leftovers import left_because
from budget.decision.negotiation import negotiate
from budget.decision.result import Decision, RatePoint, Target
from budget.decision.rounds import next_round
from budget.decision.worth import worth_of
from budget.market.market import Market
from budget.search.modes import everything, reach_accuracy
from budget.search.plan import Plan, PlanSearch
from budget.surface.exchange_rate import next_label_rate
from budget.surface.response import ResponseSurface

_ALONG = (0.0, 0.25, 0.5, 1.0)  # shares of the plan's labels at which exchange rates are told


@dataclass(frozen=True)
class Question:
    """What is asked of the planner.

    Attributes
    ----------
    money : for new labels and training; None, with a target accuracy, for as much as it takes
    target_accuracy, probability : least cost for this accuracy with this probability; None for
        the most accuracy
    rounds_left : purchases that can still be made; None if nobody asked
    value_per_point : money that a percentage point of accuracy is worth
    choices : of an item, in the mean; of so many a label that is drawn at random is one
    """

    money: Decimal | None
    target_accuracy: float | None = None
    probability: float = 0.9
    rounds_left: int | None = None
    value_per_point: Decimal | None = None
    choices: int = 2


def decide(
    surface: ResponseSurface, market: Market, question: Question, with_sides: bool = True
) -> Decision:
    """Plan, and tell what else was possible and how sure the plan is.

    Without `with_sides` one stratum or supplier is not set against another, nor is a smaller risk
    priced: that takes ten times as long as all the rest.

    Raises InputError if the money does not pay for training, the target accuracy cannot be
    reached, or a number of the question is out of range; ValueError if the question has neither
    money nor a target.
    """
    search = PlanSearch(surface, market)
    target, money = None, question.money
    if question.target_accuracy is not None:
        reached = reach_accuracy(
            search, question.target_accuracy, question.probability, question.money
        )
        plan, money = reached.plan, reached.plan.cost
        target = Target(
            accuracy=question.target_accuracy,
            probability_asked=question.probability,
            probability=reached.probability,
        )
        others = other_plans(search, plan, money)
    elif money is not None:
        plan, others = best_plan(search, money)
    else:
        raise ValueError("a question should have money, or a target accuracy.")
    nothing_more = PlanSearch(surface, market.only(())).plan(everything(market))
    value = question.value_per_point
    rounds = question.rounds_left
    sides = [compare_side(search, name, money) for name in surface.others if with_sides]
    return Decision(
        plan=described(plan, surface),
        left_because=None if target else left_because(market, plan, money),
        now=interval(nothing_more.expected, nothing_more.forecast(surface)),
        others=against(plan, others, surface),
        sides=[side for side in sides if side is not None],
        rates=_rates(surface, market, plan),
        next_round=None if rounds is None else next_round(search, plan, money, rounds, value),
        worth=None if value is None else worth_of(search, plan, nothing_more, value),
        target=target,
        error_doubts=error_doubts(search, plan, money),
        negotiation=negotiate(search, money, question.choices) if with_sides else None,
        insurance=insurance(search, plan, target.accuracy) if target and with_sides else [],
    )


def _rates(surface: ResponseSurface, market: Market, plan: Plan) -> list[RatePoint]:
    """Exchange rates of the next labels on the way from what was bought to the whole plan."""
    as_planned = replace(surface, clean=plan.clean)
    points = []
    shares = _ALONG if plan.lines else _ALONG[:1]
    for name in surface.others:
        for share in shares:
            mix = {
                own: int(market.bought.get(own, 0) + share * plan.labels[own])
                for own in market.strata
            }
            at = surface if share == 0 else as_planned
            points.append(
                RatePoint(
                    **next_label_rate(at, name, mix).model_dump(),
                    stratum=name,
                    share=share,
                    cost=share * float(plan.cost - plan.training_cost),
                )
            )
    return points
