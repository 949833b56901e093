"""The least that suppliers take: what a batch has of each is no smaller, or it has none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from budget.market.market import Market
from budget.market.offers import Offer


@dataclass(frozen=True)
class BelowLeast:
    """What is not ordered of a supplier, since it would be less than the supplier takes.

    `least` labels of the stratum are taken, and there is money, or there are items, for `most`.
    """

    supplier: str
    stratum: str
    least: int
    most: int

    def __str__(self) -> str:
        return (
            f"Supplier '{self.supplier}' takes no fewer than {self.least:,} {self.stratum} labels, "
            f"and what is left pays or has items for {self.most:,}."
        )

    def facts(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return asdict(self)


def offers_too_big(market: Market) -> list[BelowLeast]:
    """Offers that money or items do not reach, though one label could be had."""
    found = []
    for offer in market.offers:
        most = most_of(offer, market)
        if most < offer.least:
            found.append(BelowLeast(offer.supplier, offer.stratum, offer.least, most))
    return found


def most_of(offer: Offer, market: Market) -> int:
    """How many labels of one offer the money and the items allow, if nothing else is bought."""
    each = Fraction(offer.cost) * offer.judgments
    most = market.items[offer.stratum]
    if offer.capacity is not None:
        most = min(most, offer.capacity)
    return min(most, int(Fraction(market.money) / each)) if each else most


def raised_to_least(
    labels: Mapping[str, int], offers: Mapping[str, Offer], market: Market
) -> tuple[dict[str, int], list[BelowLeast]]:
    """A batch of which every stratum has as many labels as its supplier takes, or none.

    Those that are large enough stay as they are. Of the others those that lack least come first,
    as far as the money goes.

    Parameters
    ----------
    labels : stratum -> labels, above 0
    offers : stratum -> the offer that they are of
    market : for its items and money
    """
    found = {name: count for name, count in labels.items() if count >= offers[name].least}
    money = Fraction(market.money) - sum(
        (_price(offers[name], count) for name, count in found.items()), Fraction(0)
    )
    refused = []
    for name in sorted(labels.keys() - found.keys(), key=lambda n: offers[n].least - labels[n]):
        offer = offers[name]
        each = _price(offer, 1)
        most = most_of(offer, market)
        most = min(most, int(money / each)) if each else most
        if most < offer.least:
            refused.append(BelowLeast(offer.supplier, name, offer.least, most))
            continue
        found[name] = offer.least
        money -= _price(offer, offer.least)
    return {name: found[name] for name in labels if name in found}, refused


def _price(offer: Offer, labels: int) -> Fraction:
    return Fraction(offer.cost) * offer.judgments * labels
