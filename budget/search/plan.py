"""A plan: what to buy, from whom, at which price, and what it should give."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from analysis.accuracy import interval
from analysis.estimates import Estimate
from annotation.arrays import Array
from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.evaluation import MeanAccuracy
from budget.search.search import Found, Search
from budget.surface.luck import luck_covariance
from budget.surface.response import ResponseSurface

_FORECAST_SEED = 0x1ABE1


@dataclass(frozen=True)
class Line:
    """So many labels of one offer; `cost` in the user's currency, `hours` of work."""

    offer: Offer
    labels: int
    cost: Decimal
    hours: Decimal


@dataclass(frozen=True)
class Plan:
    """A recommended purchase.

    Attributes
    ----------
    lines : what to buy, by stratum in order of hardness; empty if nothing more should be bought
    labels : stratum -> labels to buy
    used : stratum -> labels to train on, those bought earlier included; less than there are where
        earlier ones do harm
    clean : stratum -> share of clean labels among those used
    cost : of lines and training, exactly
    training_cost : part of `cost`
    money_left : of what could be spent
    hours : role -> hours of work
    expected : mean accuracy over the surface's draws
    """

    lines: tuple[Line, ...]
    labels: Mapping[str, int]
    used: Mapping[str, int]
    clean: Mapping[str, float]
    cost: Decimal
    training_cost: Decimal
    money_left: Decimal
    hours: Mapping[str, Decimal]
    expected: float

    def accuracy(self, surface: ResponseSurface) -> Array:
        """Draws (draws,) of the accuracy to expect, without the luck of one purchase."""
        counts = np.array([[float(self.used[name]) for name in surface.strata]])
        clean = np.array([[self.clean[name] for name in surface.strata]])
        return surface.accuracy(counts, clean)[:, 0]

    def forecast(self, surface: ResponseSurface) -> Array:
        """Draws (draws,) of what one purchase will score on new items: with its luck."""
        return forecast(surface, self.used, self.clean)


def forecast(
    surface: ResponseSurface, labels: Mapping[str, int], clean: Mapping[str, float]
) -> Array:
    """Draws (draws,) of what one purchase of a mix will score on new items.

    They hold the surface's uncertainty and the luck of which items are bought and tested.
    """
    counts = surface.counts([labels])
    shares = np.array([clean.get(name, 1.0) for name in surface.strata])
    variance = luck_covariance(counts, counts[0], shares, np.ones(1), surface.luck)[0, 0]
    rng = np.random.default_rng(_FORECAST_SEED)
    luck = rng.standard_normal(len(surface.draws)) * np.sqrt(variance)
    accuracy = surface.accuracy(counts, shares[None])[:, 0]
    return np.asarray(np.clip(accuracy + surface.draws[:, -1] + luck, 0, 1))


def expected_accuracy(surface: ResponseSurface, mix: Mapping[str, int]) -> Estimate:
    """Mean accuracy of a mix at the surface's own clean shares; interval of one purchase of it."""
    mean = float(surface.predict([mix], offset=False).mean())
    return interval(mean, forecast(surface, mix, surface.clean))


class PlanSearch:
    """Plans of one market on one surface, for any amount of money."""

    def __init__(self, surface: ResponseSurface, market: Market) -> None:
        if surface.strata != market.strata:
            raise ValueError(
                f"surface and market should have the same strata; got {surface.strata} and "
                f"{market.strata}."
            )
        self.surface, self.market = surface, market
        self.purchases = Search(market, MeanAccuracy(surface))

    def plan(self, money: Decimal) -> Plan:
        """The purchase with the largest expected accuracy that costs at most `money`.

        What was bought already is trained on too, unless that does harm, and is not paid again.

        Raises InputError if the money does not pay for training.
        """
        market = self.market
        ledger = self.purchases.ledger
        fixed = market.training.fixed
        found = None
        if money >= fixed:
            limits = ledger.limits(exact_decimal(Fraction(money) - Fraction(fixed)))
            found = self.purchases.best(limits)
        if found is None:
            raise InputError(
                f"{money} do not pay for training, which costs {market.training_of_bought()} on "
                "the labels of the pilot; give a larger budget."
            )
        plan = self._plan(found, money)
        assert plan.cost <= money
        return plan

    def _plan(self, found: Found, money: Decimal) -> Plan:
        market = self.market
        lines = []
        for place, stratum in enumerate(self.purchases.strata):
            labels = found.purchase.labels[place]
            if not any(labels):
                continue
            segments = stratum.curves[found.purchase.curves[place]].segments
            for segment, number in zip(segments, labels, strict=False):
                if number:
                    offer = segment.offer
                    lines.append(Line(offer, number, offer.price(number), offer.work(number)))
        bought = {
            name: sum(line.labels for line in lines if line.offer.stratum == name)
            for name in market.strata
        }
        used = dict(zip(market.strata, found.used, strict=True))
        per_label = Fraction(market.training.per_label)
        training = Fraction(market.training.fixed) + per_label * sum(found.used)
        cost = training + sum(Fraction(line.cost) for line in lines)
        hours: dict[str, Decimal] = {}
        for line in lines:
            if line.offer.role is not None:
                hours[line.offer.role] = hours.get(line.offer.role, Decimal(0)) + line.hours
        plan = Plan(
            lines=tuple(lines),
            labels=bought,
            used=used,
            clean=dict(zip(market.strata, found.clean, strict=True)),
            cost=exact_decimal(cost),
            training_cost=exact_decimal(training),
            money_left=exact_decimal(Fraction(money) - cost),
            hours=hours,
            expected=found.mean,
        )
        return replace(plan, expected=float(plan.accuracy(self.surface).mean()))


def plan_purchase(surface: ResponseSurface, market: Market, money: Decimal) -> Plan:
    """One plan, see `PlanSearch.plan`."""
    return PlanSearch(surface, market).plan(money)
