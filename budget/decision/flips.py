"""What would have to be different for another stratum to be the better buy."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.errors import InputError
from budget.decision.alternatives import compared
from budget.decision.result import Flip, SideComparison
from budget.decision.varied import Chosen, crossing, repriced, with_redraw_rate
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import Plan, PlanSearch
from budget.surface.response import ResponseSurface

_COST_FACTORS = (1 / 50, 50.0)
_NOISIEST = 0.98  # redraw rate
_TRANSFER_FACTORS = (0.0, 3.0)


def compare_side(search: PlanSearch, stratum: str, money: Decimal) -> SideComparison | None:
    """All money on `stratum` against all money on the target; None where nothing is to compare.

    Where more labels of one of them would harm, its side buys none.

    Each quantity is varied alone, for labels still to buy, and bisected until the two expect the
    same accuracy: the cost of the stratum's labels, their redraw rate, that of the target's, and
    the cosine between what they teach and what target labels teach.
    """
    surface, market = search.surface, search.market
    target = surface.target
    ours, theirs = market.of_stratum(stratum), market.of_stratum(target)
    try:
        own = PlanSearch(surface, market.only(ours)).plan(money)
        other = PlanSearch(surface, market.only(theirs)).plan(money)
    except InputError:
        return None
    sold = ours and theirs and market.items[stratum] and market.items[target]
    if not sold or not (own.lines or other.lines):
        return None
    difference, probability = compared(own.accuracy(surface), other.accuracy(surface))

    def is_ours(offer: Offer) -> bool:
        return offer.stratum == stratum

    def is_target(offer: Offer) -> bool:
        return offer.stratum == target

    def ahead(varied: Market, on: ResponseSurface = surface) -> float:
        """Accuracy by which the stratum leads the target."""
        there = other if on is surface else PlanSearch(on, market.only(theirs)).plan(money)
        here = PlanSearch(on, varied.only(varied.of_stratum(stratum))).plan(money)
        return here.expected - there.expected

    lead = ahead(market)
    price = _price(own, ours)
    ratio = price / max(_price(other, theirs), 1e-12)
    noise, target_noise = 1 - _clean(own, ours), 1 - _clean(other, theirs)
    cosine = surface.draws[:, _column(surface, stratum)]

    def at_cost(factor: float) -> float:
        return ahead(repriced(market, is_ours, factor))

    def at_noise(rate: float) -> float:
        return ahead(_clean_times(market, is_ours, (1 - rate) / max(1 - noise, 1e-9)))

    def at_target_noise(rate: float) -> float:
        """The same where it is the target's labels that err."""
        varied = _clean_times(market, is_target, (1 - rate) / max(1 - target_noise, 1e-9))
        there = PlanSearch(surface, varied.only(varied.of_stratum(target))).plan(money)
        return own.expected - there.expected

    def at_transfer(factor: float) -> float:
        return ahead(market, _with_transfer(surface, stratum, factor))

    low, high = _COST_FACTORS
    factor = crossing(at_cost, lead, 1.0, (low, high), logarithmic=True)
    rate = crossing(at_noise, lead, noise, (0.0, _NOISIEST))
    target_rate = crossing(at_target_noise, lead, target_noise, (0.0, _NOISIEST))
    transfer = crossing(at_transfer, lead, 1.0, _TRANSFER_FACTORS)

    def mean_cosine(scale: float) -> float:
        return float(np.clip(scale * cosine, -1, 1).mean())

    return SideComparison(
        stratum=stratum,
        target=target,
        probability_better=probability,
        difference=difference,
        cost=price,
        cost_ratio=Flip(
            now=ratio,
            at=None if factor is None else ratio * factor,
            low=ratio * low,
            high=ratio * high,
        ),
        redraw_rate=Flip(now=noise, at=rate, low=0.0, high=_NOISIEST),
        target_redraw_rate=Flip(now=target_noise, at=target_rate, low=0.0, high=_NOISIEST),
        noise_ratio=None if rate is None or target_noise <= 0 else rate / target_noise,
        transfer=Flip(
            now=mean_cosine(1.0),
            at=None if transfer is None else mean_cosine(transfer),
            low=mean_cosine(_TRANSFER_FACTORS[0]),
            high=mean_cosine(_TRANSFER_FACTORS[1]),
        ),
    )


def _price(plan: Plan, offers: Sequence[Offer]) -> float:
    """Money per label that a plan pays, or else would pay for its first one."""
    if not plan.lines:
        return float(min(offer.price(offer.least) / offer.least for offer in offers))
    return float(sum(Fraction(own.cost) for own in plan.lines) / _labels(plan))


def _clean(plan: Plan, offers: Sequence[Offer]) -> float:
    if not plan.lines:
        return max(offer.clean for offer in offers)
    return sum(own.labels * own.offer.clean for own in plan.lines) / _labels(plan)


def _labels(plan: Plan) -> int:
    return sum(own.labels for own in plan.lines)


def _column(surface: ResponseSurface, stratum: str) -> int:
    return surface.parameter_names.index(f"alignment_{stratum}")


def _clean_times(market: Market, chosen: Chosen, factor: float) -> Market:
    """The clean shares of the chosen offers multiplied."""
    return with_redraw_rate(market, chosen, lambda rate: 1 - (1 - rate) * factor)


def _with_transfer(surface: ResponseSurface, stratum: str, factor: float) -> ResponseSurface:
    draws = surface.draws.copy()
    column = _column(surface, stratum)
    draws[:, column] = np.clip(factor * draws[:, column], -1, 1)
    return replace(surface, draws=draws)
