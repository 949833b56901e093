"""The planner: the best mix that a budget buys, on the evidence of a response surface."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE, interval
from analysis.result import Estimate, ExchangeRate, PlanSummary
from annotation.cost import LabelTerms, affordable, mix_cost, money_left
from annotation.errors import InputError
from budget.policies import Mix
from budget.surface.response import ResponseSurface

# Shares of the money are tried in steps of 1 / this many.
_STEPS = {1: 1, 2: 100, 3: 30}
_STEPS_BEYOND = 12
# An exchange rate whose interval spans more than this factor says nothing about what to buy.
_WIDEST_RESOLVED_FACTOR = 30.0


@dataclass(frozen=True)
class Plan:
    """A recommended purchase, pilot included, and what the surface expects of it."""

    mix: Mix
    cost: Decimal
    money_left: Decimal
    after_pilot: Mix
    expected_accuracy: Estimate

    def summary(self) -> PlanSummary:
        """The plan as a result holds it."""
        return PlanSummary(
            labels=self.mix,
            cost=float(self.cost),
            money_left=float(self.money_left),
            labels_after_pilot=self.after_pilot,
            expected_accuracy=self.expected_accuracy,
        )


def plan_purchase(
    surface: ResponseSurface,
    terms: Mapping[str, LabelTerms],
    budget: Decimal,
    capacity: Mapping[str, int],
    pilot: Mapping[str, int],
) -> Plan:
    """The mix with the largest expected target accuracy within the budget.

    The pilot is bought already: every mix contains it and its cost is paid from the budget. Of
    mixes expected to do equally well the cheapest is taken.

    Raises InputError if the budget does not cover the pilot.
    """
    pilot_cost = mix_cost(pilot, terms)
    if pilot_cost > budget:
        raise InputError(
            f"the budget of {budget} is too small for the pilot, which costs "
            f"{pilot_cost}; give at least {pilot_cost}."
        )
    candidates = list(candidate_mixes(surface.strata, terms, budget, capacity, pilot))
    expected = surface.predict(candidates).mean(0)
    costs = [mix_cost(mix, terms) for mix in candidates]
    # Differences below a millionth are rounding, not evidence.
    best = min(range(len(candidates)), key=lambda k: (-round(float(expected[k]), 6), costs[k]))
    mix, cost = candidates[best], costs[best]
    assert cost <= budget
    return Plan(
        mix=mix,
        cost=cost,
        money_left=money_left(budget, mix, terms),
        after_pilot={name: mix[name] - pilot.get(name, 0) for name in mix},
        expected_accuracy=expected_accuracy(surface, mix),
    )


def expected_accuracy(surface: ResponseSurface, mix: Mapping[str, int]) -> Estimate:
    """Posterior mean and interval of the target accuracy of a mix."""
    draws = surface.predict([mix])[:, 0]
    return interval(float(draws.mean()), draws)


def candidate_mixes(
    strata: Sequence[str],
    terms: Mapping[str, LabelTerms],
    budget: Decimal,
    capacity: Mapping[str, int],
    pilot: Mapping[str, int],
) -> Iterator[Mix]:
    """Mixes on a lattice of money shares, each holding the pilot and within the budget.

    What rounding or a lack of items leaves over is spent from the dearest to the cheapest label:
    first on the strata that have a share; then on the others too, as a mix of its own, because
    these may do harm.
    """
    steps = _STEPS.get(len(strata), _STEPS_BEYOND)
    to_spend = money_left(budget, pilot, terms)
    dearest_first = sorted(range(len(strata)), key=lambda k: terms[strata[k]].cost, reverse=True)
    seen: set[tuple[int, ...]] = set()
    yield {name: pilot.get(name, 0) for name in strata}  # buying nothing more is a plan too
    for shares in product(range(steps + 1), repeat=len(strata)):
        if sum(shares) != steps:
            continue
        mix = {}
        for name, share in zip(strata, shares, strict=True):
            bought = pilot.get(name, 0)
            more = affordable(to_spend, terms[name].cost, Fraction(share, steps))
            mix[name] = bought + min(more, capacity[name] - bought)
        for others in (False, True):
            for k in dearest_first:
                name = strata[k]
                if others == (shares[k] == 0) and mix[name] < capacity[name]:
                    more = affordable(money_left(budget, mix, terms), terms[name].cost)
                    mix[name] += min(more, capacity[name] - mix[name])
            counts = tuple(mix.values())
            if counts not in seen:
                seen.add(counts)
                yield dict(mix)


def exchange_rate(
    surface: ResponseSurface,
    stratum: str,
    terms: Mapping[str, LabelTerms],
    bought: Mapping[str, int],
) -> ExchangeRate:
    """Target labels that one label of `stratum` is worth, mean over those `bought`.

    Not resolved where the interval spans more than a factor of 30, or reaches 0 or infinity: the
    pilot shows no learning that could be compared.
    """
    rates: NDArray[np.float64] = surface.rates(stratum, bought.get(stratum, 0))
    tail = (1 - CONFIDENCE) / 2
    with np.errstate(invalid="ignore"):  # between infinite rates
        low, middle, high = (float(q) for q in np.quantile(rates, [tail, 0.5, 1 - tail]))
    cost_ratio = float(Fraction(terms[stratum].cost) / Fraction(terms[surface.target].cost))
    resolved = low > 0 and high < np.inf and high / low <= _WIDEST_RESOLVED_FACTOR
    return ExchangeRate(
        estimate=middle if resolved else None,
        low=low if resolved else None,
        high=high if resolved else None,
        stratum=stratum,
        target=surface.target,
        resolved=resolved,
        cost_ratio=cost_ratio,
        probability_better_buy=float((rates > cost_ratio).mean()) if resolved else None,
    )
