"""Cut a hardness measure by quantiles, however many items tie."""

import decimal
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.strata.bands import Edge, Strata, make_strata

Ties = Literal["nearest", "outer"]

_DIGITS = 6  # significant ones, up to which an edge is left as it is


def quantile_strata(
    values: Array, measure: str, shares: Sequence[float], ties: Ties = "nearest"
) -> Strata:
    """Cut a measure so that the strata hold given shares of the items.

    Equal values are never divided. With `ties` "nearest" the edges lie between different values,
    where the cumulative shares come nearest to those asked (least sum of absolute differences),
    and no stratum is empty. With "outer", for two shares, easy is at most the first quantile and
    hard at least the second (linear interpolation), ties included: the paper's cut.

    Parameters
    ----------
    values
        The measure, (items,); NaN is left out.
    measure
        Its name.
    shares
        Cumulative shares between 0 and 1, increasing: (.3, .7) for strata of 30, 40 and 30 %.
    ties
        See above.

    Raises
    ------
    InputError
        If shares are not increasing within 0 and 1, there are fewer different values than strata,
        or, with "outer", both quantiles are the same.
    ValueError
        If "outer" is asked for with other than two shares.
    """
    known = np.sort(values[~np.isnan(values)])
    if not shares or not all(a < b for a, b in pairwise((0.0, *shares, 1.0))):
        raise InputError(
            f"strata of '{measure}': quantiles should increase within 0 and 1, for instance "
            f"0.3,0.7; got {', '.join(f'{share:g}' for share in shares) or 'none'}."
        )
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size <= len(shares):
        raise InputError(
            f"strata of '{measure}': {len(shares) + 1} strata need as many different values, the "
            f"items have {distinct.size}; ask for fewer strata, or take another measure."
        )
    if ties == "outer":
        return _outer(known, measure, shares)
    cumulative = np.cumsum(counts)[:-1] / known.size  # share up to each value but the last
    below = _nearest(cumulative, np.asarray(shares, dtype=np.float64))
    uppers = [upper_edge(*distinct[place : place + 2].tolist()) for place in below]
    if len(shares) == 2:  # as one would say it: up to a value that occurs, from another on
        hardest = lower_edge(*distinct[below[1] : below[1] + 2].tolist())
        return Strata.easy_medium_hard(measure, uppers[0], hardest)
    return make_strata(measure, [Edge(value) for value in uppers])


def _outer(known: Array, measure: str, shares: Sequence[float]) -> Strata:
    if len(shares) != 2:
        raise ValueError(f"ties 'outer' are for two shares; got {len(shares)}.")
    low, high = np.quantile(known, shares)
    if low == high:
        raise InputError(
            f"strata of '{measure}': the quantiles {shares[0]:g} and {shares[1]:g} are both "
            f"{low:g}: too many items have that value; cut by explicit edges, or by "
            "'quantiles:2'."
        )
    # The same strata in terms of values that occur, as one would say it.
    easiest, after = float(known[known <= low].max()), float(known[known > low].min())
    before, hardest = float(known[known < high].max()), float(known[known >= high].min())
    if before == easiest:  # nothing in between: the two edges share one gap
        before = after = easiest + (hardest - easiest) / 2
    return Strata.easy_medium_hard(measure, upper_edge(easiest, after), lower_edge(before, hardest))


def _nearest(cumulative: Array, shares: Array) -> list[int]:
    """Increasing places in `cumulative` with the least sum of |cumulative - share|.

    Dynamic programming over the places, from the last share to the first.
    """
    places = cumulative.size
    costs = np.abs(cumulative[None, :] - shares[:, None])  # (shares, places)
    best = np.full((len(shares) + 1, places + 1), np.inf)  # least cost from each place on
    best[-1] = 0.0
    for row in range(len(shares) - 1, -1, -1):
        taken = costs[row] + best[row + 1, 1:]
        best[row, :-1] = np.minimum.accumulate(taken[::-1])[::-1]
    chosen: list[int] = []
    start = 0
    for row in range(len(shares)):
        taken = costs[row, start:] + best[row + 1, start + 1 :]
        start += int(np.argmin(taken)) + 1
        chosen.append(start - 1)
    return chosen


def upper_edge(last: float, following: float) -> float:
    """A short number from `last` to below `following`: the band that ends there ends at `last`.

    Counts stay as they are; 1.6950041108138623 before 1.6983 becomes 1.696.
    """
    if float(f"{last:.{_DIGITS}g}") == last:
        return last
    for digits in range(1, 18):
        upwards = decimal.Context(prec=digits, rounding=decimal.ROUND_CEILING)
        short = float(upwards.create_decimal(repr(last)))
        if last <= short < following:
            return short
    return last


def lower_edge(before: float, first: float) -> float:
    """A short number above `before` up to `first`: the band from there on begins at `first`."""
    return -upper_edge(-first, -before)
