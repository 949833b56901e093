"""Who labels in a collection: by which channel, at which price, how many judgments of an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from annotation.errors import InputError, short
from budget.collection.kinds import EXISTING
from budget.collection.money_unit import MoneyUnit
from budget.collection.price import Price
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile, terms_of

ChannelKind = Literal["label_studio", "file"]
UNMEASURED = 0.25
"""The error rate that a supplier is taken to have while neither stated nor measured."""
_IDLE = 4  # times the usual seconds of a judgment: what is longer was not all work


@dataclass(frozen=True)
class Supplier:
    """One supplier.

    Attributes
    ----------
    name : as in the file of suppliers
    channel : how tasks go out and judgments come back
    prices : stratum that it labels -> what a judgment costs
    judgments : stratum -> how many judgments of an item can be ordered
    """

    name: str
    channel: ChannelKind
    prices: Mapping[str, Price]
    judgments: Mapping[str, tuple[int, ...]]


def collection_suppliers(file: SuppliersFile, config: CollectionConfig) -> dict[str, Supplier]:
    """The suppliers of a collection by name.

    Raises InputError if a price is missing, work by the hour has no limit, or nobody labels a
    stratum that is for sale.
    """
    strata = config.strata.buy
    found = {name: _supplier(name, file, config) for name in file.suppliers}
    for stratum in strata:
        if not any(stratum in own.prices for own in found.values()):
            raise InputError(
                f"stratum '{stratum}': no supplier labels it; add a supplier, or take it out of "
                "strata.buy."
            )
    return found


def unit_of(suppliers: Mapping[str, Supplier], currency: str, *others: Decimal) -> MoneyUnit:
    """The unit that all prices and the other amounts, such as the budget, are whole numbers of."""
    prices = [price for own in suppliers.values() for price in own.prices.values()]
    amounts = [*others, *(price.per_judgment for price in prices)]
    return MoneyUnit.fitting(currency, amounts, any(price.per_hour for price in prices))


def _supplier(name: str, file: SuppliersFile, config: CollectionConfig) -> Supplier:
    section = file.suppliers[name]
    _check_name(name)
    own = section.strata
    for stratum in own or {}:
        if stratum not in config.strata.names:
            raise InputError(
                f"suppliers.{name}.strata.{stratum}: no such stratum; choose from "
                f"{', '.join(config.strata.names)}."
            )
    prices, judgments = {}, {}
    for stratum in config.strata.buy:
        if own is not None and stratum not in own:
            continue
        place = name if own is None else f"{name}.strata.{stratum}"
        terms = terms_of(section, stratum)
        if "cost" not in terms and "per_hour" not in terms:
            raise InputError(
                f"suppliers.{place}.cost is missing; give the price of a judgment, or per_hour."
            )
        if terms.get("discounts") or terms.get("fixed_cost"):
            raise InputError(
                f"suppliers.{place}: a collection pays by the judgment or by the hour; leave "
                "discounts and fixed_cost out, and take them off the budget."
            )
        prices[stratum] = price = _price(place, terms, config.buying.pay_skipped)
        if not (price.per_judgment or price.per_hour):
            raise InputError(
                f"suppliers.{place}.cost is 0: any number of judgments would be bought; give what "
                "one costs you, people of your own too."
            )
        judgments[stratum] = tuple(sorted(set(terms.get("judgments", (1,)))))
    return Supplier(name, section.channel or "label_studio", prices, judgments)


def _price(place: str, terms: Mapping[str, object], pay_skipped: bool) -> Price:
    longest = terms.get("most_seconds")
    if longest is None and "seconds" in terms:
        longest = Decimal(str(terms["seconds"])) * _IDLE
    try:
        return Price(
            Decimal(str(terms.get("cost", 0))),
            Decimal(str(terms.get("per_hour", 0))),
            Decimal(str(longest or 0)),
            pay_skipped,
        )
    except InputError as error:
        raise InputError(f"suppliers.{place}: {error}") from None


def _check_name(name: str) -> None:
    """A supplier's name is the name of its folder, too."""
    if name == EXISTING:
        raise InputError(
            f"suppliers.{EXISTING}: labels that existed before have this name; choose another."
        )
    if (
        not name
        or len(name) > 60
        or any(not (c.isalnum() or c in "-_ ") for c in name)
        or (name != name.strip())
    ):
        raise InputError(
            f"suppliers.{short(name)[1:-1]}: a supplier's name should be at most 60 letters, "
            "digits, blanks, - and _."
        )
