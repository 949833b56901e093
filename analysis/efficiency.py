"""SGR per cost unit: how much of the supervision gap a purchase closes for its money."""

from collections.abc import Mapping

from analysis.estimates import SupervisionGap


def sgr_per_cost(
    accuracy: Mapping[str, float], cost: Mapping[str, float], gap: SupervisionGap
) -> dict[str, float] | None:
    """Share of the gap that each condition recovers, per unit of money.

    A positive share is divided by the cost. A negative one is multiplied by it, as botorch's
    cost-aware utility does: divided, an expensive failure would look better than a cheap one.
    None where the gap is not resolved.
    """
    unsupervised, hard = gap.unsupervised.estimate, gap.hard.estimate
    if not gap.resolved or unsupervised is None or hard is None:
        return None
    efficiency = {}
    for condition, value in accuracy.items():
        if cost[condition] <= 0:
            continue  # zero-shot costs nothing and recovers nothing
        share = (value - unsupervised) / (hard - unsupervised)
        efficiency[condition] = share / cost[condition] if share >= 0 else share * cost[condition]
    return efficiency
