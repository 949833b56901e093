"""Markets where a campaign stands, and what a world sells, for tests."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from annotation.labelling.labels import Labels, joined
from annotation.terms.cost import LabelTerms
from budget.backtest.evidence import annotators_of
from budget.market.market import Market, market_at_terms
from budget.worlds.world import World


def standing_at(
    strata: Sequence[str],
    terms: Mapping[str, LabelTerms],
    capacity: Mapping[str, int],
    bought: Mapping[str, int],
    money: Decimal,
) -> Market:
    """A market in which labels were bought; `capacity` holds those, too."""
    left = {name: capacity[name] - bought.get(name, 0) for name in strata}
    return market_at_terms(tuple(strata), terms, left, money, bought)


def sold(world: World, seed: int, mix: Mapping[str, int]) -> Labels:
    """The labels of a purchase in a world's market of a seed."""
    annotators = annotators_of(world)
    return joined([annotators.labels(name, count, seed) for name, count in mix.items()])
