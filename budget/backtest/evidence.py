"""What a world tells the policies that are played in it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Correct, generator
from annotation.groups import turns
from annotation.labelling.labels import Labels
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.terms.clean_share import clean_share
from budget.campaign.campaign import Campaign, TestSet
from budget.campaign.play import (
    Borrowing,
    Forecast,
    Lesson,
    Parts,
    Policy,
    Rehearsing,
    Subset,
    Told,
    Unlabelled,
    Wanted,
    play_policy,
)
from budget.worlds.world import World
from training.unlabelled.lending import Lender
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed


def stream_of(world: World) -> str:
    """Begins every stream of random numbers of a world.

    Worlds of the same items must not share the luck of a market: intervals over worlds would be
    too narrow.
    """
    return f"backtest {world.name}/"


def annotators_of(world: World) -> SimulatedAnnotators:
    """Who labels a world's items, at the error rates that its terms state."""
    items = world.items
    return SimulatedAnnotators(
        items.answers, items.choice_counts, items.pools, world.terms, stream=stream_of(world)
    )


def lender_of(world: World, annotators: SimulatedAnnotators) -> Lender:
    """Lends labels of a world's test items."""
    items = world.items
    groups = turns(items.test_groups)
    return Lender(items.test, items.answers, annotators, items.target, stream_of(world), groups)


def campaign_in(
    world: World,
    seed: int,
    annotators: SimulatedAnnotators | None = None,
    unsupervised: NDArray[np.bool_] | None = None,
    lends: bool = True,
) -> Campaign:
    """A campaign in a world: which items are handed out first, and how they err, is the seed's."""
    items, stream = world.items, stream_of(world)
    labeller = annotators or annotators_of(world)
    lender = lender_of(world, labeller)

    terms = {name: world.terms[name] for name in items.strata}
    return Campaign(
        terms,
        {name: int(pool.size) for name, pool in items.pools.items()},
        world.budget,
        {
            name: clean_share(own.error_rate, own.error_kind, items.chance)
            for name, own in terms.items()
        },
        TestSet(items.target, items.chance, items.test_groups, lender.scored, unsupervised, lends),
        lambda purpose: generator(f"{stream}policy {purpose}", seed, ""),
        lambda stratum, count: labeller.labels(stratum, count, seed),
    )


class Looker(Protocol):
    """What is seen in items for sale before they are labelled."""

    @property
    def readings(self) -> list[Reading]:
        """What is read in unlabelled items; none where nothing reads."""

    def rehearse(self, asked: Sequence[tuple[Campaign, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """For every asking campaign and every mix that it wants, results by seed; may be none."""


class Trainer(Protocol):
    """Trains on purchases of one world and tests on its target's test set.

    `annotators` label its items, `lender` lends labels of test items, `looker` looks at what is
    for sale.
    """

    @property
    def annotators(self) -> SimulatedAnnotators: ...

    @property
    def lender(self) -> Lender: ...

    @property
    def looker(self) -> Looker: ...

    def correct(self, sets: Sequence[Labels]) -> Correct:
        """Whether each test item is answered right, (sets, test items)."""

    def campaign(self, seed: int) -> Campaign:
        """A campaign whose purchases this trains on."""


class WorldEvidence:
    """Answers policies by training on what they bought in a world, all at once."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def answers(self, asked: Sequence[tuple[Campaign, Wanted]]) -> list[Told]:
        """What every asking campaign is told, in order."""
        told: dict[int, Told] = {}
        rehearsing: dict[int, Rehearsing] = {}
        sets: dict[int, list[Labels]] = {}
        for index, (campaign, wanted) in enumerate(asked):
            match wanted:
                case Unlabelled():
                    told[index] = self._trainer.looker.readings
                case Rehearsing():
                    rehearsing[index] = wanted
                case Parts():
                    sets[index] = [campaign.chosen(own) for own in _subsets(campaign, wanted)]
                case _:
                    sets[index] = [self._labels(campaign, own) for own in wanted]
        found = self._trainer.looker.rehearse(
            [(asked[index][0], own) for index, own in rehearsing.items()]
        )
        told |= dict(zip(rehearsing, found, strict=True))
        correct = self._trainer.correct([one for own in sets.values() for one in own])
        ends = np.cumsum([len(own) for own in sets.values()])
        told |= dict(zip(sets, np.split(correct, ends[:-1]), strict=True)) if sets else {}
        return [told[index] for index in range(len(asked))]

    def _labels(self, campaign: Campaign, lesson: Lesson) -> Labels:
        if isinstance(lesson, Borrowing):
            return self._trainer.lender.lend(lesson.count, lesson.seed)
        return campaign.chosen(lesson)


def _subsets(campaign: Campaign, parts: Parts) -> list[Subset]:
    """Subsamples of what was bought, so many of each part."""
    bought = campaign.bought
    return [
        {name: parts.rng.permutation(bought[name])[: mix.get(name, 0)] for name in campaign.strata}
        for mix in parts.mixes
        for _ in range(parts.seeds)
    ]


def play_in_world(
    policy: Policy, campaigns: Sequence[Campaign], trainer: Trainer
) -> list[Forecast | None]:
    """Let a policy spend the money of campaigns in one world; returns its forecasts."""
    return play_policy(policy, campaigns, WorldEvidence(trainer))
