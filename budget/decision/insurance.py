"""What it costs to lower the risk of missing a target accuracy."""

from annotation.errors import InputError
from budget.decision.result import InsurancePoint
from budget.search.modes import reach_accuracy
from budget.search.plan import Plan, PlanSearch

RISKS = (0.5, 0.2, 0.1, 0.05)  # of missing the target


def insurance(search: PlanSearch, plan: Plan, accuracy: float) -> list[InsurancePoint]:
    """Risk of missing the target -> the least money that lowers it so far.

    Whatever is for sale can be bought, also beyond the budget: what the budget does not pay for is
    the answer to "how much more would it take". The risk is that of one purchase's forecast, as in
    `reach_accuracy`. `more` is against `plan`. Money is None where all that is for sale leaves a
    larger risk.
    """
    found = []
    for risk in RISKS:
        try:
            reached = reach_accuracy(search, accuracy, 1 - risk).plan
        except InputError:
            found.append(InsurancePoint(risk=risk, cost=None, more=None, labels={}))
            continue
        cost = float(reached.cost)
        found.append(
            InsurancePoint(
                risk=risk, cost=cost, more=cost - float(plan.cost), labels=dict(reached.labels)
            )
        )
    return found
