"""Whether the plan depends on error rates that are known to an interval only."""

from dataclasses import replace
from decimal import Decimal

from budget.decision.result import ErrorDoubt
from budget.market.market import Market
from budget.market.offers import ErrorRange, Offer
from budget.search.plan import Plan, PlanSearch

LEAST_MOVED = 0.2  # share of the labels that are others; less is no other plan


def error_doubts(search: PlanSearch, plan: Plan, money: Decimal) -> list[ErrorDoubt]:
    """For every supplier and stratum whose error rate has an interval: the plan at both its ends.

    Each is varied alone, for labels still to buy; the money is spent anew.
    """
    market = search.market
    found: dict[tuple[str, str], ErrorRange] = {}
    for offer in market.offers:
        if offer.error_range is not None:
            found.setdefault((offer.supplier, offer.stratum), offer.error_range)
    doubts = []
    for (supplier, stratum), error in found.items():
        at_low, at_high = (
            PlanSearch(search.surface, _varied(market, supplier, stratum, is_high)).plan(money)
            for is_high in (False, True)
        )
        doubts.append(
            ErrorDoubt(
                supplier=supplier,
                stratum=stratum,
                low=error.low,
                high=error.high,
                shared_mistakes=error.shared_mistakes,
                gold_items=error.gold_items,
                at_low=dict(at_low.labels) if _is_other(plan, at_low) else None,
                at_high=dict(at_high.labels) if _is_other(plan, at_high) else None,
            )
        )
    return doubts


def _varied(market: Market, supplier: str, stratum: str, is_high: bool) -> Market:
    def change(offer: Offer) -> Offer:
        error = offer.error_range
        if error is None or (offer.supplier, offer.stratum) != (supplier, stratum):
            return offer
        return replace(offer, redraw_rate=error.redraw_high if is_high else error.redraw_low)

    return market.only(change(offer) for offer in market.offers)


def _is_other(plan: Plan, other: Plan) -> bool:
    """Whether a fifth of the labels are of another stratum or from another supplier."""
    counts: list[dict[tuple[str, str], int]] = []
    for each in (plan, other):
        own: dict[tuple[str, str], int] = {}
        for line in each.lines:
            key = line.offer.stratum, line.offer.supplier
            own[key] = own.get(key, 0) + line.labels
        counts.append(own)
    here, there = counts
    moved = sum(abs(here.get(key, 0) - there.get(key, 0)) for key in here.keys() | there.keys())
    most = max(sum(here.values()), sum(there.values()))
    return most > 0 and moved / 2 >= LEAST_MOVED * most
