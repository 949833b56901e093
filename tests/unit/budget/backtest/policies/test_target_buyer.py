from decimal import Decimal

import numpy as np
import pytest

from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.target_buyer import TargetBuyer, cheapest
from budget.backtest.trainer import ProbeTrainer
from budget.campaign.campaign import Campaign
from budget.surface.fit import fit_surface
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world

SMALL = WorldRecipe(seed=4, pool=400, hard_pool=300, test=100, latent=8, nuisance=2, transfer=0.9)
WORLD = generated_world(SMALL, Condition(2, (0.0, 0.0), 600))
MARKETS = 4


def played(buyer: TargetBuyer) -> tuple[list[Campaign], list[float]]:
    """The markets after it, and what training on what was kept scores."""
    trainer = ProbeTrainer(WORLD, "per_size")
    markets = [campaign_in(WORLD, seed) for seed in range(MARKETS)]
    assert play_in_world(buyer, markets, trainer) == [None] * MARKETS
    sets = [
        market.chosen({name: np.arange(count) for name, count in market.trained.items()})
        for market in markets
    ]
    return markets, trainer.correct(sets).mean(1).tolist()


def test_it_stops_when_the_target_is_scored() -> None:
    markets, scores = played(TargetBuyer(0.6))
    assert min(scores) >= 0.6
    assert max(market.cost for market in markets) < WORLD.budget / 2
    assert max(market.rounds for market in markets) <= 5


def test_a_target_out_of_reach_takes_all_the_money_and_no_more() -> None:
    markets, scores = played(TargetBuyer(0.999, rounds=3))
    assert max(scores) < 0.999
    assert max(market.rounds for market in markets) <= 3
    assert all(WORLD.budget - market.cost <= 2 for market in markets)


def test_a_higher_target_costs_more() -> None:
    costs = [
        float(np.mean([float(market.cost) for market in played(TargetBuyer(target))[0]]))
        for target in (0.55, 0.7)
    ]
    assert costs[1] > costs[0]


def test_one_round_buys_what_surely_does() -> None:
    """Without a look in between it has to buy more than what does as likely as not."""
    surely, hardly = (
        np.mean(
            [
                float(market.cost)
                for market in played(TargetBuyer(0.6, rounds=1, probability=chance))[0]
            ]
        )
        for chance in (0.9, 0.5)
    )
    assert surely > hardly


@pytest.mark.parametrize("target", [0.6, 0.7, 0.75])
def test_the_cheapest_purchase_is_near_the_smallest_budget_that_does(target: float) -> None:
    market = campaign_in(WORLD, 0)
    surface = fit_surface(
        [], market.strata, market.target, None, market.test.chance, market.test.groups
    )
    here = market.market
    labels, money = cheapest(surface, here, target, 0.5, np.random.default_rng(0))
    spent = sum((market.terms[n].cost * k for n, k in labels.items()), start=Decimal(0))
    assert 0 < spent <= money <= here.money
    chance = (surface.measured([labels], np.random.default_rng(1), here.bought) >= target).mean()
    assert chance == pytest.approx(0.5, abs=0.12)
