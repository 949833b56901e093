"""The market: what is for sale, by whom, and what limits it: items, money, hours.

One market serves every question: a policy of the backtest stands in it, a run plans in it, and
`labelmix plan` asks it for other suppliers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product

import numpy as np

from annotation.arrays import IntArray
from annotation.errors import InputError
from annotation.terms.cost import (
    LabelTerms,
    affordable,
    affordable_by_shares,
    exact_decimal,
    money,
    money_left,
)
from budget.market.offers import Offer

RUN_SUPPLIER = "as before"


@lru_cache(maxsize=64)
def _compositions(total: int, parts: int) -> IntArray:
    """All ways to write a number as a sum of so many, in order: (ways, parts)."""
    ways = [own for own in product(range(total + 1), repeat=parts) if sum(own) == total]
    return np.array(ways)


@dataclass(frozen=True)
class TrainingCost:
    """What training on the final purchase costs: once, and for every label trained on."""

    fixed: Decimal = Decimal(0)
    per_label: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed", money(self.fixed))
        object.__setattr__(self, "per_label", money(self.per_label))


@dataclass(frozen=True)
class Market:
    """Everything but evidence that a plan depends on; it never changes, a purchase makes another.

    Attributes
    ----------
    strata : in order of hardness, as the response surface has them
    offers : what can be bought; a supplier works at one number of judgments per stratum
    items : stratum -> labels that can still be bought of it
    bought : stratum -> labels bought already
    bought_clean : stratum -> share of those that is clean; 1 where not named
    hours : role -> hours of work until the deadline; roles not named have no limit
    training : what training on the purchase costs
    money : left to spend, where the question names no other amount

    Raises InputError if an offer is of no stratum, or a number is negative.
    """

    strata: tuple[str, ...]
    offers: tuple[Offer, ...]
    items: Mapping[str, int]
    bought: Mapping[str, int] = field(default_factory=dict)
    bought_clean: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, Decimal] = field(default_factory=dict)
    training: TrainingCost = TrainingCost()
    money: Decimal = Decimal(0)

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

    def only(self, offers: Iterable[Offer]) -> "Market":
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

    @cached_property
    def terms(self) -> dict[str, LabelTerms]:
        """Price and redraw rate of a label by stratum, where each has one plain offer.

        Raises ValueError where a stratum has several offers, or one whose labels have no one price.
        """
        found = {}
        for name in self.strata:
            own = self.of_stratum(name)
            if len(own) != 1 or not own[0].is_plain:
                raise ValueError(f"stratum '{name}' has no one price: {len(own)} offers.")
            found[name] = LabelTerms(own[0].cost, own[0].redraw_rate, "redraw")
        return found

    @property
    def counts(self) -> IntArray:
        """Labels bought, (strata,)."""
        return np.array([self.bought.get(name, 0) for name in self.strata])

    def buyable(self, shares: Mapping[str, Fraction]) -> dict[str, int]:
        """How many labels of each stratum these shares of the money buy, as items allow."""
        return {
            name: min(
                affordable(self.money, self.terms[name].cost, share),
                self.items[name],
            )
            for name, share in shares.items()
            if share
        }

    def _ladder(self, name: str, steps: int) -> IntArray:
        """Labels that 0, 1, ... parts of the money buy, as items allow: (steps + 1,)."""
        most = self.items[name]
        found = affordable_by_shares(self.money, self.terms[name].cost, steps)
        return np.array([min(count, most) for count in found])

    def _bought_out(self) -> list[IntArray]:
        """All there is of some strata and the rest of the money on another: each (1, strata)."""
        left = {name: self.items[name] for name in self.strata}
        found: list[IntArray] = []
        for whole in product((False, True), repeat=len(self.strata)):
            mix = {name: left[name] * own for name, own in zip(self.strata, whole, strict=True)}
            rest = money_left(self.money, mix, self.terms)
            if rest < 0 or not any(mix.values()):
                continue
            if all(whole):
                found.append(np.array([[*mix.values()]]))
            for name, own in zip(self.strata, whole, strict=True):
                more = affordable(rest, self.terms[name].cost)
                if not own and more < left[name]:  # else there is a mix that buys it out, too
                    found.append(np.array([[*(mix | {name: more}).values()]]))
        return found

    def after(self, purchase: Mapping[str, int]) -> "Market":
        """The market after one more purchase at these prices."""
        bought = {name: self.bought.get(name, 0) + purchase.get(name, 0) for name in self.strata}
        items = {name: self.items[name] - purchase.get(name, 0) for name in self.strata}
        left = money_left(self.money, purchase, self.terms)
        return replace(self, bought=bought, items=items, money=left)

    def final_mixes(self, steps: int) -> tuple[IntArray, IntArray]:
        """What may be trained on at the end, and what has to be bought for it.

        Both are (mixes, strata). All money, and none of it, is spent in shares of 1 / `steps`;
        labels of a stratum that was bought before may be left out of training, where no more of
        them are bought. Where the money buys all that there is of a stratum, the rest goes to the
        others whole, too.
        """
        ladders = [self._ladder(name, steps) for name in self.strata]
        shares = _compositions(steps, len(self.strata))
        columns = zip(ladders, shares.T, strict=True)
        spent = np.column_stack([ladder[share] for ladder, share in columns])
        nothing = np.zeros((1, len(self.strata)), dtype=np.int64)
        purchases = np.unique(np.vstack([nothing, spent, *self._bought_out()]), axis=0)
        used, paid = [], []
        here = self.counts
        for left_out in product((False, True), repeat=len(self.strata)):
            out = np.array(left_out)
            if (out & (here == 0)).any():
                continue
            fits = ~(purchases[:, out] > 0).any(1)
            used.append(np.where(out, 0, here + purchases[fits]))
            paid.append(purchases[fits])
        mixes, purchases = np.concatenate(used), np.concatenate(paid)
        some = mixes.sum(1) > 0
        return mixes[some], purchases[some]


def market_at_terms(
    strata: tuple[str, ...],
    terms: Mapping[str, LabelTerms],
    items: Mapping[str, int],
    money: Decimal = Decimal(0),
    bought: Mapping[str, int] | None = None,
    clean: Mapping[str, float] | None = None,
) -> Market:
    """One supplier who sells labels of every stratum at one price each.

    `items` are those left to label, `clean` says what share of labels is; 1 where not named.
    """
    shares = clean or {}
    own = {name: terms[name] for name in strata}
    return Market(strata, offers_at_terms(own, shares), items, bought or {}, shares, money=money)


def offers_at_terms(
    terms: Mapping[str, LabelTerms], clean: Mapping[str, float], supplier: str = RUN_SUPPLIER
) -> tuple[Offer, ...]:
    """One supplier who sells labels at the terms of a run; `clean` is what they are worth."""
    return tuple(
        Offer(name, supplier, 1, own.cost, 1 - clean.get(name, 1.0)) for name, own in terms.items()
    )
