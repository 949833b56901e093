"""What to buy first, where the rest can be decided after it."""

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms, exact_decimal
from annotation.terms.cost import money as as_money
from budget.decision.result import NextRound
from budget.market.market import Market, market_at_terms
from budget.market.offers import Offer
from budget.market.whole_money import Whole
from budget.search.batches import rank_batches
from budget.search.modes import everything
from budget.search.plan import Plan, PlanSearch
from budget.search.supply_curves import Curve
from budget.surface.fit import DISCREPANCY

_LEAST_GAIN = 5e-4  # accuracy below which waiting is not worth telling of
_SEED = 0x2E11
_ALMOST_FREE = Fraction(1, 10**15)


def next_round(
    search: PlanSearch,
    plan: Plan,
    money: Decimal,
    rounds_left: int,
    value_per_point: Decimal | None,
) -> NextRound:
    """What to buy first, where `rounds_left` purchases can still be made, this one included.

    Labels of every stratum are reckoned at what one costs where all the money goes to it; then the
    best batch is taken that suppliers can deliver at their own terms, capacities and hours. It is
    the batch that the backtest's planner would buy: giving up some of the largest gain for a
    smaller batch while rounds are left gained nothing there (docs/log.md).

    Raises InputError if `rounds_left` is below 1.
    """
    if rounds_left < 1:
        raise InputError(f"the rounds left should be at least 1; got {rounds_left}.")
    nothing = NextRound(rounds_left=rounds_left, labels={}, cost=0.0, gain=0.0, gain_value=None)
    if rounds_left == 1:
        return nothing
    sold = _AtOnePrice(search, plan, money)
    noisy = max(search.surface.item_deviation, DISCREPANCY)  # older results do not tell it
    surface = replace(search.surface, item_deviation=noisy)
    ranked = rank_batches(surface, sold.market(), np.random.default_rng(_SEED))
    worth_telling = (own for own in ranked if own.gain >= _LEAST_GAIN)
    priced = ((own, sold.cost(own.labels)) for own in worth_telling)
    chosen, cost = next(((own, cost) for own, cost in priced if cost is not None), (None, None))
    if chosen is None or cost is None:
        return nothing
    value = None
    if value_per_point is not None:
        one_more = float(search.market.training.fixed)
        value = 100 * chosen.gain * float(value_per_point) - one_more
    return NextRound(
        rounds_left=rounds_left,
        labels=dict(chosen.labels),
        cost=float(cost),
        gain=chosen.gain,
        gain_value=value,
    )


class _AtOnePrice:
    """What can be bought next, from those who sell to the plan, or else would sell best."""

    def __init__(self, search: PlanSearch, plan: Plan, money: Decimal) -> None:
        purchases = search.purchases
        self._market, self._ledger = search.market, purchases.ledger
        paid = Fraction(self._market.training_of_bought())
        self._money = exact_decimal(max(Fraction(money) - paid, Fraction(0)))
        self._limits = self._ledger.limits(self._money)
        self._curves: dict[str, Curve] = {}
        for stratum in purchases.strata:
            own = {line.offer for line in plan.lines if line.offer.stratum == stratum.name}
            fitting = [curve for curve in stratum.curves if own <= _offers(curve)]
            if stratum.curves:
                self._curves[stratum.name] = (fitting or stratum.curves)[0]

    def market(self) -> Market:
        """The market with one price per stratum, and no more labels of it than there are."""
        market, terms, items = self._market, {}, {}
        plenty = self._ledger.limits(everything(market))
        for name in market.strata:
            price, deliverable = Fraction(0), 0
            if name in self._curves:
                deliverable, _ = self._filled(name, plenty)
                labels, spent = self._filled(name, self._limits)
                price = spent / labels if labels else Fraction(0)
                deliverable = deliverable if labels else 0
            terms[name] = LabelTerms(_price(price), 0.0, "redraw")
            items[name] = deliverable
        return market_at_terms(market.strata, terms, items, self._money, market.bought)

    def cost(self, labels: Mapping[str, int]) -> Fraction | None:
        """What a batch costs, training on it included; None if it cannot be had like this."""
        left = self._limits[None]
        for name, count in labels.items():
            wanted = self._ledger.zeros(1) + count
            parts, left, _ = self._curves[name].fill(left, wanted)
            if _number(parts) != count:
                return None
        return self._ledger.amount(self._limits[0] - left[0, 0])

    def _filled(self, name: str, limits: Whole) -> tuple[int, Fraction]:
        """All labels of a stratum that limits allow, and what they cost."""
        parts, left, _ = self._curves[name].fill(limits[None])
        return _number(parts), self._ledger.amount(limits[0] - left[0, 0])


def _number(parts: Sequence[Whole]) -> int:
    """Labels of all segments of a purchase of one row."""
    return sum(int(own[0]) for own in parts)


def _offers(curve: Curve) -> set[Offer]:
    return {segment.offer for segment in curve.segments}


def _price(price: Fraction) -> Decimal:
    """A price as a decimal, rounded if it must be; what is free costs next to nothing."""
    try:
        return as_money(exact_decimal(max(price, _ALMOST_FREE)))
    except (decimal.Inexact, InputError):
        return as_money(f"{float(price):.9g}")
