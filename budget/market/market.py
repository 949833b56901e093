"""The market: all that a policy sees of a world, and the only way to buy."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.terms.clean_share import clean_share
from annotation.terms.cost import (
    LabelTerms,
    affordable,
    mix_cost,
    money_left,
)
from budget.backtest.lending import lent_places
from budget.backtest.offers import Offers, TrainingSet, generator
from budget.market.simple_rules import Mix
from budget.worlds.world import World


class PurchaseRefusedError(ValueError):
    """A purchase costs more than the money left, or asks for more items than are left."""


class Market:
    """Terms, pool sizes, money, and what was bought; no true label of any item is in here.

    Error rates stand in the terms, as a manager states them. A policy learns by training on what
    it bought and testing on the fixed test set, see `Policy.play`.

    Attributes
    ----------
    strata, target, terms, budget : of the world
    capacity : stratum -> items for sale at the beginning
    chance : accuracy of guessing on the test set
    unsupervised : (test items,), whether the untrained model is right; None if labels start from
        guessing
    lends : whether labels of the test set can be trained on
    groups : (test items,), clusters of the test items
    bought : stratum -> labels bought so far
    trained : stratum -> labels that the final model is trained on: all that was bought, unless
        the policy leaves some out
    """

    def __init__(
        self,
        world: World,
        seed: int,
        unsupervised: NDArray[np.bool_] | None = None,
        lends: bool = True,
    ) -> None:
        items = world.items
        self.strata = items.strata
        self.target = items.target
        self.terms: Mapping[str, LabelTerms] = dict(world.terms)
        self.budget: Decimal = world.budget
        self.capacity = {name: int(pool.size) for name, pool in items.pools.items()}
        self.chance = items.chance
        self.unsupervised, self.lends = unsupervised, lends
        self.groups = items.groups
        self.bought: Mix = dict.fromkeys(self.strata, 0)
        self.rounds = 0
        self._kept: Mix | None = None
        self.generator = partial(_policy_generator, world.name, seed)
        self._lent_places = partial(lent_places, world.name, items.test.size)
        self._features = items.features
        self._offers = Offers(world, seed)

    @property
    def money_left(self) -> Decimal:
        return money_left(self.budget, self.bought, self.terms)

    @property
    def cost(self) -> Decimal:
        """Spent so far."""
        return mix_cost(self.bought, self.terms)

    def affordable(self, stratum: str) -> int:
        """How many more labels of a stratum the money left and the pool allow."""
        most = affordable(self.money_left, self.terms[stratum].cost)
        return min(most, self.capacity[stratum] - self.bought[stratum])

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
            if self.bought[name] + count > self.capacity[name]:
                left = self.capacity[name] - self.bought[name]
                raise PurchaseRefusedError(f"{count} labels of '{name}' wanted, {left} left.")
        self.bought = {name: self.bought[name] + int(mix.get(name, 0)) for name in self.strata}
        self.rounds += 1

    @property
    def clean(self) -> dict[str, float]:
        """Share of clean labels that the terms state, 1 - redraw rate, at least .02."""
        return {
            name: clean_share(terms.error_rate, terms.error_kind, self.chance)
            for name, terms in self.terms.items()
        }

    @property
    def trained(self) -> Mix:
        return dict(self.bought if self._kept is None else self._kept)

    def keep(self, mix: Mapping[str, int]) -> None:
        """Train the final model on the first so many labels of each stratum only.

        Labels may turn out to harm; they are paid for, but need not be used.

        Raises PurchaseRefusedError if so many were not bought.
        """
        for name, count in mix.items():
            if not 0 <= count <= self.bought[name]:
                raise PurchaseRefusedError(
                    f"{count} labels of '{name}' are to be kept of {self.bought[name]}."
                )
        self._kept = {name: int(mix.get(name, 0)) for name in self.strata}

    def features(self, stratum: str) -> NDArray[np.float32]:
        """Features of what was bought of a stratum, (labels, choices, width)."""
        return self._features[self._offers.positions[stratum][: self.bought[stratum]]]

    def labels(self, stratum: str) -> NDArray[np.int64]:
        """Noisy labels of what was bought of a stratum, (labels,)."""
        return self._offers.labels[stratum][: self.bought[stratum]].copy()

    def training_set(self, places: Mapping[str, NDArray[np.int64]]) -> TrainingSet:
        """A subset of what was bought, by places among each stratum's labels.

        Raises PurchaseRefusedError if a place was not bought.
        """
        for name, own in places.items():
            if own.size and own.max() >= self.bought[name]:
                raise PurchaseRefusedError(
                    f"stratum '{name}': place {own.max()} is not among {self.bought[name]} labels."
                )
        return self._offers.choose(places)

    def scored(self, borrowed: int, seed: int) -> NDArray[np.bool_]:
        """Which test items count after a lesson that borrowed so many: the others, (items,)."""
        scored = np.ones(self.groups.size, dtype=bool)
        scored[self._lent_places(borrowed, seed)] = False
        return scored

    def bought_of(self, stratum: str) -> TrainingSet:
        """All that was bought of a stratum."""
        return self._offers.choose({stratum: np.arange(self.bought[stratum])})

    def purchase(self) -> TrainingSet:
        """Everything that was bought."""
        return self._offers.first(self.bought)


def _policy_generator(world: str, seed: int, purpose: str) -> np.random.Generator:
    """Randomness for a policy, the same in the same market."""
    return generator(world, f"policy {purpose}", seed, "")
