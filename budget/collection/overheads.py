"""The money that is left for labels once what comes with every batch is paid."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from annotation.terms.cost import exact_decimal
from budget.config.collection_config import BuyingSection
from budget.market.market import Market
from budget.market.offers import Offer


def after_extra(market: Market, buying: BuyingSection) -> Market:
    """The market with the money that is left once judgments above those ordered are paid."""
    money = Fraction(market.money) / (1 + Fraction(str(buying.extra)))
    return replace(market, money=_rounded_down(money))


def after_overheads(market: Market, buying: BuyingSection) -> Market:
    """The same once gold questions of the next batch are paid, too; these are a quarter at most."""
    gold = sum(
        (Fraction(offer.cost) * offer.judgments * buying.gold for offer in _dearest(market)),
        Fraction(0),
    )
    money = Fraction(after_extra(market, buying).money)
    return replace(market, money=_rounded_down(max(Fraction(0), money - min(gold, money / 4))))


def _rounded_down(money: Fraction) -> Decimal:
    return exact_decimal(Fraction(int(money * 10**9), 10**9))


def _dearest(market: Market) -> list[Offer]:
    """Of every stratum its dearest offer."""
    return [
        max(own, key=lambda offer: offer.cost * offer.judgments)
        for name in market.strata
        if (own := market.of_stratum(name))
    ]
