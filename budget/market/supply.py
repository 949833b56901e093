"""What can be bought, and what limits it: offers, items, hours, what training costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms, exact_decimal, money
from budget.market.offers import Offer

RUN_SUPPLIER = "as before"


@dataclass(frozen=True)
class TrainingCost:
    """What training on the final purchase costs: once, and for every label trained on."""

    fixed: Decimal = Decimal(0)
    per_label: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed", money(self.fixed))
        object.__setattr__(self, "per_label", money(self.per_label))


@dataclass(frozen=True)
class Supply:
    """Everything but money and evidence that a plan depends on.

    Attributes
    ----------
    strata : in order of hardness, as the response surface has them
    offers : what can be bought; a supplier works at one number of judgments per stratum
    items : stratum -> labels that can still be bought of it
    bought : stratum -> labels bought already
    bought_clean : stratum -> share of those that is clean; 1 where not named
    hours : role -> hours of work until the deadline; roles not named have no limit
    training : what training on the purchase costs

    Raises InputError if an offer is of no stratum, or a number is negative.
    """

    strata: tuple[str, ...]
    offers: tuple[Offer, ...]
    items: Mapping[str, int]
    bought: Mapping[str, int] = field(default_factory=dict)
    bought_clean: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, Decimal] = field(default_factory=dict)
    training: TrainingCost = TrainingCost()

    def __post_init__(self) -> None:
        for offer in self.offers:
            if offer.stratum not in self.strata:
                raise InputError(
                    f"supplier '{offer.supplier}': stratum '{offer.stratum}' is not for sale; "
                    f"choose from {', '.join(self.strata)}."
                )
        for name in self.strata:
            for what, number in (("items", self.items[name]), ("bought", self.bought.get(name, 0))):
                if number < 0:
                    raise InputError(f"stratum '{name}': {what} should not be negative.")
        for role, hours in self.hours.items():
            if not hours >= 0:
                raise InputError(f"hours of role '{role}' should not be negative; got {hours}.")

    def only(self, offers: Iterable[Offer]) -> "Supply":
        """The same with these offers alone."""
        return replace(self, offers=tuple(offers))

    def of_stratum(self, name: str) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if offer.stratum == name)

    @property
    def suppliers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(offer.supplier for offer in self.offers))

    def training_of_bought(self) -> Decimal:
        """What training on what was bought already costs, exactly."""
        labels = sum(self.bought.get(name, 0) for name in self.strata)
        per_label = Fraction(self.training.per_label)
        return exact_decimal(Fraction(self.training.fixed) + per_label * labels)


def offers_at_terms(
    terms: Mapping[str, LabelTerms], clean: Mapping[str, float], supplier: str = RUN_SUPPLIER
) -> tuple[Offer, ...]:
    """One supplier who sells labels at the terms of a run; `clean` is what they are worth."""
    return tuple(
        Offer(name, supplier, 1, own.cost, 1 - clean.get(name, 1.0)) for name, own in terms.items()
    )
