"""Simple rules that spend a budget without looking at any evidence: the planner's baselines."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from annotation.terms.cost import LabelTerms, affordable, mix_cost

Mix = dict[str, int]

DESCRIPTIONS = {
    "equal_spend": "the same money on every stratum",
    "proportional": "labels in proportion to the items left to label",
}


def describe(policy: str) -> str:
    """One phrase for people."""
    return DESCRIPTIONS.get(policy) or f"all money on {policy.removeprefix('all_')} labels"


def baseline_mixes(
    budget: Decimal,
    terms: Mapping[str, LabelTerms],
    capacity: Mapping[str, int],
    strata: Sequence[str],
) -> dict[str, Mix]:
    """The mix of every simple rule; none costs more than `budget`.

    `strata` are those for sale; `capacity` is how many labels of each can be bought at most.
    """
    mixes = {f"all_{name}": single_stratum(name, budget, terms, capacity) for name in strata}
    each = Fraction(1, len(strata))
    mixes["equal_spend"] = {
        name: min(affordable(budget, terms[name].cost, each), capacity[name]) for name in strata
    }
    mixes["proportional"] = _proportional(budget, terms, capacity, strata)
    for mix in mixes.values():
        assert mix_cost(mix, terms) <= budget
    return mixes


def single_stratum(
    name: str, budget: Decimal, terms: Mapping[str, LabelTerms], capacity: Mapping[str, int]
) -> Mix:
    """As many labels of one stratum as the budget buys."""
    return {name: min(affordable(budget, terms[name].cost), capacity[name])}


def _proportional(
    budget: Decimal,
    terms: Mapping[str, LabelTerms],
    capacity: Mapping[str, int],
    strata: Sequence[str],
) -> Mix:
    available = {name: capacity[name] for name in strata if capacity[name]}
    cost_of_all = mix_cost(available, terms)
    # Rounded down in every stratum, so that the sum stays within the budget.
    return {
        name: min(int(Fraction(budget) / Fraction(cost_of_all) * labels), labels)
        for name, labels in available.items()
    }
