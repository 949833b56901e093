"""No order of purchases spends more than the budget, and no policy sees a true label."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.terms.cost import LabelTerms, mix_cost
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.registry import POLICIES
from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import grid_mixes
from budget.campaign.campaign import PurchaseRefusedError
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generate, generated_world, stratum_names
from budget.worlds.world import World

RECIPE = WorldRecipe(seed=1, pool=90, hard_pool=60, test=40, latent=12, nuisance=2, transfer=0.6)
ITEMS = {strata: generate(replace(RECIPE, strata=strata)) for strata in (2, 3)}
# A task in which a planner rehearses: test items enough, and clusters that can be guessed.
ROOMY = replace(
    RECIPE,
    seed=2,
    pool=300,
    hard_pool=200,
    test=200,
    transfer=0.8,
    easy_margin=2.6,
    hard_margin=1.8,
)
REHEARSING = ("planner", "planner_one_shot")
PLAYED = [(name, RECIPE) for name in POLICIES] + [(name, ROOMY) for name in REHEARSING]
costs = st.decimals(min_value="0.01", max_value="20", places=2)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    strata = draw(st.sampled_from([2, 3]))
    terms = {
        name: LabelTerms(draw(costs), draw(st.sampled_from([0.0, 0.3, 1.0])), "redraw")
        for name in stratum_names(strata)
    }
    budget = draw(st.decimals(min_value="0", max_value="300", places=2))
    return World("any", "any", terms, budget, lambda: ITEMS[strata])


@given(world=worlds(), data=st.data())
def test_no_order_of_purchases_spends_more_than_the_budget(
    world: World, data: st.DataObject
) -> None:
    market = campaign_in(world, seed=0)
    for _ in range(data.draw(st.integers(1, 5))):
        counts = {name: data.draw(st.integers(-1, 120)) for name in market.strata}
        before = dict(market.bought)
        try:
            market.buy(counts)
        except PurchaseRefusedError:
            assert market.bought == before
        assert mix_cost(market.bought, world.terms) <= world.budget
        assert market.money_left == world.budget - market.cost
        assert all(market.bought[name] <= market.capacity[name] for name in market.strata)
        assert all(market.affordable(name) >= 0 for name in market.strata)


@settings(max_examples=25)
@given(world=worlds(), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", [name for name in POLICIES if name != "planner"])
def test_no_policy_is_refused_or_overspends(name: str, world: World, seed: int) -> None:
    market = campaign_in(world, seed)
    play_in_world(POLICIES[name], [market], ProbeTrainer(world, "per_size"))
    assert Decimal(0) <= market.money_left <= world.budget


@settings(max_examples=6)
@given(world=worlds())
def test_the_planner_is_not_refused_and_does_not_overspend(world: World) -> None:
    market = campaign_in(world, 0)
    play_in_world(POLICIES["planner"], [market], ProbeTrainer(world, "per_size"))
    assert Decimal(0) <= market.money_left <= world.budget


@given(world=worlds())
def test_no_mix_of_the_grid_overspends(world: World) -> None:
    assert all(mix_cost(mix, world.terms) <= world.budget for mix in grid_mixes(world))


@pytest.mark.parametrize(("name", "recipe"), PLAYED)
def test_the_same_market_gives_the_same_decisions(name: str, recipe: WorldRecipe) -> None:
    world, policy = generated_world(recipe, Condition(2, (0.1, 0.2), 200)), POLICIES[name]
    bought = []
    for _ in range(2):
        markets = [campaign_in(world, seed) for seed in (5, 6)]
        forecasts = play_in_world(policy, markets, ProbeTrainer(world, "per_size"))
        bought.append(([market.bought for market in markets], forecasts))
    assert bought[0] == bought[1]


@pytest.mark.parametrize(("name", "recipe"), PLAYED)
def test_no_policy_sees_a_true_label(name: str, recipe: WorldRecipe) -> None:
    """Once the labels that are sold are drawn, the pools' true answers can be anything."""
    decisions, policy = [], POLICIES[name]
    for poisoned in (False, True):
        world = generated_world(recipe, Condition(2, (0.1, 0.2), 200))
        markets = [campaign_in(world, seed) for seed in (5, 6)]
        trainer = ProbeTrainer(world, "cross_validated")
        if poisoned:
            for pool in world.items.pools.values():
                world.items.answers[pool] = 1 - world.items.answers[pool]
        forecasts = play_in_world(policy, markets, trainer)
        decisions.append(([market.bought for market in markets], forecasts))
    assert decisions[0] == decisions[1]
