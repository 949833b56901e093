"""Rehearsals of generated worlds come near real purchases, and read no answer for sale."""

from dataclasses import replace

import numpy as np
import pytest

from budget.backtest.evidence import campaign_in
from budget.backtest.trainer import ProbeTrainer
from budget.campaign.play import Rehearsing
from budget.surface.rehearsal import Control
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World
from tests.markets import sold

CONDITION = Condition(2, (0.1, 0.2), 2000)
SIZE = 400
EASY = (("easy", SIZE),)
CONTROL = Rehearsing(((("hard", SIZE),),))


def world_of(transfer: float, own_choices: bool) -> World:
    recipe = WorldRecipe(
        seed=11,
        own_choices=own_choices,
        choices=3,
        transfer=transfer,
        easy_margin=2.6,
        hard_margin=1.8,
        latent=24,
    )
    return generated_world(recipe, CONDITION)


def rehearsed(world: World, trainer: ProbeTrainer, labels: int) -> float:
    market = campaign_in(world, 0)
    market.buy({"easy": labels})
    ((found,),) = trainer.looker.rehearse([(market, Rehearsing((EASY,)))])
    assert max(own.surprise for own in found) < 2.5
    return float(np.mean([own.accuracy for own in found]))


@pytest.mark.parametrize("own_choices", [False, True])
def test_forty_labels_tell_what_four_hundred_score(own_choices: bool) -> None:
    """From no transfer to all of it; real purchases in eight markets are the truth."""
    scores, told = [], []
    for transfer in (0.0, 0.5, 0.85, 1.0):
        world = world_of(transfer, own_choices)
        trainer = ProbeTrainer(world, "per_size")
        real = [sold(world, seed, {"easy": SIZE}) for seed in range(8)]
        scores.append(float(trainer.correct(real).mean()))
        told.append(rehearsed(world, trainer, 40))
    assert np.abs(np.array(told) - scores).max() < 0.07
    assert max(scores) - min(scores) > 0.15  # there was something to tell


def control_of(world: World) -> Control:
    trainer = ProbeTrainer(world, "per_size")
    ((found,),) = trainer.looker.rehearse([(campaign_in(world, 0), CONTROL)])
    lent = [trainer.lender.lend(SIZE, seed) for seed in range(8)]
    scored = np.stack([campaign_in(world, 0).test.scored(SIZE, seed) for seed in range(8)])
    accuracy = float(trainer.correct(lent)[scored].mean())
    assert accuracy > 0.6  # there is something to miss
    return Control.of(found, accuracy, world.items.chance)


@pytest.mark.parametrize("own_choices", [False, True])
def test_the_control_of_clusters_is_sound(own_choices: bool) -> None:
    assert control_of(world_of(0.5, own_choices)).sound


@pytest.mark.parametrize("seed", range(3))
def test_the_control_of_classes_that_are_no_clusters_is_not(seed: int) -> None:
    """One cloud, cut into three by planes: a probe learns them, a mixture finds other cuts."""
    world = world_of(0.5, False)
    items = world.items
    rng = np.random.default_rng(seed)
    features = rng.standard_normal(items.features.shape).astype(np.float32)
    answers = (features[:, 0] @ rng.standard_normal((features.shape[2], 3))).argmax(1)
    cloud = replace(items, features=features, answers=answers)
    control = control_of(replace(world, load=lambda: cloud))
    assert not control.sound
    assert control.missed < -0.055


def test_answers_of_items_for_sale_are_not_read() -> None:
    """Other right answers to all items but those bought: the same rehearsal, to the bit."""
    world = world_of(0.85, False)
    market = campaign_in(world, 0)
    market.buy({"easy": 40})
    bought = market.bought_of("easy").positions
    items = world.items
    answers = (items.answers + 1) % 3
    kept = np.concatenate([items.test, bought])
    answers[kept] = items.answers[kept]
    other = replace(world, load=lambda: replace(items, answers=answers))
    twin = campaign_in(other, 0)
    twin.buy({"easy": 40})
    mixes = Rehearsing((EASY, (("easy", 100), ("hard", 100))))
    # Cross-validated on the imagined labels: a penalty per size is chosen on other purchases.
    first, second = (
        ProbeTrainer(own, "cross_validated").looker.rehearse([(sold, mixes)])
        for own, sold in ((world, market), (other, twin))
    )
    assert first == second
