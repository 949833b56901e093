"""The planner: buy a batch to learn from, fit the surface, buy again, and then the rest.

`labelmix run` plays it in one campaign, whose labels train real trials; the backtest plays it in
many, and tells what its decisions lose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import numpy as np

from annotation.arrays import Array
from annotation.terms.cost import LabelTerms, affordable
from budget.campaign.campaign import Campaign
from budget.campaign.lent_curve import lent_curve
from budget.campaign.play import (
    FORECAST_CONFIDENCE,
    Forecast,
    Parts,
    Play,
    Playing,
    Unlabelled,
    probability_easy_better,
)
from budget.campaign.rehearsals import CampaignRehearsals, rehearse, start_rehearsals
from budget.config.sections import PilotSection
from budget.decision.alternatives import best_plan
from budget.market.market import market_at_terms
from budget.market.simple_rules import Mix, single_stratum
from budget.search.batches import Batch, choose_batch, rank_batches, training_parts
from budget.search.plan import Plan, PlanSearch
from budget.surface.fit import fit_surface
from budget.surface.observation import Observation
from budget.surface.parameters import Prior
from budget.surface.rehearsal import Control, Rehearsal
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation, separations

_STEPS = {1: 1, 2: 40, 3: 12}  # of the last purchase, where it is looked for on a grid
_STEPS_BEYOND = 6
_RUN_DRAWS = 1000  # a run fits few surfaces, and people read them
_FIRST_DRAWS = 2000  # the first decision is the same in all campaigns of a world, and made once


@dataclass
class Beforehand:
    """What is known before anything is bought.

    Attributes
    ----------
    curve : the target's own, of labels that the test set lends
    separations : stratum -> what its unlabelled items say
    rehearsals : of purchases with guessed labels, and the control that allows them
    """

    curve: list[Observation]
    separations: Mapping[str, Separation]
    rehearsals: CampaignRehearsals


@dataclass(frozen=True)
class Round:
    """One purchase to learn from; `gain` is the accuracy that it should add, None of a pilot."""

    labels: Mix
    gain: float | None


@dataclass(frozen=True)
class Explored:
    """What was bought before the last purchase, and what it taught.

    Attributes
    ----------
    rounds : every purchase so far
    bought : stratum -> labels of all of them together
    observations : of trials on parts of what was bought, and on labels that the test set lent
    surface : fitted to them
    separations : stratum -> what its unlabelled items say; the surface was told of it
    control : how a rehearsal of the target came out; None where none was tried
    rehearsals : of purchases with guessed labels; the surface was told of them
    """

    rounds: tuple[Round, ...]
    bought: Mix
    observations: Sequence[Observation]
    surface: ResponseSurface
    separations: Mapping[str, Separation]
    control: Control | None = None
    rehearsals: Sequence[Rehearsal] = ()


@dataclass(frozen=True)
class Planner:
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

    Attributes
    ----------
    rounds : of buying, the last one included
    first : labels of every stratum that the first round buys; None to choose it like the others
    last : whether the last purchase is looked for on a grid of shares of the money, or by the
        search behind `labelmix plan`
    draws : of the posterior
    fractions, seeds : of what was bought and is trained on
    borrow, read, rehearse : what is asked before or beside what labels tell
    seed : begins the streams that rank batches; None for the campaign's own stream
    name : as a policy
    """

    rounds: int = 5
    first: int | None = None
    last: Literal["grid", "search"] = "grid"
    draws: int = 600
    fractions: tuple[float, ...] = (0.25, 0.5, 1.0)
    seeds: int = 5
    prior: Prior = field(default_factory=Prior)
    borrow: bool = True
    read: bool = True
    rehearse: bool = True
    seed: int | None = None
    name: str = "planner"

    def play(self, campaign: Campaign) -> Play:
        """Explore, then spend the rest; the forecast is the surface's."""
        rng = campaign.generator("planner")
        explored = yield from self.explore(campaign, rng)
        if self.last == "search":
            return self._search(campaign, explored.surface)
        return self._on_grid(campaign, explored.surface, rng)

    def explore(self, campaign: Campaign, rng: np.random.Generator) -> Playing[Explored]:
        """Buy and learn, up to the last round; stops before it where nothing is to be bought."""
        before = yield from self.beforehand(campaign)
        rounds: list[Round] = []
        explored: Explored | None = None
        for turn in range(1, self.rounds):
            chosen = self._next_round(campaign, before, explored, turn, rng)
            if not any(chosen.labels.values()):
                break
            campaign.buy(chosen.labels)
            rounds.append(chosen)
            explored = yield from self._learn(campaign, before, rounds, turn, rng)
        if explored is not None:
            return explored
        surface, _ = self._before_anything(campaign, before)
        return Explored((), campaign.bought, before.curve, surface, before.separations)

    def learn_from(
        self, campaign: Campaign, rounds: Sequence[Round], rng: np.random.Generator
    ) -> Playing[Explored]:
        """What another method learns from labels that were bought before, in these rounds."""
        before = yield from self.beforehand(campaign)
        return (yield from self._learn(campaign, before, rounds, len(rounds), rng))

    def beforehand(self, campaign: Campaign) -> Playing[Beforehand]:
        """Ask what can be known for no money."""
        curve = (yield from lent_curve(campaign)) if self.borrow else []
        apart = separations((yield Unlabelled()) if self.read else [])
        rehearsals = CampaignRehearsals()
        if self.rehearse:
            rehearsals = yield from start_rehearsals(campaign, curve)
        return Beforehand(curve, apart, rehearsals)

    def train(self, campaign: Campaign, rng: np.random.Generator) -> Playing[list[Observation]]:
        """Train on parts of what was bought; use by `yield from`."""
        bought = np.array([campaign.bought[name] for name in campaign.strata])
        parts = training_parts(bought, sorted(self.fractions))
        if not len(parts):
            return []  # too few labels to train on any part of them
        mixes = tuple(
            {name: int(n) for name, n in zip(campaign.strata, part, strict=True) if n}
            for part in parts
        )
        correct = yield Parts(mixes, self.seeds, rng)
        by_part = np.asarray(correct).reshape(len(parts), self.seeds, -1)
        return [
            Observation(
                labels=mix,
                correct=own,
                pilot_share=float((part / np.maximum(bought, 1)).max()),
            )
            for mix, part, own in zip(mixes, parts, by_part, strict=True)
        ]

    def fit(
        self,
        campaign: Campaign,
        observations: Sequence[Observation],
        before: Beforehand,
        turn: int,
        rehearsed: Sequence[Rehearsal] = (),
    ) -> ResponseSurface:
        """The surface after so many rounds."""
        return fit_surface(
            observations,
            campaign.strata,
            campaign.target,
            campaign.test.unsupervised,
            campaign.test.chance,
            campaign.test.groups,
            draws=self.draws,
            seed=turn if self.seed is None else 0,
            pilot=campaign.bought,
            clean=campaign.clean,
            prior=self.prior,
            separations=before.separations,
            rehearsals=rehearsed,
        )

    def _next_round(
        self,
        campaign: Campaign,
        before: Beforehand,
        explored: Explored | None,
        turn: int,
        rng: np.random.Generator,
    ) -> Round:
        """What to buy in this round; nothing where there is nothing to learn."""
        if explored is None and self.first is not None:
            return Round(_pilot(campaign, self.first), gain=None)
        if explored is None:
            surface, ranked = self._before_anything(campaign, before)
        else:
            if self.seed is not None:
                rng = np.random.default_rng([self.seed, turn - 1])
            surface = explored.surface
            ranked = rank_batches(surface, campaign.market, rng)
        batch = choose_batch(ranked, surface, campaign.market, self.rounds - turn + 1)
        return Round(dict(batch.labels), batch.gain)

    def _learn(
        self,
        campaign: Campaign,
        before: Beforehand,
        rounds: Sequence[Round],
        turn: int,
        rng: np.random.Generator,
    ) -> Playing[Explored]:
        observations = yield from self.train(campaign, rng)
        rehearsed = yield from rehearse(before.rehearsals, campaign)
        seen = [*before.curve, *observations]
        return Explored(
            tuple(rounds),
            campaign.bought,
            seen,
            self.fit(campaign, seen, before, turn, rehearsed),
            before.separations,
            before.rehearsals.control,
            tuple(rehearsed),
        )

    def plan(self, campaign: Campaign, surface: ResponseSurface) -> Plan:
        """The last purchase, by the search behind `labelmix plan`: the rest of the money."""
        return best_plan(PlanSearch(surface, campaign.market), campaign.money_left)[0]

    def _search(self, campaign: Campaign, surface: ResponseSurface) -> Forecast | None:
        plan = self.plan(campaign, surface)
        if any(plan.labels.values()):
            campaign.buy(plan.labels)
        campaign.keep(plan.used)
        if not any(plan.used.values()):
            return None
        return _forecast(campaign, surface, plan.forecast(surface))

    def _on_grid(
        self, campaign: Campaign, surface: ResponseSurface, rng: np.random.Generator
    ) -> Forecast | None:
        steps = _STEPS.get(len(campaign.strata), _STEPS_BEYOND)
        mixes, purchases = campaign.market.final_mixes(steps)
        if not len(mixes):
            return None  # money for not a single label
        clean = np.broadcast_to(surface.clean_shares(), mixes.shape)
        best = int(surface.accuracy(mixes.astype(float), clean).mean(0).argmax())
        had = campaign.bought
        campaign.buy({n: int(k) for n, k in zip(campaign.strata, purchases[best], strict=True)})
        kept = {n: int(k) for n, k in zip(campaign.strata, mixes[best], strict=True)}
        campaign.keep(kept)
        return _forecast(campaign, surface, surface.measured([kept], rng, had)[:, 0])

    def _before_anything(
        self, campaign: Campaign, before: Beforehand
    ) -> tuple[ResponseSurface, list[Batch]]:
        start = _Start.of(campaign, before.separations)
        return _first_decision(start, self.prior, _Curve(before.curve))


def run_planner(
    pilot: PilotSection,
    exploring_rounds: int,
    borrow: bool = True,
    read: bool = True,
    rehearse: bool = True,
    name: str = "planner",
) -> Planner:
    """The planner that `labelmix run` plays with these settings of `[pilot]`."""
    return Planner(
        rounds=exploring_rounds + 1,
        first=pilot.labels,
        last="search",
        draws=_RUN_DRAWS,
        fractions=tuple(pilot.fractions),
        seeds=pilot.seeds,
        borrow=borrow,
        read=read,
        rehearse=rehearse,
        seed=pilot.seed,
        name=name,
    )


def _pilot(campaign: Campaign, labels: int) -> Mix:
    """So many labels of every stratum; fewer where half of the money or the items buy no more.

    `labelmix run` refuses a pilot that the budget does not pay, and a manager would lower it.
    """
    one_each = sum((own.cost for own in campaign.terms.values()), start=Decimal(0))
    most = min(campaign.capacity.values())
    if labels > most or labels > affordable(campaign.budget, one_each):
        labels = min(labels, most, affordable(campaign.budget, one_each, Fraction(1, 2)))
    return dict.fromkeys(campaign.strata, labels)


def _forecast(campaign: Campaign, surface: ResponseSurface, draws: Array) -> Forecast:
    """Of draws (draws,) of what the purchase will score."""
    tail = (1 - FORECAST_CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    sides = surface.predict(both_sides(campaign), offset=False)
    easy_better = probability_easy_better(*sides.T)
    return Forecast(float(draws.mean()), float(low), float(high), easy_better)


def both_sides(campaign: Campaign) -> tuple[Mix, Mix]:
    """All money on the easiest stratum, and all on the target."""
    easy, hard = (
        single_stratum(name, campaign.budget, campaign.terms, campaign.capacity)
        for name in (campaign.strata[0], campaign.target)
    )
    return easy, hard


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
    """A campaign before anything is bought; equal for all campaigns of a world."""

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
    def of(cls, campaign: Campaign, apart: Mapping[str, Separation]) -> "_Start":
        test = campaign.test
        return cls(
            campaign.strata,
            campaign.target,
            test.chance,
            tuple(campaign.terms[name] for name in campaign.strata),
            tuple(campaign.capacity[name] for name in campaign.strata),
            tuple(campaign.clean[name] for name in campaign.strata),
            tuple(test.groups),
            None if test.unsupervised is None else tuple(test.unsupervised.tolist()),
            campaign.budget,
            tuple(apart.items()),
        )


@lru_cache(maxsize=16)
def _first_decision(
    start: _Start, prior: Prior, curve: _Curve
) -> tuple[ResponseSurface, list[Batch]]:
    """The first surface and its batches, which are the same in all campaigns of a world."""
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
    market = market_at_terms(
        start.strata,
        dict(zip(start.strata, start.terms, strict=True)),
        dict(zip(start.strata, start.capacity, strict=True)),
        start.money,
        dict.fromkeys(start.strata, 0),
    )
    return surface, rank_batches(surface, market, np.random.default_rng(0))
