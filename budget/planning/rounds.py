"""Whether to buy in rounds, and whether the purchase is worth its money."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.cost import LabelTerms
from annotation.errors import InputError
from budget.planning.decision_result import NextRound, Worth
from budget.planning.information import rank_batches
from budget.planning.offers import exact_decimal
from budget.planning.plan import Plan, Planner
from budget.planning.position import Position
from budget.surface.fit import DISCREPANCY

_LEAST_GAIN = 5e-4  # accuracy below which waiting is not worth telling of
_SPENDING = tuple(Fraction(k, 20) for k in (1, 2, 3, 5, 7, 10, 15))  # shares of a plan's cost
_SEED = 0x2E11


def next_round(
    planner: Planner, plan: Plan, money: Decimal, rounds_left: int, value_per_point: Decimal | None
) -> NextRound:
    """What to buy first, where `rounds_left` purchases can still be made, this one included.

    Of every stratum labels are reckoned at what the plan, or else the stratum's first offer, pays
    for one. It is the batch that the backtest's planner would buy: giving up some of the largest
    gain for a smaller batch while rounds are left gained nothing there (docs/planner.md).

    Raises InputError if `rounds_left` is below 1.
    """
    if rounds_left < 1:
        raise InputError(f"the rounds left should be at least 1; got {rounds_left}.")
    nothing = NextRound(rounds_left=rounds_left, labels={}, cost=0.0, gain=0.0, gain_value=None)
    if rounds_left == 1:
        return nothing
    position = _position(planner, plan, money)
    noisy = max(planner.surface.item_deviation, DISCREPANCY)  # older results do not tell it
    surface = replace(planner.surface, item_deviation=noisy)
    ranked = rank_batches(surface, position, np.random.default_rng(_SEED))
    if not ranked or ranked[0].gain < _LEAST_GAIN:
        return nothing

    chosen = ranked[0]
    cost = sum(
        (count * Fraction(position.terms[name].cost) for name, count in chosen.labels.items()),
        Fraction(0),
    )
    value = None
    if value_per_point is not None:
        one_more = float(planner.supply.training.fixed)
        value = 100 * chosen.gain * float(value_per_point) - one_more
    return NextRound(
        rounds_left=rounds_left,
        labels=dict(chosen.labels),
        cost=float(cost),
        gain=chosen.gain,
        gain_value=value,
    )


def worth_of(planner: Planner, plan: Plan, now: Plan, value_per_point: Decimal) -> Worth:
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
        candidates.append(planner.plan(Decimal(f"{float(budget):.9g}")) if extra > 0 else now)
    best = max(candidates, key=lambda own: (value(own) - spent(own), -spent(own)))
    return Worth(
        value_per_point=float(value_per_point),
        plan_value=value(plan),
        plan_cost=spent(plan),
        best_cost=spent(best),
        best_value=value(best),
        best_accuracy=best.expected,
        stop=not best.lines,
    )


def _position(planner: Planner, plan: Plan, money: Decimal) -> Position:
    """The campaign with one price per stratum; a stratum that nobody sells has no items left."""
    supply = planner.supply
    terms, capacity = {}, {}
    for name in supply.strata:
        offers = [line.offer for line in plan.lines if line.offer.stratum == name]
        offers = offers or list(supply.of_stratum(name))
        bought = supply.bought.get(name, 0)
        price = Fraction(0)
        if offers:
            price = Fraction(offers[0].cost) * offers[0].judgments
            price += Fraction(supply.training.per_label)
        terms[name] = LabelTerms(exact_decimal(price or Fraction(1)), 0.0, "redraw")
        capacity[name] = bought + (supply.items[name] if price else 0)
    left = Fraction(money) - Fraction(supply.training_of_bought())
    return Position(
        supply.strata, terms, capacity, dict(supply.bought), exact_decimal(max(left, Fraction(0)))
    )
