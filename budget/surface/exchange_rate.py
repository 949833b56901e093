"""The exchange rate that a fitted surface tells, with its interval."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE
from analysis.estimates import Estimate
from analysis.run.result import ExchangeRate
from annotation.terms.cost import LabelTerms
from budget.surface.response import ResponseSurface

# An exchange rate whose interval spans more than this factor says nothing about what to buy.
_WIDEST_RESOLVED_FACTOR = 30.0
_STEP = 10  # labels that the rate of the next labels is the mean over
_MOST_UNKNOWN = 0.05  # share of draws in which target labels add nothing to compare with


def exchange_rate(
    surface: ResponseSurface,
    stratum: str,
    terms: Mapping[str, LabelTerms],
    bought: Mapping[str, int],
    planned: Mapping[str, int] | None = None,
) -> ExchangeRate:
    """Target labels that one label of `stratum` is worth, mean over those `bought`.

    Two questions. The rate is resolved where its interval spans no more than a factor of 30 and
    reaches neither 0 nor infinity: the pilot shows learning that can be compared. The better buy is
    resolved where the price ratio lies outside the interval, however wide that is.

    `planned` labels, those of the pilot included, are what the rates at the plan and of the next
    labels are told for.
    """
    rates: NDArray[np.float64] = surface.rates(stratum, bought.get(stratum, 0))
    low, middle, high = _quantiles(rates)
    cost_ratio = float(Fraction(terms[stratum].cost) / Fraction(terms[surface.target].cost))
    resolved = _is_resolved(low, high)
    settled = low > cost_ratio or high < cost_ratio
    return ExchangeRate(
        estimate=middle if resolved else None,
        low=low if resolved else None,
        high=high if resolved else None,
        stratum=stratum,
        target=surface.target,
        rate_resolved=resolved,
        better_buy_resolved=settled,
        cost_ratio=cost_ratio,
        probability_better_buy=float((rates > cost_ratio).mean()) if resolved or settled else None,
        at_plan=rate_at(surface, stratum, (planned or {}).get(stratum, 0)),
        next_label=None if planned is None else next_label_rate(surface, stratum, planned),
    )


def rate_at(surface: ResponseSurface, stratum: str, labels: int) -> Estimate | None:
    """Mean over so many labels of a stratum alone; None where there are none, or it is open."""
    if labels == 0:
        return None
    low, middle, high = _quantiles(surface.rates(stratum, labels))
    if _is_resolved(low, high):
        return Estimate(estimate=middle, low=low, high=high)
    return None


def next_label_rate(
    surface: ResponseSurface, stratum: str, mix: Mapping[str, int], step: int = _STEP
) -> Estimate:
    """Target labels that one of the next `step` labels is worth once a mix is there.

    Below zero where they harm. No numbers where target labels would add nothing either.
    """
    draws = surface.marginal_rates(stratum, mix, step)
    known = draws[np.isfinite(draws)]
    if known.size < (1 - _MOST_UNKNOWN) * draws.size:
        return Estimate(estimate=None, low=None, high=None)
    low, middle, high = _quantiles(known)
    return Estimate(estimate=middle, low=low, high=high)


def _is_resolved(low: float, high: float) -> bool:
    return low > 0 and high < np.inf and high / low <= _WIDEST_RESOLVED_FACTOR


def _quantiles(rates: NDArray[np.float64]) -> tuple[float, float, float]:
    tail = (1 - CONFIDENCE) / 2
    with np.errstate(invalid="ignore"):  # between infinite rates
        low, middle, high = (float(q) for q in np.quantile(rates, [tail, 0.5, 1 - tail]))
    return low, middle, high
