"""Least cost for a target accuracy: the smallest budget whose plan reaches it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.market.market import Market
from budget.search.plan import Plan, PlanSearch

_PRECISION = 1.005  # budgets closer than this are one
_DIGITS = 6  # significant, of a budget that is tried
_SPAN = 1e-6  # smallest budget that is tried, as a share of what everything costs


@dataclass(frozen=True)
class Reached:
    """A plan and the probability that one purchase of it scores at least the target."""

    plan: Plan
    probability: float


def reach_accuracy(
    search: PlanSearch, accuracy: float, probability: float, most: Decimal | None = None
) -> Reached:
    """The cheapest plan that scores at least `accuracy` with at least `probability`.

    Plans of larger budgets expect more, so the budget is bisected, to half a percent. The
    probability is that of the plan's forecast: the surface's uncertainty, the luck of which items
    are bought, and of which items it is asked about.

    What is left of `most` is the plan's money left; nothing where there is no `most`.

    Parameters
    ----------
    accuracy, probability : both between 0 and 1
    most : money that must not be exceeded; None for all that is for sale

    Raises
    ------
    InputError
        If a number is out of range, or no plan within `most` reaches the target; it tells the
        probability of the best one.
    """
    for what, value in (("target accuracy", accuracy), ("probability", probability)):
        if not 0 < value < 1:
            raise InputError(f"the {what} should be between 0 and 1; got {value}.")
    surface, market = search.surface, search.market

    def attempt(money: Decimal) -> Reached:
        plan = search.plan(money)
        return Reached(plan, float((plan.forecast(surface) >= accuracy).mean()))

    top = everything(market) if most is None else most
    best = attempt(top)
    if best.probability < probability:
        limit = "all that is for sale" if most is None else f"a budget of {most} for new labels"
        raise InputError(
            f"{limit} reaches {accuracy:.1%} with probability {best.probability:.1%} only, "
            f"{probability:.0%} is asked for; expected are {best.plan.expected:.1%}. Ask for less "
            f"accuracy or a lower probability{'' if most is None else ', or give a larger budget'}."
        )
    least = market.training_of_bought()
    nothing = attempt(least) if least <= top else best
    if nothing.probability >= probability:
        return _with_money_left(nothing, most)
    low = max(float(least), _SPAN * float(top))
    high = min(float(top), float(best.plan.cost))
    while high > low * _PRECISION:
        middle = Decimal(f"{np.sqrt(low * high):.{_DIGITS}g}")
        if not low < float(middle) < high:
            break
        found = attempt(middle)
        if found.probability >= probability:
            best, high = found, min(float(middle), float(found.plan.cost))
        else:
            low = float(middle)
    return _with_money_left(best, most)


def _with_money_left(reached: Reached, most: Decimal | None) -> Reached:
    cost = Fraction(reached.plan.cost)
    left = Fraction(0) if most is None else Fraction(most) - cost
    return replace(reached, plan=replace(reached.plan, money_left=exact_decimal(left)))


def everything(market: Market) -> Decimal:
    """An amount that pays for any purchase of a market, and for training on it."""
    total = Fraction(market.training_of_bought())
    for name in market.strata:
        items = market.items[name]
        prices = [Fraction(own.price(items)) for own in market.of_stratum(name) if items]
        total += sum(prices) + Fraction(market.training.per_label) * items
    return exact_decimal(total)
