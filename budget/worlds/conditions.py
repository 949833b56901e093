"""The terms on which every task is put: cost ratio, error rates, budget."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product

from annotation.terms.cost import LabelTerms

COST_RATIOS = (1, 2, 4, 10)  # hard over easy
# Redraw error rates of easy and of hard labels.
ERROR_RATES = ((0.0, 0.0), (0.1, 0.2), (0.2, 0.4), (0.3, 0.6), (0.4, 0.4), (0.4, 0.0))
BUDGETS = (200, 600, 2000)  # in units of what an easy label costs
# Terms between those, for tasks of real items: when all worlds of the grid above have been looked
# at, these are new; and when those have been, the last ones are.
_FURTHER = ((1, 2, 3, 6), ((0.0, 0.3), (0.2, 0.2), (0.1, 0.4), (0.3, 0.1)), (350, 1000))
_LAST = ((5, 8), ((0.05, 0.25), (0.15, 0.15), (0.2, 0.5), (0.35, 0.15)), (450, 1500))


@dataclass(frozen=True)
class Condition:
    """Terms of sale: the cost of an easy label is 1, that of a hard one the cost ratio."""

    cost_ratio: int
    error_rates: tuple[float, float]  # easy, hard
    budget: int

    @property
    def name(self) -> str:
        easy, hard = self.error_rates
        return f"cost{self.cost_ratio}-errors{easy:g}_{hard:g}-budget{self.budget}"

    def parameters(self) -> dict[str, float | int | str]:
        """The condition for tables."""
        return {
            "cost_ratio": self.cost_ratio,
            "easy_error_rate": self.error_rates[0],
            "hard_error_rate": self.error_rates[1],
            "budget": self.budget,
        }

    def terms(self, strata: Sequence[str]) -> dict[str, LabelTerms]:
        """Terms of every stratum; those between the easiest and the hardest lie evenly between.

        Costs are rounded to cents. Raises ValueError if there are fewer than two strata.
        """
        if len(strata) < 2:
            raise ValueError(f"'strata' should be at least two; got {list(strata)}.")
        easy, hard = self.error_rates
        terms = {}
        for place, name in enumerate(strata):
            way = Fraction(place, len(strata) - 1)
            cents = round((1 + (self.cost_ratio - 1) * way) * 100)
            rate = round(easy + (hard - easy) * float(way), 6)
            terms[name] = LabelTerms(Decimal(cents) / 100, rate, "redraw")
        return terms


def all_conditions() -> list[Condition]:
    """The grid, the further terms and the last ones, each in an order that mixes it.

    The order is that of the names' hashes.
    """
    return [
        *_mixed(COST_RATIOS, ERROR_RATES, BUDGETS),
        *_mixed(*_FURTHER),
        *_mixed(*_LAST),
    ]


def _mixed(
    cost_ratios: Sequence[int], error_rates: Sequence[tuple[float, float]], budgets: Sequence[int]
) -> list[Condition]:
    grid = [Condition(*own) for own in product(cost_ratios, error_rates, budgets)]
    return sorted(grid, key=lambda own: hashlib.sha256(own.name.encode()).digest())
