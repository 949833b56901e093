"""The exchange rate that a fitted surface tells, with its interval."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE
from analysis.run.result import ExchangeRate
from annotation.terms.cost import LabelTerms
from budget.surface.response import ResponseSurface

# An exchange rate whose interval spans more than this factor says nothing about what to buy.
_WIDEST_RESOLVED_FACTOR = 30.0


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
