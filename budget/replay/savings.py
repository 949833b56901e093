"""How much money what was done took to get as far as the plan."""

from collections.abc import Sequence

import numpy as np

from analysis.estimates import Estimate
from annotation.arrays import Array
from budget.replay.result import Saving


def money_needed(money: Array, lead: Array) -> Array:
    """Where each lead first reaches zero, (draws,) of money; inf where it never does.

    Between points the curve is a straight line; where it falls, what was reached before counts.
    Below the first point nothing is known: its money is an upper bound.

    Parameters
    ----------
    money : (points,), rising
    lead : (points, draws), accuracy less what is wanted
    """
    best = np.maximum.accumulate(lead, axis=0)
    first = (best >= 0).argmax(axis=0)
    never = best[-1] < 0
    before = np.maximum(first - 1, 0)
    draws = np.arange(lead.shape[1])
    low, high = best[before, draws], best[first, draws]
    rise = np.where(high > low, high - low, 1.0)
    share = np.where(first > 0, -low / rise, 1.0)
    found = money[before] + share * (money[first] - money[before])
    return np.where(never, np.inf, found)


def saving(
    money: Sequence[float],
    lead: Sequence[float],
    lead_draws: Array,
    spent: float,
    confidence: float,
) -> Saving:
    """What the plan saved against what was done, at the plan's accuracy.

    Parameters
    ----------
    money : of what was done, (points,)
    lead, lead_draws : its accuracy less the plan's, (points,), and draws of that, (points, draws)
    spent : by the plan
    confidence : of the interval
    """
    points = np.asarray(money, dtype=np.float64)
    best = money_needed(points, np.asarray(lead, dtype=np.float64)[:, None])[0]
    draws = money_needed(points, lead_draws) - spent
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="nearest")
    return Saving(
        needed=_finite(best),
        saved=Estimate(estimate=_finite(best - spent), low=_finite(low), high=_finite(high)),
        at_most_known=bool(lead[0] >= 0),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
