"""Rules that look at terms and pool sizes alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from annotation.terms.cost import affordable
from budget.campaign.campaign import Campaign
from budget.campaign.play import Play
from budget.market.simple_rules import Mix, baseline_mixes, single_stratum


def all_easy(campaign: Campaign) -> Mix:
    """All money on the easiest stratum."""
    return single_stratum(campaign.strata[0], campaign.budget, campaign.terms, campaign.capacity)


def all_hard(campaign: Campaign) -> Mix:
    """All money on the target stratum."""
    return single_stratum(campaign.target, campaign.budget, campaign.terms, campaign.capacity)


def equal_spend(campaign: Campaign) -> Mix:
    """The same money on every stratum."""
    return _baseline(campaign, "equal_spend")


def proportional(campaign: Campaign) -> Mix:
    """Labels in proportion to the pools."""
    return _baseline(campaign, "proportional")


def equal_counts(campaign: Campaign) -> Mix:
    """The same number of labels of every stratum, as many as the smallest pool allows."""
    cost_of_one_each = sum(
        (campaign.terms[name].cost for name in campaign.strata), start=0 * campaign.budget
    )
    each = affordable(campaign.budget, cost_of_one_each)
    return dict.fromkeys(campaign.strata, min(each, *campaign.capacity.values()))


def paper_rule(campaign: Campaign) -> Mix:
    """Hase et al. 2024, as a rule: easy, unless hard labels are as cheap and as clean.

    The paper finds that easy labels recover most of what hard ones give, and that they are the
    better buy once hard ones cost or err twice as much; it never joins cost and noise. Taken here
    as: buy easy where a RIGHT easy label is cheaper than a right hard one, the cost of a right
    label being cost / (1 - share of wrong labels); hard where it is not, so where both cost and
    err the same. With several strata, easy is the easiest, hard the target.
    """

    def right(name: str) -> Fraction:
        terms = campaign.terms[name]
        # A redraw comes out right by chance; the test set's number of choices stands for all.
        missed = 1 - campaign.test.chance if terms.error_kind == "redraw" else 1.0
        return 1 - Fraction(terms.error_rate * missed).limit_denominator(10**9)

    easy, hard = campaign.strata[0], campaign.target
    dearer_hard = Fraction(campaign.terms[hard].cost) * right(easy)
    dearer_easy = Fraction(campaign.terms[easy].cost) * right(hard)
    return all_easy(campaign) if dearer_easy < dearer_hard else all_hard(campaign)


def _baseline(campaign: Campaign, name: str) -> Mix:
    return baseline_mixes(campaign.budget, campaign.terms, campaign.capacity, campaign.strata)[name]


@dataclass(frozen=True)
class SimpleRule:
    """A policy that buys one mix, which it knows from the terms alone."""

    name: str
    choose: Callable[[Campaign], Mix] = field(repr=False)

    def play(self, campaign: Campaign) -> Play:
        """Buy the mix and stop."""
        campaign.buy(self.choose(campaign))
        return None
        yield  # nothing is trained; makes this a generator
