"""Whether a purchase is worth its money, at what a point of accuracy is worth."""

from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError
from budget.decision.alternatives import described
from budget.decision.result import Worth
from budget.search.plan import Plan, PlanSearch

_SPENDING = tuple(Fraction(k, 20) for k in (1, 2, 3, 5, 7, 10, 15))  # shares of a plan's cost


def worth_of(search: PlanSearch, plan: Plan, now: Plan, value_per_point: Decimal) -> Worth:
    """What the plan's accuracy is worth against its cost, and the purchase that gains the most.

    `now` is the plan that buys nothing more. Smaller purchases are the plans of shares of the
    plan's cost.

    Raises InputError if a point of accuracy is worth nothing.
    """
    if not value_per_point > 0:
        raise InputError(f"a point of accuracy should be worth something; got {value_per_point}.")

    def value(own: Plan) -> float:
        return 100 * (own.expected - now.expected) * float(value_per_point)

    def spent(own: Plan) -> float:
        return float(own.cost) - float(now.cost)

    candidates = [now, plan]
    extra = Fraction(plan.cost) - Fraction(now.cost)
    for share in _SPENDING:
        budget = Fraction(now.cost) + share * extra
        candidates.append(search.plan(Decimal(f"{float(budget):.9g}")) if extra > 0 else now)
    best = max(candidates, key=lambda own: (value(own) - spent(own), -spent(own)))
    return Worth(
        value_per_point=float(value_per_point),
        plan_value=value(plan),
        plan_cost=spent(plan),
        best_cost=spent(best),
        best_value=value(best),
        best_accuracy=best.expected,
        best=described(best, search.surface),
        stop=not best.lines,
    )
