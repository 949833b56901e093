"""A campaign: where its market stands, what was bought, and the test set that tells of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.errors import InputError
from annotation.labelling.labels import Labels, joined
from annotation.terms.cost import LabelTerms, affordable, mix_cost, money_left
from budget.market.market import Market, market_at_terms
from budget.market.simple_rules import Mix


class PurchaseRefusedError(ValueError):
    """A purchase costs more than the money left, or asks for more items than are left."""


@dataclass(frozen=True)
class TestSet:
    """What a policy knows of the target's test set before anything is bought.

    Attributes
    ----------
    target : the stratum whose accuracy counts
    chance : accuracy of guessing
    groups : (test items,), their clusters
    scored : (test items,), which items count after so many were lent, for a seed
    unsupervised : (test items,), whether the untrained model is right; None if labels start from
        guessing
    lends : whether labels of the test set can be trained on
    """

    __test__ = False  # not a test class, whatever its name begins with

    target: str
    chance: float
    groups: NDArray[np.object_]
    scored: Callable[[int, int], NDArray[np.bool_]]
    unsupervised: NDArray[np.bool_] | None = None
    lends: bool = True


class Campaign:
    """A market, what was bought in it so far, and a test set; no true label is in here.

    Error rates stand in the terms, as a manager states them. A policy learns by training on what
    it bought and testing on the fixed test set, see `Policy.play`.

    Parameters
    ----------
    terms : stratum -> terms of sale, easy before hard
    items : stratum -> items for sale
    budget : money for all labels
    clean : stratum -> share of clean labels that the terms state
    test : the target's test set
    generator : of randomness for a policy by purpose, the same in the same campaign
    labels : what is sold: so many labels of a stratum; None where evidence buys them itself

    Attributes
    ----------
    market : as it stands; every purchase makes another
    rounds : of buying so far
    """

    def __init__(
        self,
        terms: Mapping[str, LabelTerms],
        items: Mapping[str, int],
        budget: Decimal,
        clean: Mapping[str, float],
        test: TestSet,
        generator: Callable[[str], np.random.Generator],
        labels: Callable[[str, int], Labels] | None = None,
    ) -> None:
        self.terms, self.budget, self.test = dict(terms), budget, test
        self.strata, self.target = tuple(terms), test.target
        self.capacity = dict(items)
        self.generator, self._labels = generator, labels
        nothing = dict.fromkeys(self.strata, 0)
        self.market: Market = market_at_terms(
            self.strata, self.terms, self.capacity, budget, nothing, clean
        )
        self.rounds = 0
        self._kept: Mix | None = None

    @property
    def bought(self) -> Mix:
        """Stratum -> labels bought so far."""
        return dict(self.market.bought)

    @property
    def clean(self) -> dict[str, float]:
        """Share of clean labels that the terms state, 1 - redraw rate."""
        return dict(self.market.bought_clean)

    @property
    def money_left(self) -> Decimal:
        return money_left(self.budget, self.bought, self.terms)

    @property
    def cost(self) -> Decimal:
        """Spent so far."""
        return mix_cost(self.bought, self.terms)

    def affordable(self, stratum: str) -> int:
        """How many more labels of a stratum the money left and the items allow."""
        most = affordable(self.money_left, self.terms[stratum].cost)
        return min(most, self.market.items[stratum])

    def buy(self, mix: Mapping[str, int]) -> None:
        """Buy so many more labels of each stratum, all or nothing.

        Raises PurchaseRefusedError if money or items do not suffice, or a number is not whole or
        negative, or a stratum is not for sale.
        """
        try:
            cost = mix_cost(mix, self.terms)
        except InputError as error:
            raise PurchaseRefusedError(str(error)) from None
        if cost > self.money_left:
            raise PurchaseRefusedError(f"{dict(mix)} costs {cost}; {self.money_left} is left.")
        for name, count in mix.items():
            left = self.market.items[name]
            if count > left:
                raise PurchaseRefusedError(f"{count} labels of '{name}' wanted, {left} left.")
        self.market = self.market.after({name: int(mix.get(name, 0)) for name in self.strata})
        self.rounds += 1

    @property
    def trained(self) -> Mix:
        """Labels that the final model is trained on: all bought, unless some are left out."""
        return self.bought if self._kept is None else dict(self._kept)

    def keep(self, mix: Mapping[str, int]) -> None:
        """Train the final model on the first so many labels of each stratum only.

        Labels may turn out to harm; they are paid for, but need not be used.

        Raises PurchaseRefusedError if so many were not bought.
        """
        for name, count in mix.items():
            if not 0 <= count <= self.market.bought[name]:
                raise PurchaseRefusedError(
                    f"{count} labels of '{name}' are to be kept of {self.market.bought[name]}."
                )
        self._kept = {name: int(mix.get(name, 0)) for name in self.strata}

    def chosen(self, places: Mapping[str, IntArray]) -> Labels:
        """A subset of what was bought, by places among each stratum's labels, easy before hard.

        Raises PurchaseRefusedError if a place was not bought.
        """
        parts = []
        for name in self.strata:
            own, bought = np.asarray(places.get(name, ()), dtype=np.int64), self.market.bought[name]
            if own.size and (own.min() < 0 or own.max() >= bought):
                raise PurchaseRefusedError(
                    f"stratum '{name}': place {own.max()} is not among {bought} labels."
                )
            parts.append(self.bought_of(name).chosen(own))
        return joined(parts)

    def bought_of(self, stratum: str) -> Labels:
        """All that was bought of a stratum."""
        if self._labels is None:
            raise ValueError("the labels of this campaign are bought by who trains on them.")
        return self._labels(stratum, self.market.bought[stratum])
