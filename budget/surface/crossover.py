"""The crossover budget that a fitted surface tells: its own draws are those of the answer."""

from collections.abc import Iterable, Mapping

import numpy as np

from analysis.accuracy import CONFIDENCE
from analysis.crossover import CrossoverBudget, crossover_budget
from annotation.arrays import Array
from annotation.terms.cost import LabelTerms
from budget.surface.response import ResponseSurface

_AMOUNTS = 60  # of money that are looked at, each by the same factor above the last


def surface_crossover(
    surface: ResponseSurface,
    stratum: str,
    terms: Mapping[str, LabelTerms],
    measured: Iterable[Mapping[str, int]],
    most: float,
    capacity: Mapping[str, int],
    clean: Mapping[str, float] | None = None,
) -> CrossoverBudget | None:
    """Where the better buy turns between all money on `stratum` and all of it on the target.

    Looked at from the least money for which both kinds were measured alone, up to `most`, or to
    where one of them is sold out. Labels are all bought anew, and by parts: a budget that no whole
    number of labels costs is told, too. None where one kind was never measured alone, or where
    there is no money above the least.

    Parameters
    ----------
    terms : what a label of each stratum costs
    measured : the mixes that were trained on
    capacity : labels of each stratum that can be bought
    clean : stratum -> share of clean labels; None for those of the labels bought
    """
    names = (stratum, surface.target)
    mixes = list(measured)
    alone = [_alone(mixes, name) for name in names]
    exact = [terms[name].cost for name in names]
    if not all(alone) or not all(exact):
        return None
    least = float(max(min(sizes) * price for sizes, price in zip(alone, exact, strict=True)))
    up_to = float(min(max(sizes) * price for sizes, price in zip(alone, exact, strict=True)))
    ends = [float(capacity[name] * price) for name, price in zip(names, exact, strict=True)]
    prices, most = [float(price) for price in exact], min(most, *ends)
    if most <= least:
        return None
    costs: Array = np.geomspace(least, most, _AMOUNTS).astype(np.float64)
    costs[[0, -1]] = least, most  # to the last digit
    ours, theirs = (
        _accuracy(surface, name, costs / price, clean)
        for name, price in zip(names, prices, strict=True)
    )
    leads = ours - theirs
    return crossover_budget(costs, leads.mean(0), leads, names, CONFIDENCE, up_to)


def _alone(mixes: Iterable[Mapping[str, int]], stratum: str) -> list[int]:
    """How many labels of the stratum were measured without any others."""
    found = [{name: number for name, number in mix.items() if number} for mix in mixes]
    return [mix[stratum] for mix in found if list(mix) == [stratum]]


def _accuracy(
    surface: ResponseSurface, stratum: str, labels: Array, clean: Mapping[str, float] | None
) -> Array:
    """Draws of accuracy after so many labels of one stratum, (draws, amounts)."""
    counts = np.zeros((labels.size, len(surface.strata)))
    counts[:, surface.strata.index(stratum)] = labels
    return surface.accuracy(counts, np.broadcast_to(surface.clean_shares(clean), counts.shape))
