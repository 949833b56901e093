from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.trainer import ProbeTrainer
from budget.campaign.campaign import Campaign
from budget.campaign.planner import Planner
from budget.campaign.play import Rehearsing
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World
from training.unlabelled.told import Rehearsed

Build = Callable[..., World]
TERMS = Condition(2, (0.1, 0.2), 200)
# The fewest test items with which a planner rehearses, and clusters that it can guess.
ROOMY = WorldRecipe(
    seed=2,
    pool=300,
    hard_pool=200,
    test=200,
    latent=12,
    nuisance=2,
    transfer=0.8,
    easy_margin=2.6,
    hard_margin=1.8,
)
MIXES = (
    (("easy", 60),),
    (("easy", 30), ("hard", 30)),
)


def test_unlabelled_items_are_read_without_their_answers() -> None:
    """Two probes of half of the test items each; no answer of an item for sale changes them."""
    recipe = WorldRecipe(seed=2, strata=3, pool=300, hard_pool=50, test=100, latent=8, transfer=0.9)
    world = generated_world(recipe, Condition(2, (0.2, 0.4), 200))
    readings = ProbeTrainer(world, "per_size").looker.readings
    assert [set(own.scatter) for own in readings] == [{"easy", "medium"}] * 2
    rewritten = generated_world(recipe, Condition(2, (0.2, 0.4), 200))
    for pool in rewritten.items.pools.values():
        rewritten.items.answers[pool] = 1 - rewritten.items.answers[pool]
    assert ProbeTrainer(rewritten, "per_size").looker.readings == readings


def test_a_test_set_too_small_to_look_with(axes_world: Build) -> None:
    world = axes_world()
    halves = ProbeTrainer(world, "per_size").looker
    assert halves.readings == []
    assert halves.rehearse([(campaign_in(world, 0), Rehearsing(MIXES))]) == [[[], []]]
    assert halves.rehearse([]) == []


@pytest.mark.parametrize("own_choices", [False, True])
def test_markets_that_ask_together_are_told_what_each_is_told_alone(own_choices: bool) -> None:
    """Markets hold other labels, and want other mixes; one asks again after it bought more."""
    world = generated_world(replace(ROOMY, own_choices=own_choices), TERMS)
    trainer = ProbeTrainer(world, "cross_validated")
    asked = []
    for seed, count, mixes in ((0, 20, MIXES), (1, 40, MIXES[:1]), (2, 0, MIXES)):
        market = campaign_in(world, seed)
        market.buy({"easy": count})
        asked.append((market, Rehearsing(mixes)))
    together = trainer.looker.rehearse(asked)
    assert [[len(seeds) for seeds in mixes] for mixes in together] == [[2, 2], [2], [2, 2]]
    for own, told in zip(asked, together, strict=True):
        assert ProbeTrainer(world, "cross_validated").looker.rehearse([own]) == [told]
    assert together[0][0] != together[1][0] != together[2][0]
    asked[0][0].buy({"easy": 30})
    again = trainer.looker.rehearse(asked)
    assert again[1:] == together[1:]
    assert again[0] != together[0]
    assert again[0] == ProbeTrainer(world, "cross_validated").looker.rehearse(asked[:1])[0]


def test_planners_that_rehearse_together_buy_what_each_buys_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = generated_world(ROOMY, TERMS)
    trainer = ProbeTrainer(world, "cross_validated")
    asked = 0
    rehearse = trainer.looker.rehearse

    def counted(own: Sequence[tuple[Campaign, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        nonlocal asked
        asked += len(own)
        return rehearse(own)

    monkeypatch.setattr(trainer.looker, "rehearse", counted)
    together = [campaign_in(world, seed) for seed in range(2)]
    forecasts = play_in_world(Planner(), together, trainer)
    assert asked > len(together)  # more than the control of each
    for seed, market in enumerate(together):
        alone = campaign_in(world, seed)
        forecast = play_in_world(Planner(), [alone], ProbeTrainer(world, "cross_validated"))
        assert alone.bought == market.bought
        assert forecast == [forecasts[seed]]
