"""What money buys at best: expected accuracy by budget, of the plan and of one stratum alone."""

from decimal import Decimal
from fractions import Fraction

from analysis.accuracy import interval
from analysis.estimates import Estimate, Record
from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.decision.prepared import Prepared
from budget.market.market import Market
from budget.search.plan import PlanSearch

BEST = "plan"
_STEPS = 8  # a power of two: an eighth of any amount is an exact decimal
_TIMES = 2  # the budget asked about, up to which it is worked out


class BudgetCurve(Record):
    """Expected accuracy of one kind of purchase by budget.

    `kind` is "plan", or "only easy labels" for all money of one stratum; `budgets` hold the pilot.
    """

    kind: str
    budgets: list[float]
    accuracy: list[Estimate]


def accuracy_by_budget(own: Prepared, most: Decimal | None = None) -> list[BudgetCurve]:
    """Curves of all kinds from the pilot's cost to `most`, by default twice the run's budget.

    A kind that no budget pays for is left out.
    """
    found = (budget_curve(own, kind, market, most) for kind, market in kinds_of(own).items())
    return [curve for curve in found if curve.budgets]


def kinds_of(own: Prepared) -> dict[str, Market]:
    """Kind of purchase -> the market of what it may hold: everything, or one stratum alone."""
    return {BEST: own.market} | {
        f"only {name} labels": own.market.only(own.market.of_stratum(name))
        for name in own.market.strata
        if own.market.of_stratum(name)
    }


def budget_curve(own: Prepared, kind: str, market: Market, most: Decimal | None) -> BudgetCurve:
    """The curve of one kind; budgets that do not pay for training are left out."""
    end = Fraction(_TIMES * Decimal(str(own.result.budget)) if most is None else most)
    begin = Fraction(own.pilot_cost)
    end = max(end, begin + 1)
    search = PlanSearch(own.surface, market)
    budgets, accuracy = [], []
    for step in range(_STEPS + 1):
        money = exact_decimal((end - begin) * step / _STEPS)
        try:
            plan = search.plan(money)
        except InputError:
            continue  # training alone costs more
        budgets.append(float(Fraction(money) + begin))
        accuracy.append(interval(plan.expected, plan.forecast(own.surface)))
    return BudgetCurve(kind=kind, budgets=budgets, accuracy=accuracy)
