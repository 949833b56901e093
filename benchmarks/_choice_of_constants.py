"""The rule by which the constants of `annotation.truth.shared_mistakes` are chosen on crowds.

1. One more answer: the same share s of items should explain wrong judgments and wrong labels. Of
   `ONE_MORE`, the smallest root mean square of the difference between both.
2. The prior of s: Beta(1, b), with the mean of s over crowds and both explanations; b is rounded.
3. Gold: of `GOLD`, the narrowest intervals, on average over crowds, that hold in nine of ten draws
   on every crowd; where none does, the largest coverage on the worst crowd.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from _crowds import Crowd
from annotation.arrays import Array, IntArray
from annotation.intervals import ClusteredMean, Interval, clustered_mean, fewest_trials
from annotation.team.error_rates import ErrorRates
from annotation.truth.coding import NO_GOLD, Coded
from annotation.truth.fitted_models import FittedModels, votes
from annotation.truth.shared_mistakes import (
    Assumptions,
    expected_variance,
    gold_evidence,
    one_more_answer,
    rate_with_gold,
    rate_without_gold,
)

ONE_MORE = tuple(product((0.1, 0.2, 0.3), (0.0, 1.0, 2.0)))  # any_answer, even_answers
DOUBTS, ITEMS, SHARES = (0.5, 0.8, 0.9, 0.95), (5.0, 10.0, 20.0, 40.0), (1 / 3, 0.5, 1.0)
GOLD = tuple(product(DOUBTS, ITEMS, SHARES))
WANTED = 0.9


@dataclass(frozen=True)
class Fit:
    """The models of one crowd with the gold items of one draw, or with none.

    `by_model` (items, choices) looks at no gold answer of its own item; `model` is the rate by it.
    """

    coded: Coded
    by_model: Array
    model: Interval
    is_wrong: NDArray[np.bool_]
    _kept: dict[tuple[float, ...], float] = field(default_factory=dict)

    @cached_property
    def votes(self) -> Array:
        return votes(self.coded)

    @cached_property
    def wrong_by_model(self) -> Array:
        """Probability of every judgment to be wrong if mistakes are independent."""
        return np.asarray(1 - self.by_model[self.coded.item, self.coded.label])

    def one_more(self, assumed: Assumptions) -> Array:
        return one_more_answer(self.votes, self.coded.choice_counts, assumed)

    def gap(self, assumed: Assumptions) -> float:
        """How much more judgments are wrong if the truth is like one more answer."""
        key = (assumed.any_answer, assumed.even_answers)
        if key not in self._kept:
            further = self.one_more(assumed)[self.coded.item, self.coded.label]
            several = self.votes.sum(axis=1)[self.coded.item] > 1
            gaps = 1 - further - self.wrong_by_model
            self._kept[key] = float((gaps[several] if several.any() else gaps).mean())
        return self._kept[key]

    def _expected(self, assumed: Assumptions) -> float:
        share = assumed.doubted_share
        key = (assumed.any_answer, assumed.even_answers, share)
        if key not in self._kept:
            mixed = (1 - share) * self.by_model + share * self.one_more(assumed)
            self._kept[key] = expected_variance(self.votes, self.by_model, mixed)
        return self._kept[key]

    @cached_property
    def _means(self) -> tuple[ClusteredMean, float, ClusteredMean, int, float]:
        """What gold items differ by, its variance between items, the model everywhere; items.

        And how many judgments they are worth at the least.
        """
        item, annotator = self.coded.item, self.coded.annotator
        gold = self.coded.gold != NO_GOLD
        there = gold[item]
        rest = (self.is_wrong - self.wrong_by_model)[there]
        return (
            clustered_mean(rest, item[there], annotator[there], "like_these"),
            clustered_mean(rest, item[there], annotator[there], "these").variance,
            clustered_mean(self.wrong_by_model, item, annotator, "like_these"),
            int(gold.sum()),
            fewest_trials(item[there], annotator[there], "like_these"),
        )

    def rate(self, assumed: Assumptions) -> Interval:
        """The interval that `annotation.team.error_rates` makes, under other assumptions."""
        gap = self.gap(assumed)
        if not (self.coded.gold != NO_GOLD).any():
            return rate_without_gold(self.model, gap, assumed=assumed)
        difference, between, everywhere, items, trials = self._means
        expected = self._expected(assumed)
        found = gold_evidence(
            difference, between, expected, everywhere, items, trials, assumed=assumed
        )
        low, high = rate_with_gold(self.model, gap, found, assumed=assumed).bounds
        mean = found.rate
        return Interval(mean, min(low, mean), max(high, mean))


@dataclass(frozen=True)
class Evidence:
    """Fits of one crowd: without gold, and of every draw of gold items."""

    name: str
    wrong: float
    truth: IntArray
    bare: Fit
    draws: list[Fit]
    _kept: dict[Assumptions, tuple[float, float]] = field(default_factory=dict)

    def shares(self, assumed: Assumptions) -> tuple[float, float]:
        """The s that explains how many judgments are wrong, and how many labels."""
        model, further = self.bare.by_model, self.bare.one_more(assumed)
        gap = float((1 - further[self.bare.coded.item, self.bare.coded.label]).mean())
        gap -= float(self.bare.wrong_by_model.mean())
        of_rates = (self.wrong - float(self.bare.wrong_by_model.mean())) / gap
        items = np.arange(self.truth.size)
        labels = model.argmax(axis=1)
        claimed, right = float(model.max(axis=1).mean()), float((labels == self.truth).mean())
        of_labels = (claimed - right) / (claimed - float(further[items, labels].mean()))
        return of_rates, of_labels

    def held_and_width(self, assumed: Assumptions) -> tuple[float, float]:
        """Share of draws whose interval holds the truth, and the mean width."""
        if assumed not in self._kept:
            ends = np.array([fit.rate(assumed).bounds for fit in self.draws])
            holds = (ends[:, 0] <= self.wrong) & (self.wrong <= ends[:, 1])
            self._kept[assumed] = float(holds.mean()), float((ends[:, 1] - ends[:, 0]).mean())
        return self._kept[assumed]


def evidence_of(crowd: Crowd, gold_items: int, draws: int) -> Evidence:
    """Fit the models of a crowd, and those with so many gold items, draw by draw.

    Raises AssertionError if a fit does not make the product's own interval.
    """
    rng = np.random.default_rng(1)
    drawn = [_fit(crowd, crowd.with_gold(gold_items, rng)) for _ in range(draws)]
    return Evidence(crowd.name, crowd.wrong, crowd.truth, _fit(crowd, crowd.coded), drawn)


def _fit(crowd: Crowd, coded: Coded) -> Fit:
    models = FittedModels(coded)
    found = ErrorRates(coded, models=models).stratum(0)
    assert found.by_agreement is not None
    by_model = models.aggregate().unchecked
    fit = Fit(coded, by_model, found.by_agreement, crowd.is_wrong)
    again = fit.rate(Assumptions())
    assert np.allclose(again.bounds, found.rate.bounds), (again, found.rate)
    return fit


def first_constants(crowds: Sequence[Evidence]) -> Assumptions:
    """One more answer and the prior of s, steps 1 and 2."""

    def apart(assumed: Assumptions) -> float:
        both = np.array([each.shares(assumed) for each in crowds])
        return float(np.sqrt(((both[:, 0] - both[:, 1]) ** 2).mean()))

    tried = [Assumptions(any_answer=of_any, even_answers=even) for of_any, even in ONE_MORE]
    best = min(tried, key=apart)
    shares = np.clip([each.shares(best) for each in crowds], 0.01, 1.0)
    return replace(best, prior=(1.0, float(max(round(1 / float(shares.mean()) - 1), 1))))


def choose(crowds: Sequence[Evidence], first: Assumptions | None = None) -> Assumptions:
    """All constants, by these crowds alone; the first ones may be given."""
    first = first_constants(crowds) if first is None else first

    def rank(assumed: Assumptions) -> tuple[float, float]:
        found = np.array([each.held_and_width(assumed) for each in crowds])
        short = max(WANTED - float(found[:, 0].min()), 0.0)
        return short, float(found[:, 1].mean())

    return min(
        (
            replace(first, most_doubt=doubt, prior_items=items, doubted_share=share)
            for doubt, items, share in GOLD
        ),
        key=rank,
    )
