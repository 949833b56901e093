"""How sure a difference is: p-values of the two-way intervals, equivalence, and Holm's correction.

A table is (seeds, items), as everywhere in `analysis.accuracy`; a p-value is where the interval of
its mean just touches the value that is tested, so that tests and intervals never disagree.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq

from analysis.accuracy import ItemClusters
from annotation.arrays import Array

LEVEL = 0.05
_SMALLEST = 1e-10  # a p-value is not told more finely


def two_sided(clusters: ItemClusters, table: Array) -> float:
    """P-value of the hypothesis that the mean of a table is zero; 1 where nothing can be told."""
    mean = float(table.mean())

    def excess(exponent: float) -> float:
        """Above zero where the mean lies outside the interval at this level."""
        found = clusters.mean(table, confidence=1 - 10.0**exponent)
        if found.low is None or found.high is None:
            return -1.0
        return abs(mean) - (found.high - found.low) / 2

    smallest, largest = np.log10(_SMALLEST), np.log10(1 - 1e-9)
    if mean == 0 or excess(largest) <= 0:
        return 1.0
    if excess(smallest) >= 0:
        return _SMALLEST
    return float(10.0 ** brentq(excess, smallest, largest, xtol=1e-6))


def above(clusters: ItemClusters, table: Array) -> float:
    """One-sided p-value of the hypothesis that the mean of a table is zero or less."""
    half = two_sided(clusters, table) / 2
    return half if float(table.mean()) > 0 else 1 - half


def equivalence(clusters: ItemClusters, table: Array, margin: float) -> float:
    """P-value of the hypothesis that a mean is `margin` or more away from zero.

    Two one-sided tests (Schuirmann 1987, J Pharmacokinet Biopharm 15): small where the mean lies
    within -margin and margin for sure.
    """
    return max(above(clusters, table + margin), above(clusters, margin - table))


def beyond(clusters: ItemClusters, table: Array, margin: float) -> float:
    """P-value of the hypothesis that a mean lies within -margin and margin, either side tested."""
    outside = min(above(clusters, table - margin), above(clusters, -margin - table))
    return min(1.0, 2 * outside)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number (Holm 1979, Scand J Stat 6), in the order given.

    Whatever the tests have to do with one another, the chance of any false finding at level a
    among those with a corrected value of at most a is at most a.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(values.size, 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in corrected]
