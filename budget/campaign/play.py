"""What a policy is, and how it is played: many campaigns in step, so that probes batch."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Correct
from budget.campaign.campaign import Campaign
from budget.market.simple_rules import Mix
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed

FORECAST_CONFIDENCE = 0.9
Found = TypeVar("Found")

Subset = Mapping[str, NDArray[np.int64]]
"""Stratum -> places among the labels bought of it: what to train on."""


@dataclass(frozen=True)
class Borrowing:
    """Train on so many labels that the test set lends; `seed` says which."""

    count: int
    seed: int


Lesson = Subset | Borrowing
"""What to train on: labels that were bought, or labels of test items."""


@dataclass(frozen=True)
class Parts:
    """Train on parts of what was bought, so many subsamples of each: (parts * seeds) lessons.

    `rng` draws the subsamples where the evidence has no streams of its own for them.
    """

    mixes: tuple[Mix, ...]
    seeds: int
    rng: np.random.Generator = field(compare=False, repr=False)


@dataclass(frozen=True)
class Unlabelled:
    """Read the items for sale, before anyone has labelled them."""


@dataclass(frozen=True)
class Rehearsing:
    """Train on mixes (stratum -> labels) of items that nobody labelled, with guessed labels."""

    mixes: tuple[tuple[tuple[str, int], ...], ...]


Wanted = Sequence[Lesson] | Parts | Unlabelled | Rehearsing
Told = Correct | Sequence[Reading] | list[list[Rehearsed]]
Playing = Generator[Wanted, Any, Found]
"""Yields what it wants to be told and is sent it: `Correct` (lessons, test items) of lessons and
parts, `Sequence[Reading]` of unlabelled items, `Rehearsed` by mix and seed of rehearsals."""


@dataclass(frozen=True)
class Forecast:
    """What a policy expects its purchase to score on the test set; a 90 % interval.

    `easy_better` is how probable it holds that the whole budget on the easiest stratum would have
    scored more than on the target; None if it does not say.
    """

    mean: float
    low: float
    high: float
    easy_better: float | None = None


def probability_easy_better(easy: NDArray[np.float64], hard: NDArray[np.float64]) -> float:
    """Share of draws (draws,) in which easy scores more; draws that score alike count half."""
    return float(((easy > hard) + 0.5 * (easy == hard)).mean())


Play = Playing[Forecast | None]


class Policy(Protocol):
    """A rule that spends a budget.

    `play` is a generator. It buys by `campaign.buy`, in one round or more. It trains by yielding
    lessons, subsets of what it bought or `Parts` of it, and is sent whether each test item was
    answered right after each, (lessons, test items). A lesson may be borrowed from the test set
    instead; the answers to items that were trained on say nothing (`TestSet.scored`). By yielding
    `Unlabelled` it is told what a probe of the test set reads in the items for sale, by yielding
    `Rehearsing` what purchases score whose labels are guessed. It returns a forecast, or None.
    """

    @property
    def name(self) -> str:
        """As the command line and tables have it; what else changes decisions is in the repr."""

    def play(self, campaign: Campaign) -> Play:
        """Spend the campaign's money."""


class Evidence(Protocol):
    """What answers the wishes of policies: real trials of a run, or a world of a backtest."""

    def answers(self, asked: Sequence[tuple[Campaign, Wanted]]) -> list[Told]:
        """What every asking campaign is told, in order."""


def play(
    playing: Sequence[Playing[Found]], campaigns: Sequence[Campaign], evidence: Evidence
) -> list[Found]:
    """Play each campaign to its end, and return what each play returns.

    All go on step by step together: what they want trained is trained at once.
    """
    found: dict[int, Found] = {}
    wanted: dict[int, Wanted] = {}

    def advance(index: int, told: Told | None) -> None:
        try:
            wanted[index] = next(playing[index]) if told is None else playing[index].send(told)
        except StopIteration as stop:
            found[index] = stop.value

    for index in range(len(playing)):
        advance(index, None)
    while wanted:
        asked, wanted = wanted, {}
        told = evidence.answers([(campaigns[index], own) for index, own in asked.items()])
        for index, own in zip(asked, told, strict=True):
            advance(index, own)
    return [found[index] for index in range(len(playing))]


def play_policy(
    policy: Policy, campaigns: Sequence[Campaign], evidence: Evidence
) -> list[Forecast | None]:
    """Let a policy spend the money of every campaign; returns its forecasts."""
    return play([policy.play(campaign) for campaign in campaigns], campaigns, evidence)
