"""What a market's remaining money could buy: the purchases that a policy compares."""

from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from annotation.terms.cost import affordable, mix_cost, money_left
from budget.market.market import Market
from budget.market.simple_rules import Mix

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
# The money left is shared in steps of 1 / this many.
_STEPS = {1: 1, 2: 50, 3: 20}
_STEPS_BEYOND = 8
_NO_DIFFERENCE = 1e-6  # of expected accuracy: rounding, not evidence


def candidate_purchases(market: Market) -> Counts:
    """Further labels of each stratum, (purchases, strata), on a simplex of the money's shares.

    Each purchase fits the money and the pools; none stands twice. What a pool cannot serve of its
    share stays unspent: labels may harm.
    """
    strata = market.strata
    steps = _STEPS.get(len(strata), _STEPS_BEYOND)
    left = market.money_left
    affordable_at = [
        [
            min(affordable(left, market.terms[name].cost, Fraction(step, steps)), most)
            for step in range(steps + 1)
        ]
        for name, most in ((name, market.affordable(name)) for name in strata)
    ]
    lattice = np.array(
        [
            (*shares, steps - sum(shares))
            for shares in product(range(steps + 1), repeat=len(strata) - 1)
            if sum(shares) <= steps
        ]
    )
    purchases = [np.array(own)[lattice[:, k]] for k, own in enumerate(affordable_at)]
    return np.asarray(np.unique(np.stack(purchases, axis=1), axis=0))


def choose(market: Market, purchases: Counts, expected: Array) -> Counts:
    """The purchase (strata,) expected to do best, (purchases,); of equals the cheapest.

    Where all are expected to do equally well nothing speaks for any stratum: the money left is
    spent equally.
    """
    if expected.max() - expected.min() <= _NO_DIFFERENCE and len(purchases) > 1:
        each = Fraction(1, len(market.strata))
        return np.array(
            [
                min(
                    affordable(market.money_left, market.terms[name].cost, each),
                    market.affordable(name),
                )
                for name in market.strata
            ]
        )
    good = np.flatnonzero(expected >= expected.max() - _NO_DIFFERENCE)
    return np.asarray(purchases[good[(purchases[good] @ unit_costs(market)).argmin()]])


def labels_bought(market: Market) -> Counts:
    """Labels bought so far, (strata,)."""
    return np.array([market.bought[name] for name in market.strata], dtype=np.int64)


def unit_costs(market: Market) -> Array:
    """Cost of a label, (strata,), to compare by: what is bought is paid exactly by the market."""
    return np.array([float(market.terms[name].cost) for name in market.strata])


def as_mix(market: Market, counts: Counts) -> Mix:
    """Labels (strata,) as a mix."""
    return {name: int(count) for name, count in zip(market.strata, counts, strict=True)}


def with_change(market: Market, purchase: Counts) -> Counts:
    """A purchase (strata,) that also spends what rounding left over, dearest labels first.

    Only strata that it buys get more. Change is less than one label of each stratum costs; more
    than that was meant to stay unspent.
    """
    whole = as_mix(market, purchase)
    left = money_left(market.money_left, whole, market.terms)
    if left >= mix_cost(dict.fromkeys(market.strata, 1), market.terms):
        return purchase
    bought = [name for name, count in whole.items() if count]
    for name in sorted(bought, key=lambda own: market.terms[own].cost, reverse=True):
        left = money_left(market.money_left, whole, market.terms)
        room = market.capacity[name] - market.bought[name] - whole[name]
        whole[name] += min(affordable(left, market.terms[name].cost), room)
    return np.array([whole[name] for name in market.strata])
