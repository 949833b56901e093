"""Why a plan leaves money."""

from decimal import Decimal
from typing import Literal

from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import Plan

LeftBecause = Literal["for_sale", "hours", "accuracy"]
_MUCH = Decimal("0.05")  # of the money; less may be what a search in steps leaves over


def left_because(market: Market, plan: Plan, money: Decimal) -> LeftBecause | None:
    """What keeps the plan from spending the rest of its `money`.

    - "for_sale": of what could be paid nothing is left, or less than a supplier sells at least
    - "hours": nobody has hours left before the deadline
    - "accuracy": more could be bought, and is not expected to do better

    None where nothing more could be paid, or little is left.
    """
    found: set[LeftBecause] = set()
    for offer in market.offers:
        had = sum(line.labels for line in plan.lines if line.offer == offer)
        more = max(1, offer.least - had)
        price = offer.price(had + more) - offer.price(had) + market.training.per_label * more
        if price <= plan.money_left:
            found.add(_limit(market, plan, offer, had, more))
    if "accuracy" in found:
        return "accuracy" if plan.money_left > _MUCH * money else None
    if "hours" in found:
        return "hours"
    return "for_sale" if found else None


def _limit(market: Market, plan: Plan, offer: Offer, had: int, more: int) -> LeftBecause:
    """What stands against so many more labels that can be paid."""
    if plan.labels[offer.stratum] + more > market.items[offer.stratum]:
        return "for_sale"
    if offer.capacity is not None and had + more > offer.capacity:
        return "for_sale"
    if offer.role is not None and offer.role in market.hours:
        work = offer.work(had + more) - offer.work(had)
        if plan.hours.get(offer.role, Decimal(0)) + work > market.hours[offer.role]:
            return "hours"
    return "accuracy"
