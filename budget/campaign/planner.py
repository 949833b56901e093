"""The planner: buy a batch to learn from, fit the surface, buy again, and then the rest."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

import numpy as np

from annotation.terms.cost import LabelTerms
from budget.backtest.policies.borrowed_curve import borrowed_curve
from budget.backtest.policies.rehearsals import rehearse, start_rehearsals
from budget.backtest.policies.simple import both_sides
from budget.campaign.play import (
    FORECAST_CONFIDENCE,
    Correct,
    Forecast,
    Lesson,
    Play,
    Unlabelled,
    probability_easy_better,
)
from budget.campaign.rehearsals import CampaignRehearsals
from budget.market.market import Market
from budget.market.position import Position
from budget.search.batches import (
    Batch,
    choose_batch,
    rank_batches,
    training_parts,
)
from budget.surface.fit import fit_surface
from budget.surface.observation import Observation
from budget.surface.parameters import Prior
from budget.surface.rehearsal import Rehearsal
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation, separations

_STEPS = {1: 1, 2: 40, 3: 12}  # of the last purchase
_STEPS_BEYOND = 6
_FIRST_DRAWS = 2000  # the first decision is the same in all markets of a world, and made once


@dataclass(frozen=True)
class SurfacePlanner:
    """Rounds of purchases, each the one whose labels teach most for the decision to come.

    Before anything is bought, labels borrowed from the test set tell the target's own learning
    curve (`budget.campaign.lent_curve`), and unlabelled items for sale tell how strongly labels of
    other strata pull towards the target (`budget.surface.separation`). Once a few labels of a
    stratum are there, purchases of it are rehearsed with guessed labels, where such a rehearsal of
    the target comes out right (`budget.surface.rehearsal`).
    Before every purchase the surface is fitted to trainings on parts of all that was bought, and
    batches are ranked by the value of their information (`budget.search.batches`); where none
    has any, a part of what is best now is bought. The last round spends the rest: the mix with the
    largest expected accuracy, money kept where labels would harm, labels of a stratum left out of
    training where they do. The surface is told the error rates that the terms state.

    `rounds` of buying, the last one included; `draws` of the posterior; `fractions` and `seeds`
    of what is trained; whether to `borrow`, to `read` unlabelled items, and to `rehearse`.
    """

    rounds: int = 5
    draws: int = 600
    fractions: tuple[float, ...] = (0.25, 0.5, 1.0)
    seeds: int = 5
    prior: Prior = field(default_factory=Prior)
    borrow: bool = True
    read: bool = True
    rehearse: bool = True
    name: str = "planner"

    def play(self, market: Market) -> Play:
        """Buy, train, fit and buy again; the forecast is the surface's."""
        rng = market.generator("planner")
        curve = _Curve((yield from borrowed_curve(market)) if self.borrow else [])
        apart = separations((yield Unlabelled()) if self.read else [])
        rehearsals = CampaignRehearsals()
        if self.rehearse:
            rehearsals = yield from start_rehearsals(market, curve.observations)
        start = _Start.of(market, apart)
        surface, ranked = _before_anything(start, self.prior, curve)
        for turn in range(1, self.rounds):
            rounds_left = self.rounds - turn + 1
            batch = choose_batch(ranked, surface, position_of(market), rounds_left)
            if not batch.labels:
                break
            market.buy(batch.labels)
            observations = yield from self.train(market, rng)
            rehearsed = yield from rehearse(rehearsals, position_of(market), market.target)
            seen = [*curve.observations, *observations]
            surface = self.fit(market, seen, turn, apart, rehearsed)
            ranked = (
                rank_batches(surface, position_of(market), rng) if turn + 1 < self.rounds else []
            )
        return self._finish(market, surface, rng)

    def fit(
        self,
        market: Market,
        observations: Sequence[Observation],
        turn: int,
        apart: Mapping[str, Separation],
        rehearsed: Sequence[Rehearsal] = (),
    ) -> ResponseSurface:
        """The surface after so many rounds."""
        return fit_surface(
            observations,
            market.strata,
            market.target,
            market.unsupervised,
            market.chance,
            market.groups,
            draws=self.draws,
            seed=turn,
            pilot=market.bought,
            clean=market.clean,
            prior=self.prior,
            separations=apart,
            rehearsals=rehearsed,
        )

    def train(
        self, market: Market, rng: np.random.Generator
    ) -> Generator[Sequence[Lesson], Correct, list[Observation]]:
        """Train on parts of what was bought; use by `yield from`."""
        bought = np.array([market.bought[name] for name in market.strata])
        parts = training_parts(bought, self.fractions)
        if not len(parts):
            return []  # too few labels to train on any part of them
        subsets = [
            {
                name: rng.permutation(bought[place])[: part[place]]
                for place, name in enumerate(market.strata)
            }
            for part in parts
            for _ in range(self.seeds)
        ]
        correct = yield subsets
        by_part = np.asarray(correct).reshape(len(parts), self.seeds, -1)
        return [
            Observation(
                labels={n: int(k) for n, k in zip(market.strata, part, strict=True) if k},
                correct=own,
                pilot_share=float((part / np.maximum(bought, 1)).max()),
            )
            for part, own in zip(parts, by_part, strict=True)
        ]

    def _finish(
        self, market: Market, surface: ResponseSurface, rng: np.random.Generator
    ) -> Forecast | None:
        steps = _STEPS.get(len(market.strata), _STEPS_BEYOND)
        mixes, purchases = position_of(market).final_mixes(steps)
        if not len(mixes):
            return None  # money for not a single label
        clean = np.broadcast_to(surface.clean_shares(), mixes.shape)
        best = int(surface.accuracy(mixes.astype(float), clean).mean(0).argmax())
        had = market.bought
        market.buy({n: int(k) for n, k in zip(market.strata, purchases[best], strict=True)})
        kept = {n: int(k) for n, k in zip(market.strata, mixes[best], strict=True)}
        market.keep(kept)
        draws = surface.measured([kept], rng, had)[:, 0]
        tail = (1 - FORECAST_CONFIDENCE) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        sides = surface.predict(both_sides(market), offset=False)
        easy_better = probability_easy_better(*sides.T)
        return Forecast(float(draws.mean()), float(low), float(high), easy_better)


class _Curve:
    """Observations of borrowed labels alone; equal where they say the same."""

    def __init__(self, observations: list[Observation]) -> None:
        self.observations = observations
        self._said = [(own.borrowed, own.correct.tobytes()) for own in observations]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Curve) and self._said == other._said

    def __hash__(self) -> int:
        return hash(tuple(self._said))


@dataclass(frozen=True)
class _Start:
    """A market before anything is bought; equal for all markets of a world."""

    strata: tuple[str, ...]
    target: str
    chance: float
    terms: tuple[LabelTerms, ...]
    capacity: tuple[int, ...]
    clean: tuple[float, ...]
    groups: tuple[object, ...]
    unsupervised: tuple[bool, ...] | None
    money: Decimal
    apart: tuple[tuple[str, Separation], ...]

    @classmethod
    def of(cls, market: Market, apart: Mapping[str, Separation]) -> "_Start":
        return cls(
            market.strata,
            market.target,
            market.chance,
            tuple(market.terms[name] for name in market.strata),
            tuple(market.capacity[name] for name in market.strata),
            tuple(market.clean[name] for name in market.strata),
            tuple(market.groups),
            None if market.unsupervised is None else tuple(market.unsupervised.tolist()),
            market.budget,
            tuple(apart.items()),
        )


@lru_cache(maxsize=16)
def _before_anything(
    start: _Start, prior: Prior, curve: _Curve
) -> tuple[ResponseSurface, list[Batch]]:
    """The first surface and its batches, which are the same in all markets of a world."""
    surface = fit_surface(
        curve.observations,
        start.strata,
        start.target,
        None if start.unsupervised is None else np.array(start.unsupervised),
        start.chance,
        np.array(start.groups, dtype=object),
        draws=_FIRST_DRAWS,
        clean=dict(zip(start.strata, start.clean, strict=True)),
        prior=prior,
        separations=dict(start.apart),
    )
    position = Position(
        start.strata,
        dict(zip(start.strata, start.terms, strict=True)),
        dict(zip(start.strata, start.capacity, strict=True)),
        dict.fromkeys(start.strata, 0),
        start.money,
    )
    return surface, rank_batches(surface, position, np.random.default_rng(0))


def position_of(market: Market) -> Position:
    """Where a market's campaign stands."""
    return Position(market.strata, market.terms, market.capacity, market.bought, market.money_left)
