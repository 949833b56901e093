"""How sure the mean of a table of seeds by items is: both are samples, and each cell is by itself.

The variance of the mean has a part of the items, a part of the seeds, and a part of what one seed
does to one item alone, the interaction. Spread between items holds the interaction too, and so
does spread between seeds: it is counted once (Cameron, Gelbach and Miller 2011, J. Business &
Economic Statistics 29). A handful of seeds hardly tells its own spread, so seeds have the quantile
of t for their own number, and items that for theirs (Howe 1974, JASA 69). docs/method/intervals.md
has how often intervals hold, and what a bootstrap over items and seeds does instead.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from annotation.arrays import Array, IntArray

_ROUNDING = 1e-9


@dataclass(frozen=True)
class TwoWaySpread:
    """Variances of the mean of one table, or of many, each (...,), as each way of looking has it.

    Attributes
    ----------
    items : from the spread between clusters of items, the interaction included
    seeds : from the spread between seeds, the interaction included; 0 for one seed
    interaction : from what is left in single cells; 0 for one seed
    clusters, seed_count : how many there are
    """

    items: Array
    seeds: Array
    interaction: Array
    clusters: int
    seed_count: int

    @property
    def seeds_count(self) -> Array:
        """Whether seeds differ by more than the interaction explains, (...,).

        Not where both are equal but for rounding, which the order of the items would decide.
        """
        return np.asarray(self.seeds > (1 + _ROUNDING) * self.interaction)

    def quantiles(self, confidence: float) -> tuple[float, float]:
        """Quantiles of t for the clusters and for the seeds; 0 for one seed."""
        of_seeds = _quantile(confidence, self.seed_count - 1) if self.seed_count > 1 else 0.0
        return _quantile(confidence, self.clusters - 1), of_seeds

    def half_width(self, confidence: float) -> Array:
        """Half the width of the interval of the mean, (...,).

        Its square is t_items^2 items, or, where seeds count,
        t_items^2 (items - interaction) + t_seeds^2 seeds.
        """
        of_items, of_seeds = self.quantiles(confidence)
        items = of_items**2 * self.items
        apart = of_items**2 * np.maximum(self.items - self.interaction, 0.0)
        both = np.maximum(items, apart + of_seeds**2 * self.seeds)
        return np.asarray(np.sqrt(np.where(self.seeds_count, both, items)))


@cache
def _quantile(confidence: float, freedom: int) -> float:
    """Of t, for both ends."""
    return float(stats.t.ppf(0.5 + confidence / 2, freedom))


def two_way_spread(table: Array, cluster: IntArray) -> TwoWaySpread:
    """Spread of the mean of `table` (..., seeds, items) over clusters of items and over seeds.

    `cluster` (items,) are numbers from 0, all of them taken. The mean is over items, so a larger
    cluster counts for more. Raises ValueError if there are fewer than two clusters.
    """
    clusters, (seeds, items) = int(cluster.max()) + 1, table.shape[-2:]
    if clusters < 2:
        raise ValueError("'cluster' should have two clusters at least; got one.")
    rest = (table - table.mean((-2, -1), keepdims=True)) / items
    if clusters < items:
        order = np.argsort(cluster, kind="stable")
        starts = np.searchsorted(cluster[order], np.arange(clusters))
        rest = np.add.reduceat(rest[..., order], starts, axis=-1)  # (..., seeds, clusters)
    by_cluster = rest.mean(-2)
    of_items = clusters / (clusters - 1) * (by_cluster**2).sum(-1)
    none = np.zeros_like(of_items)
    if seeds == 1:
        return TwoWaySpread(of_items, none, none, clusters, 1)
    by_seed = rest.sum(-1)
    of_seeds = (by_seed**2).sum(-1) / (seeds * (seeds - 1))
    # Sums of squares of the two-way layout; the grand mean of `rest` is zero.
    left = (rest**2).sum((-2, -1))
    left -= seeds * (by_cluster**2).sum(-1) + (by_seed**2).sum(-1) / clusters
    cells = clusters / (seeds * (seeds - 1) * (clusters - 1)) * np.maximum(left, 0.0)
    return TwoWaySpread(of_items, of_seeds, cells, clusters, seeds)
