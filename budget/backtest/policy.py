"""What a policy is, and how policies are played: many markets in step, so that probes batch."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budget.backtest.lending import Borrowing
from budget.backtest.market import Market
from budget.backtest.trainer import Correct, ProbeTrainer
from budget.policies import Mix

__all__ = [
    "FORECAST_CONFIDENCE",
    "Borrowing",
    "Forecast",
    "Lesson",
    "Play",
    "Policy",
    "SimpleRule",
    "Subset",
    "play_markets",
]

Subset = Mapping[str, NDArray[np.int64]]
"""Stratum -> places among the labels bought of it: what to train on."""

Lesson = Subset | Borrowing
"""What to train on: labels that were bought, or labels of test items."""


@dataclass(frozen=True)
class Forecast:
    """What a policy expects its purchase to score on the test set; a 90 % interval."""

    mean: float
    low: float
    high: float


Play = Generator[Sequence[Lesson], Correct, Forecast | None]
FORECAST_CONFIDENCE = 0.9


class Policy(Protocol):
    """A rule that spends a budget.

    `play` is a generator. It buys by `market.buy`, in one round or more. It trains by yielding
    lessons, subsets of what it bought, and is sent whether each test item was answered right after
    each, (lessons, test items). A lesson may be borrowed from the test set instead; the answers to
    items that were trained on say nothing (`Market.scored`). It returns a forecast, or None.
    """

    @property
    def name(self) -> str:
        """As the command line and tables have it; what else changes decisions is in the repr."""

    def play(self, market: Market) -> Play:
        """Spend the market's money."""


@dataclass(frozen=True)
class SimpleRule:
    """A policy that buys one mix, which it knows from the terms alone."""

    name: str
    choose: Callable[[Market], Mix] = field(repr=False)

    def play(self, market: Market) -> Play:
        """Buy the mix and stop."""
        market.buy(self.choose(market))
        return None
        yield  # nothing is trained; makes this a generator


def play_markets(
    policy: Policy, markets: Sequence[Market], trainer: ProbeTrainer
) -> list[Forecast | None]:
    """Let a policy spend the money of every market; returns its forecasts.

    All markets go on step by step together: what they want trained is trained at once.
    """
    plays = [policy.play(market) for market in markets]
    forecasts: list[Forecast | None] = [None] * len(markets)
    wanted: dict[int, Sequence[Lesson]] = {}

    def advance(index: int, answer: Correct | None) -> None:
        try:
            wanted[index] = next(plays[index]) if answer is None else plays[index].send(answer)
        except StopIteration as stop:
            forecasts[index] = stop.value

    for index in range(len(markets)):
        advance(index, None)
    while wanted:
        asked, wanted = wanted, {}
        sets = [
            trainer.lender.lend(lesson.count, lesson.seed)
            if isinstance(lesson, Borrowing)
            else markets[index].training_set(lesson)
            for index, lessons in asked.items()
            for lesson in lessons
        ]
        correct = trainer.correct(sets)
        start = 0
        for index, lessons in asked.items():
            advance(index, correct[start : start + len(lessons)])
            start += len(lessons)
    return forecasts
