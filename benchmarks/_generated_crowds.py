"""Crowds of every kind of mistake, with the truth and the rate of their population known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from _crowds import Crowd, crowd
from annotation.arrays import Array, IntArray

SPREAD = 0.05  # of how often people are right, between people


@dataclass(frozen=True)
class Kind:
    """How people err.

    Attributes
    ----------
    prevalence : of every class
    people, per_item : how many there are, and how many judge an item
    right : how often they are right; of every class where there are several numbers
    special : share of items that are hard for everyone, or have one mistake that most make
    right_there : how often people are right on those
    shared : whether their mistakes there are one and the same
    next_class : whether every mistake is the next class
    spammers : share of people who guess
    """

    prevalence: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    people: int = 12
    per_item: int = 5
    right: tuple[float, ...] = (0.8,)
    special: float = 0.0
    right_there: float = 0.4
    shared: bool = False
    next_class: bool = False
    spammers: float = 0.0

    @property
    def wrong(self) -> float:
        """Share of wrong judgments of people like these on items like these."""
        classes = len(self.prevalence)
        by_class = np.broadcast_to(np.array(self.right), classes)
        usual = 1 - float(np.array(self.prevalence) @ by_class)
        there = (1 - self.special) * usual + self.special * (1 - self.right_there)
        return (1 - self.spammers) * there + self.spammers * (1 - 1 / classes)


_UNEVEN, _VERY_UNEVEN = (0.85, 0.15), (0.95, 0.05)
KINDS = {
    "independent": Kind(),
    "hard for everyone, three in ten": Kind(special=0.3, right_there=0.38),
    "a shared mistake, three in ten": Kind(special=0.3, right_there=0.3, shared=True),
    "one class taken for the next": Kind(next_class=True),
    "two classes, 85 to 15": Kind(prevalence=_UNEVEN),
    "85 to 15, the rare one missed": Kind(prevalence=_UNEVEN, right=(0.9, 0.55)),
    "85 to 15, hard for everyone": Kind(prevalence=_UNEVEN, special=0.3, right_there=0.55),
    "two classes, 95 to 5": Kind(prevalence=_VERY_UNEVEN),
    "two people, both judge all": Kind(people=2, per_item=2),
    "twelve people, two an item": Kind(per_item=2),
    "two an item, hard for everyone": Kind(per_item=2, special=0.3, right_there=0.38),
    "twelve classes": Kind(prevalence=(1 / 12,) * 12),
    "four spammers of twelve": Kind(right=(0.85,), spammers=1 / 3),
}


def generated(name: str, seed: int, items: int = 150) -> Crowd:
    """One crowd of a kind."""
    kind, rng = KINDS[name], np.random.default_rng(seed)
    classes = len(kind.prevalence)
    truth = rng.choice(classes, items, p=np.array(kind.prevalence))
    special = rng.random(items) < kind.special
    mistake = (truth + rng.integers(1, classes, items)) % classes
    better = rng.normal(0, SPREAD, kind.people)
    guesses = np.arange(kind.people) < round(kind.spammers * kind.people)
    item: IntArray = np.repeat(np.arange(items), kind.per_item)
    order = [rng.permutation(kind.people)[: kind.per_item] for _ in range(items)]
    person = np.concatenate(order)
    usual: Array = np.broadcast_to(np.array(kind.right), classes)[truth[item]]
    chance = np.where(special[item], kind.right_there, usual + better[person])
    chance = np.where(guesses[person], 1 / classes, np.clip(chance, 1 / classes, 0.98))
    other = (truth[item] + rng.integers(1, classes, item.size)) % classes
    if kind.next_class:
        other = (truth[item] + 1) % classes
    if kind.shared:
        other = np.where(special[item], mistake[item], other)
    label = np.where(rng.random(item.size) < chance, truth[item], other)
    table = pd.DataFrame({"item_id": item, "annotator": person, "label": label}).astype(str)
    right = {str(each): str(code) for each, code in enumerate(truth)}
    return crowd(name, table.astype(object), right)
