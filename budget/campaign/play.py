"""What a policy is, and how policies are played: many markets in step, so that probes batch."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from budget.backtest.lending import Lender
from budget.backtest.offers import TrainingSet
from budget.market.market import Market
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed

Correct = NDArray[np.bool_]


@dataclass(frozen=True)
class Borrowing:
    """Train on so many borrowed labels; `seed` says which."""

    count: int
    seed: int


@dataclass(frozen=True)
class Unlabelled:
    """Instead of lessons: read the items for sale, before anyone has labelled them."""


@dataclass(frozen=True)
class Rehearsing:
    """Train on mixes (stratum -> labels) of items that nobody labelled, with guessed labels."""

    mixes: tuple[tuple[tuple[str, int], ...], ...]


Subset = Mapping[str, NDArray[np.int64]]
"""Stratum -> places among the labels bought of it: what to train on."""

Lesson = Subset | Borrowing
"""What to train on: labels that were bought, or labels of test items."""


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


Wanted = Sequence[Lesson] | Unlabelled | Rehearsing
Told = Correct | Sequence[Reading] | list[list[Rehearsed]]
Play = Generator[Wanted, Any, Forecast | None]
"""Yields what it wants to be told and is sent it: `Correct` (lessons, test items) of lessons,
`Sequence[Reading]` of unlabelled items, `Rehearsed` by mix and seed of rehearsals. Returns a
forecast, or None."""
FORECAST_CONFIDENCE = 0.9


class Policy(Protocol):
    """A rule that spends a budget.

    `play` is a generator. It buys by `market.buy`, in one round or more. It trains by yielding
    lessons, subsets of what it bought, and is sent whether each test item was answered right after
    each, (lessons, test items). A lesson may be borrowed from the test set instead; the answers to
    items that were trained on say nothing (`Market.scored`). By yielding `Unlabelled` it is told
    what a probe of the test set reads in the items for sale, by yielding `Rehearsing` what
    purchases score whose labels are guessed. It returns a forecast, or None.
    """

    @property
    def name(self) -> str:
        """As the command line and tables have it; what else changes decisions is in the repr."""

    def play(self, market: Market) -> Play:
        """Spend the market's money."""


class Looker(Protocol):
    """What is seen in items for sale before they are labelled."""

    @property
    def readings(self) -> list[Reading]:
        """What is read in unlabelled items; none where nothing reads."""

    def rehearse(self, asked: Sequence[tuple[Market, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """For every asking market and every mix that it wants, results by seed; may be none."""


class Trainer(Protocol):
    """Trains on purchases of one world and tests on its target's test set.

    `lender` lends labels of test items, `halves` looks at what is for sale.
    """

    @property
    def lender(self) -> Lender: ...

    @property
    def halves(self) -> Looker: ...

    def correct(self, sets: Sequence[TrainingSet]) -> Correct:
        """Whether each test item is answered right, (sets, test items)."""

    def market(self, seed: int) -> Market:
        """A market whose purchases this trains on."""


def play_markets(
    policy: Policy, markets: Sequence[Market], trainer: Trainer
) -> list[Forecast | None]:
    """Let a policy spend the money of every market; returns its forecasts.

    All markets go on step by step together: what they want trained is trained at once, and what
    they want rehearsed.
    """
    plays = [policy.play(market) for market in markets]
    forecasts: list[Forecast | None] = [None] * len(markets)
    wanted: dict[int, Wanted] = {}

    def advance(index: int, answer: Told | None) -> None:
        try:
            wanted[index] = next(plays[index]) if answer is None else plays[index].send(answer)
        except StopIteration as stop:
            forecasts[index] = stop.value

    for index in range(len(markets)):
        advance(index, None)
    while wanted:
        asked, wanted = wanted, {}
        for index, told in _answers(asked, markets, trainer):
            advance(index, told)
    return forecasts


def _answers(
    asked: Mapping[int, Wanted], markets: Sequence[Market], trainer: Trainer
) -> Iterator[tuple[int, Told]]:
    """What every asking market is told."""
    rehearsing: dict[int, Rehearsing] = {}
    lessons_of: dict[int, Sequence[Lesson]] = {}
    for index, own in asked.items():
        if isinstance(own, Unlabelled):
            yield index, trainer.halves.readings
        elif isinstance(own, Rehearsing):
            rehearsing[index] = own
        else:
            lessons_of[index] = own
    told = trainer.halves.rehearse([(markets[index], own) for index, own in rehearsing.items()])
    yield from zip(rehearsing, told, strict=True)
    sets = [
        trainer.lender.lend(lesson.count, lesson.seed)
        if isinstance(lesson, Borrowing)
        else markets[index].training_set(lesson)
        for index, lessons in lessons_of.items()
        for lesson in lessons
    ]
    correct = trainer.correct(sets)
    start = 0
    for index, lessons in lessons_of.items():
        yield index, correct[start : start + len(lessons)]
        start += len(lessons)
