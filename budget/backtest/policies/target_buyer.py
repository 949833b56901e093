"""Least cost for a target accuracy: buy, look, and stop as soon as it is reached."""

from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from budget.campaign.campaign import Campaign
from budget.campaign.planner import Planner
from budget.campaign.play import Play
from budget.campaign.rehearsals import rehearse
from budget.market.market import Market
from budget.market.simple_rules import Mix
from budget.search.batches import choose_batch, rank_batches
from budget.surface.observation import Observation
from budget.surface.response import ResponseSurface

_STEPS = {1: 1, 2: 20, 3: 8}
_STEPS_BEYOND = 5
_BUDGETS = 28  # that are tried, from the whole money down
_STEP = 0.87  # from one to the next


@dataclass(frozen=True)
class TargetBuyer:
    """The planner with a target instead of a budget: the question of Mahmood et al. (CVPR 2022).

    Money is what the market has, and should be plenty. The first `learning` rounds buy the batch
    that teaches most for the purchase that would do as likely as not; the others buy that purchase,
    and the last one that which reaches the target with `probability`. It ends when training on
    everything bought, or on one stratum of it, scores the target on the test set: a lucky score
    ends it as well as an earned one.

    `planner` is how it fits and trains.
    """

    target: float
    rounds: int = 5
    learning: int = 2
    probability: float = 0.9
    planner: Planner = field(default_factory=Planner)
    name: str = "target_buyer"

    def play(self, campaign: Campaign) -> Play:
        """Buy in rounds until the target is reached; there is no forecast."""
        rng = campaign.generator(self.name)
        before = yield from self.planner.beforehand(campaign)
        surface = self.planner.fit(campaign, before.curve, before, 0)
        for turn in range(1, self.rounds + 1):
            last = turn == self.rounds
            here = campaign.market
            labels, money = cheapest(
                surface, here, self.target, self.probability if last else 0.5, rng
            )
            if turn <= self.learning and not last:
                there = replace(here, money=money)
                ranked = rank_batches(surface, there, rng)
                labels = choose_batch(ranked, surface, there, self.rounds - turn + 1).labels
            if not any(labels.values()):  # too little for a lesson: be sure at once
                labels, _ = cheapest(surface, here, self.target, self.probability, rng)
            if not any(labels.values()):
                break
            campaign.buy(labels)
            observations = yield from self.planner.train(campaign, rng)
            if (kept := self._reached(campaign, observations)) is not None:
                campaign.keep(kept)
                break
            rehearsed = yield from rehearse(before.rehearsals, campaign)
            seen = [*before.curve, *observations]
            surface = self.planner.fit(campaign, seen, before, turn, rehearsed)
        return None

    def _reached(self, campaign: Campaign, observations: list[Observation]) -> Mix | None:
        """The largest part of what was bought that scores the target, whole strata of it."""
        whole = [
            own
            for own in observations
            if own.accuracy >= self.target
            and all(count == campaign.bought[name] for name, count in own.labels.items())
        ]
        return dict(max(whole, key=lambda own: own.total).labels) if whole else None


def cheapest(
    surface: ResponseSurface,
    here: Market,
    target: float,
    probability: float,
    rng: np.random.Generator,
) -> tuple[Mix, Decimal]:
    """The purchase of the smallest budget that scores a target with a probability, and the budget.

    All money where none does: the purchase that most likely does.
    """
    money = here.money
    found = _likeliest(surface, here, target, rng)
    for _ in range(_BUDGETS):
        less = (money * Decimal(str(_STEP))).quantize(Decimal("0.01"))
        smaller = _likeliest(surface, replace(here, money=less), target, rng)
        if smaller[1] < probability:
            break
        money, found = less, smaller
    return found[0], money


def _likeliest(
    surface: ResponseSurface, here: Market, target: float, rng: np.random.Generator
) -> tuple[Mix, float]:
    """What to buy so that the target is most likely reached, and how likely that is."""
    mixes, purchases = here.final_mixes(_STEPS.get(len(here.strata), _STEPS_BEYOND))
    if not len(mixes):
        return dict.fromkeys(here.strata, 0), 0.0
    wanted = [dict(zip(here.strata, row.tolist(), strict=True)) for row in mixes]
    scores = surface.measured(wanted, rng, here.bought)
    chances = (scores >= target).mean(0)
    # Of purchases that are as likely, the better one: where none can do it, too.
    best = int(np.lexsort([scores.mean(0), chances])[-1])
    return dict(zip(here.strata, purchases[best].tolist(), strict=True)), float(chances[best])
