"""A world: a labelling problem whose every answer is known, so that decisions can be judged."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Positions
from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from annotation.ties import tie_draws

if TYPE_CHECKING:
    from budget.worlds.tunable import TunableItems

Half = Literal["design", "held_out"]
Value = float | int | str


@dataclass(frozen=True)
class LabelledItems:
    """Fully labelled items as features.

    Attributes
    ----------
    name : what they are
    features : (items, choices, width); choices is 1 where all items share their classes
    mask : (items, classes), which choices an item has
    answers : (items,), the right choice
    pools : stratum -> positions that are for sale, in order of hardness
    target : the stratum whose accuracy counts
    test : positions of the target's fixed test set, in no pool
    groups : (items,), the group of every item

    Raises ValueError if the shapes do not fit, the target is no stratum, or a pool holds an item of
    a group that is tested.
    """

    name: str
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    answers: NDArray[np.int64]
    pools: Mapping[str, Positions]
    target: str
    test: Positions
    groups: NDArray[np.object_]

    def __post_init__(self) -> None:
        items, choices = self.features.shape[:2]
        if self.mask.shape[0] != items or choices not in (1, self.mask.shape[1]):
            raise ValueError(
                f"'mask' should fit features {self.features.shape}; got {self.mask.shape}."
            )
        if self.answers.shape != (items,) or self.groups.shape != (items,):
            raise ValueError("'answers' and 'groups' should be one per item.")
        if not self.mask[np.arange(items), self.answers].all():
            raise ValueError("'answers' should be among the choices that their items have.")
        if self.target not in self.pools:
            raise ValueError(f"'target' should be one of {list(self.pools)}; got '{self.target}'.")
        for name, pool in self.pools.items():
            if np.isin(self.groups[pool], self.test_groups).any():
                raise ValueError(f"pool '{name}' holds items of groups that are tested.")

    @property
    def strata(self) -> tuple[str, ...]:
        """Strata for sale, in order of hardness."""
        return tuple(self.pools)

    @cached_property
    def choice_counts(self) -> NDArray[np.int64]:
        return np.asarray(self.mask.sum(1), dtype=np.int64)

    @cached_property
    def tie_draws(self) -> Array:
        """Which of an item's choices is taken where scores tie: the largest, (items, classes).

        By its place: the items of a world have no texts, and always stand in one order.
        """
        return tie_draws(np.arange(len(self.mask), dtype=np.uint64), self.mask.shape[1])

    @property
    def test_groups(self) -> NDArray[np.object_]:
        """The group of every test item, (test items,)."""
        return np.asarray(self.groups[self.test])

    @property
    def chance(self) -> float:
        """Accuracy of guessing on the test set."""
        return float((1 / self.choice_counts[self.test]).mean())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything in here."""
        digest = hashlib.sha256(repr((self.name, self.target, self.features.shape)).encode())
        arrays = (self.features, self.mask, self.answers, self.test, *self.pools.values())
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        told = [list(self.pools), self.test_groups.tolist()]
        if np.unique(self.groups.astype(str)).size < self.groups.size:
            told.append(self.groups.tolist())
        digest.update(json.dumps(told, default=str).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class World:
    """Items with terms of sale and a budget; `load` is called when the items are first needed.

    `parameters` are the numbers that made it, for tables: what is true, not what a policy sees.
    `tunable` gives the texts behind the items; None where there are none.
    """

    name: str
    family: str
    terms: Mapping[str, LabelTerms]
    budget: Decimal
    load: Callable[[], LabelledItems] = field(repr=False, compare=False)
    parameters: Mapping[str, Value] = field(default_factory=dict)
    tunable: "Callable[[], TunableItems] | None" = field(default=None, repr=False, compare=False)

    @cached_property
    def items(self) -> LabelledItems:
        items = self.load()
        if set(items.strata) != set(self.terms):
            raise ValueError(
                f"world '{self.name}': terms for {list(self.terms)}, items of {list(items.strata)}."
            )
        return items

    @property
    def half(self) -> Half:
        return half_of(self.name)

    @property
    def key(self) -> str:
        """A hash of everything that can change what happens in this world."""
        terms = [
            (name, str(own.cost), own.error_rate, own.error_kind)
            for name, own in self.terms.items()
        ]
        text = repr((self.name, terms, str(self.budget), self.items.fingerprint))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_tunable(world: World) -> None:
    """Raises InputError if a world has no texts that adapters could be trained on."""
    if world.tunable is None:
        raise InputError(
            f"worlds '{world.family}' have no texts for adapters; choose from sst5, trec, subj, "
            "workshop, or leave --method out."
        )


def half_of(name: str) -> Half:
    """To which half a world belongs: by the hash of its name, so that no one can choose."""
    return "design" if hashlib.sha256(name.encode()).digest()[0] % 2 == 0 else "held_out"
