"""How much money what was done took to get as far as the plan."""

from collections.abc import Sequence

import numpy as np

from analysis.estimates import Estimate
from annotation.arrays import Array
from budget.replay.result import Saving


def money_needed(money: Array, accuracy: Array, wanted: Array) -> Array:
    """Where each curve first reaches what is wanted, (draws,) of money; inf where it never does.

    Between points the curve is a straight line; where it falls, what was reached before counts.
    Below the first point nothing is known: its money is an upper bound.

    Parameters
    ----------
    money : (points,), rising
    accuracy : (points, draws)
    wanted : (draws,)
    """
    best = np.maximum.accumulate(accuracy, axis=0)
    first = (best >= wanted).argmax(axis=0)
    never = best[-1] < wanted
    before = np.maximum(first - 1, 0)
    draws = np.arange(wanted.size)
    low, high = best[before, draws], best[first, draws]
    rise = np.where(high > low, high - low, 1.0)
    share = np.where(first > 0, (wanted - low) / rise, 1.0)
    found = money[before] + share * (money[first] - money[before])
    return np.where(never, np.inf, found)


def saving(
    money: Sequence[float],
    curve: Sequence[float],
    curve_draws: Array,
    plan: float,
    plan_draws: Array,
    spent: float,
    confidence: float,
) -> Saving:
    """What the plan saved against what was done, at the plan's accuracy.

    Parameters
    ----------
    money, curve, curve_draws : of what was done: (points,), its accuracy (points,), (points, draws)
    plan, plan_draws : accuracy of the plan, and its draws, (draws,)
    spent : by the plan
    confidence : of the interval
    """
    points = np.asarray(money, dtype=np.float64)
    best = money_needed(points, np.asarray(curve, dtype=np.float64)[:, None], np.array([plan]))[0]
    draws = money_needed(points, curve_draws, plan_draws) - spent
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="nearest")
    return Saving(
        needed=_finite(best),
        saved=Estimate(estimate=_finite(best - spent), low=_finite(low), high=_finite(high)),
        at_most_known=bool(curve[0] >= plan),
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
