"""SGR per cost unit: how much of the supervision gap a purchase closes for its money."""

from collections.abc import Mapping

from analysis.accuracy import ItemClusters, difference_table
from analysis.estimates import Estimate
from annotation.arrays import Correct


def sgr_per_cost(
    correct: Mapping[str, Correct],
    cost: Mapping[str, float],
    hard: Correct,
    unsupervised: Correct,
    clusters: ItemClusters,
) -> dict[str, Estimate] | None:
    """Share of the gap that each condition recovers, per unit of money, with its interval.

    The gap is that of the SGR, `hard` - `unsupervised`. None where it is not resolved. What costs
    nothing is left out: it recovers nothing.

    Parameters
    ----------
    correct : condition -> (seeds, items), seeds matched with those of `hard`
    cost : condition -> its money
    hard, unsupervised : (seeds, items), the two ends of the gap
    clusters : of the test items
    """
    gap = difference_table(hard, unsupervised)
    efficiency = {}
    for condition, own in correct.items():
        if cost[condition] <= 0:
            continue
        share = clusters.ratio(difference_table(own, unsupervised), gap)
        if share.estimate is None:
            return None
        ends = {
            name: per_cost(end, cost[condition])
            for name, end in share.model_dump().items()
            if end is not None
        }
        efficiency[condition] = Estimate(**{"low": None, "high": None, **ends})
    return efficiency


def per_cost(share: float, cost: float) -> float:
    """A share of the gap per unit of money: divided by the cost, or, if negative, multiplied.

    As botorch's cost-aware utility does: divided, an expensive failure would look better than a
    cheap one. It rises with the share, so the ends of an interval stay its ends.
    """
    return share / cost if share >= 0 else share * cost
