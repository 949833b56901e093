"""A market with one thing changed, and the value of it at which a lead is lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from annotation.terms.cost import DECIMAL_PLACES, LARGEST
from budget.market.market import Market
from budget.market.offers import Discount, Offer

_STEPS = 12

Chosen = Callable[[Offer], bool]


def crossing(
    lead: Callable[[float], float],
    now: float,
    here: float,
    ends: Sequence[float],
    logarithmic: bool = False,
) -> float | None:
    """Where the lead changes its sign, searched from `here` to each of the ends; None if nowhere.

    `now` is the lead at `here`. The first side is bisected whose end has not its sign.
    """
    if now == 0:
        return here
    for end in ends:
        if end == here or lead(end) * now > 0:
            continue
        return bisected(lead, now, here, end, logarithmic)
    return None


def bisected(
    lead: Callable[[float], float], now: float, same: float, changed: float, logarithmic: bool
) -> float:
    """Where the lead changes its sign between `same`, where it has that of `now`, and `changed`."""
    for _ in range(_STEPS):
        middle = _middle(same, changed, logarithmic)
        if lead(middle) * now > 0:
            same = middle
        else:
            changed = middle
    return _middle(same, changed, logarithmic)


def _middle(one: float, other: float, logarithmic: bool) -> float:
    return float(np.sqrt(one * other)) if logarithmic else (one + other) / 2


def repriced(market: Market, chosen: Chosen, factor: float) -> Market:
    """The market with all prices of the chosen offers multiplied."""
    scale = Decimal(f"{factor:.9g}")

    def times(cost: Decimal) -> Decimal:
        # A price far below a cent of a cent would be as good as none.
        places = min(DECIMAL_PLACES, max(9, 9 - cost.adjusted()))
        return min((cost * scale).quantize(Decimal(1).scaleb(-places)), LARGEST)

    def change(offer: Offer) -> Offer:
        cheaper = tuple(Discount(own.after, times(own.cost)) for own in offer.discounts)
        return replace(
            offer, cost=times(offer.cost), fixed_cost=times(offer.fixed_cost), discounts=cheaper
        )

    return _changed(market, chosen, change)


def with_redraw_rate(market: Market, chosen: Chosen, change: Callable[[float], float]) -> Market:
    """The market with other redraw rates of the chosen offers, kept between 0 and 1."""

    def changed(offer: Offer) -> Offer:
        return replace(offer, redraw_rate=min(1.0, max(0.0, change(offer.redraw_rate))))

    return _changed(market, chosen, changed)


def _changed(market: Market, chosen: Chosen, change: Callable[[Offer], Offer]) -> Market:
    return market.only(change(own) if chosen(own) else own for own in market.offers)
