"""What a market's remaining money could buy: the purchases that a policy compares."""

from fractions import Fraction
from itertools import product

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.terms.cost import affordable, mix_cost, money_left
from budget.campaign.campaign import Campaign
from budget.market.simple_rules import Mix

# The money left is shared in steps of 1 / this many.
_STEPS = {1: 1, 2: 50, 3: 20}
_STEPS_BEYOND = 8
_NO_DIFFERENCE = 1e-6  # of expected accuracy: rounding, not evidence


def candidate_purchases(campaign: Campaign) -> IntArray:
    """Further labels of each stratum, (purchases, strata), on a simplex of the money's shares.

    Each purchase fits the money and the pools; none stands twice. What a pool cannot serve of its
    share stays unspent: labels may harm.
    """
    strata = campaign.strata
    steps = _STEPS.get(len(strata), _STEPS_BEYOND)
    left = campaign.money_left
    affordable_at = [
        [
            min(affordable(left, campaign.terms[name].cost, Fraction(step, steps)), most)
            for step in range(steps + 1)
        ]
        for name, most in ((name, campaign.affordable(name)) for name in strata)
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


def choose(campaign: Campaign, purchases: IntArray, expected: Array) -> IntArray:
    """The purchase (strata,) expected to do best, (purchases,); of equals the cheapest.

    Where all are expected to do equally well nothing speaks for any stratum: the money left is
    spent equally.
    """
    if expected.max() - expected.min() <= _NO_DIFFERENCE and len(purchases) > 1:
        each = Fraction(1, len(campaign.strata))
        return np.array(
            [
                min(
                    affordable(campaign.money_left, campaign.terms[name].cost, each),
                    campaign.affordable(name),
                )
                for name in campaign.strata
            ]
        )
    good = np.flatnonzero(expected >= expected.max() - _NO_DIFFERENCE)
    return np.asarray(purchases[good[(purchases[good] @ unit_costs(campaign)).argmin()]])


def labels_bought(campaign: Campaign) -> IntArray:
    """Labels bought so far, (strata,)."""
    return np.array([campaign.bought[name] for name in campaign.strata], dtype=np.int64)


def unit_costs(campaign: Campaign) -> Array:
    """Cost of a label, (strata,), to compare by: what is bought is paid exactly by the campaign."""
    return np.array([float(campaign.terms[name].cost) for name in campaign.strata])


def as_mix(campaign: Campaign, counts: IntArray) -> Mix:
    """Labels (strata,) as a mix."""
    return {name: int(count) for name, count in zip(campaign.strata, counts, strict=True)}


def with_change(campaign: Campaign, purchase: IntArray) -> IntArray:
    """A purchase (strata,) that also spends what rounding left over, dearest labels first.

    Only strata that it buys get more. Change is less than one label of each stratum costs; more
    than that was meant to stay unspent.
    """
    whole = as_mix(campaign, purchase)
    left = money_left(campaign.money_left, whole, campaign.terms)
    if left >= mix_cost(dict.fromkeys(campaign.strata, 1), campaign.terms):
        return purchase
    bought = [name for name, count in whole.items() if count]
    for name in sorted(bought, key=lambda own: campaign.terms[own].cost, reverse=True):
        left = money_left(campaign.money_left, whole, campaign.terms)
        room = campaign.capacity[name] - campaign.bought[name] - whole[name]
        whole[name] += min(affordable(left, campaign.terms[name].cost), room)
    return np.array([whole[name] for name in campaign.strata])
