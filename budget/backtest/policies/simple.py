"""Rules that look at terms and pool sizes alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from annotation.terms.cost import affordable
from budget.campaign.play import Play
from budget.market.market import Market
from budget.market.simple_rules import Mix, baseline_mixes, single_stratum


def all_easy(market: Market) -> Mix:
    """All money on the easiest stratum."""
    return single_stratum(market.strata[0], market.budget, market.terms, market.capacity)


def all_hard(market: Market) -> Mix:
    """All money on the target stratum."""
    return single_stratum(market.target, market.budget, market.terms, market.capacity)


def both_sides(market: Market) -> tuple[Mix, Mix]:
    """All easy and all hard."""
    return all_easy(market), all_hard(market)


def equal_spend(market: Market) -> Mix:
    """The same money on every stratum."""
    return _baseline(market, "equal_spend")


def proportional(market: Market) -> Mix:
    """Labels in proportion to the pools."""
    return _baseline(market, "proportional")


def equal_counts(market: Market) -> Mix:
    """The same number of labels of every stratum, as many as the smallest pool allows."""
    cost_of_one_each = sum(
        (market.terms[name].cost for name in market.strata), start=0 * market.budget
    )
    each = affordable(market.budget, cost_of_one_each)
    return dict.fromkeys(market.strata, min(each, *market.capacity.values()))


def paper_rule(market: Market) -> Mix:
    """Hase et al. 2024, as a rule: easy, unless hard labels are as cheap and as clean.

    The paper finds that easy labels recover most of what hard ones give, and that they are the
    better buy once hard ones cost or err twice as much; it never joins cost and noise. Taken here
    as: buy easy where a RIGHT easy label is cheaper than a right hard one, the cost of a right
    label being cost / (1 - share of wrong labels); hard where it is not, so where both cost and
    err the same. With several strata, easy is the easiest, hard the target.
    """

    def right(name: str) -> Fraction:
        terms = market.terms[name]
        # A redraw comes out right by chance; the test set's number of choices stands for all.
        missed = 1 - market.chance if terms.error_kind == "redraw" else 1.0
        return 1 - Fraction(terms.error_rate * missed).limit_denominator(10**9)

    easy, hard = market.strata[0], market.target
    dearer_hard = Fraction(market.terms[hard].cost) * right(easy)
    dearer_easy = Fraction(market.terms[easy].cost) * right(hard)
    return all_easy(market) if dearer_easy < dearer_hard else all_hard(market)


def _baseline(market: Market, name: str) -> Mix:
    return baseline_mixes(market.budget, market.terms, market.capacity, market.strata)[name]


@dataclass(frozen=True)
class SimpleRule:
    """A policy that buys one mix, which it knows from the terms alone."""

    name: str
    choose: Callable[[Market], Mix] = field(repr=False)

    def play(self, market: Market) -> Play:
        """Buy the mix and stop."""
        market.buy(self.choose(market))
        return None
        yield  # nothing is trained; makes this a generator
