"""No order of purchases spends more than the budget, and no policy sees a true label."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.terms.cost import LabelTerms, mix_cost
from budget.backtest.evidence import annotators_of, campaign_in, play_in_world
from budget.backtest.policies.registry import POLICIES
from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import grid_mixes
from budget.campaign.campaign import PurchaseRefusedError
from budget.campaign.planner import Planner
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
PLAYED = [(name, RECIPE, 100) for name in POLICIES]
PLAYED += [(name, ROOMY, 200) for name in REHEARSING]
PLANNERS = [name for name, policy in POLICIES.items() if isinstance(policy, Planner)]
SEED = 5
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


def play(name: str, world: World, seed: int) -> None:
    """Play to the end; PurchaseRefusedError where the policy asks for what it cannot have."""
    market = campaign_in(world, seed)
    play_in_world(POLICIES[name], [market], ProbeTrainer(world, "per_size"))
    assert Decimal(0) <= market.money_left <= world.budget


@settings(max_examples=25)
@given(world=worlds(), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", [name for name in POLICIES if name not in PLANNERS])
def test_no_rule_is_refused_or_overspends(name: str, world: World, seed: int) -> None:
    play(name, world, seed)


@settings(max_examples=6)  # each plays a tenth of a second; of the planner's kind there are several
@given(world=worlds(), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", PLANNERS)
def test_no_planner_is_refused_or_overspends(name: str, world: World, seed: int) -> None:
    play(name, world, seed)


@given(world=worlds())
def test_no_mix_of_the_grid_overspends(world: World) -> None:
    assert all(mix_cost(mix, world.terms) <= world.budget for mix in grid_mixes(world))


def decisions(world: World, name: str, poison: bool = False) -> object:
    """What a policy buys in a market, and what it forecasts.

    Poisoned, the pools' true answers are others once the labels that are sold are drawn.
    """
    annotators = annotators_of(world)
    for stratum, pool in world.items.pools.items():
        annotators.labels(stratum, pool.size, SEED)
    trainer = ProbeTrainer(world, "cross_validated")
    if poison:
        for pool in world.items.pools.values():
            world.items.answers[pool] = 1 - world.items.answers[pool]
    market = campaign_in(world, SEED, annotators)
    forecasts = play_in_world(POLICIES[name], [market], trainer)
    return market.bought, forecasts


@pytest.mark.parametrize(("name", "recipe", "budget"), PLAYED)
def test_no_policy_sees_a_true_label(name: str, recipe: WorldRecipe, budget: int) -> None:
    """The true answers of what is for sale change no decision, and nor does playing again."""
    worlds = [generated_world(recipe, Condition(2, (0.1, 0.2), budget)) for _ in range(2)]
    assert decisions(worlds[0], name) == decisions(worlds[1], name, poison=True)
