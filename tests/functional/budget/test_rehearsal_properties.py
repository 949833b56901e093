"""Rehearsals of generated worlds come near real purchases, and read no answer for sale."""

from dataclasses import replace

import numpy as np
import pytest

from budget.backtest.lending import Rehearsing
from budget.backtest.market import Market
from budget.backtest.offers import Offers
from budget.backtest.trainer import ProbeTrainer
from budget.surface.rehearsal import Control
from budget.worlds.conditions import Condition
from budget.worlds.generated import Recipe, generated_world
from budget.worlds.world import World

CONDITION = Condition(2, (0.1, 0.2), 2000)
SIZE = 400
EASY = (("easy", SIZE),)
CONTROL = Rehearsing(((("hard", SIZE),),))


def world_of(transfer: float, own_choices: bool) -> World:
    recipe = Recipe(
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
    market = Market(world, 0)
    market.buy({"easy": labels})
    ((found,),) = trainer.halves.rehearse([(market, Rehearsing((EASY,)))])
    assert max(own.surprise for own in found) < 2.5
    return float(np.mean([own.accuracy for own in found]))


@pytest.mark.parametrize("own_choices", [False, True])
def test_forty_labels_tell_what_four_hundred_score(own_choices: bool) -> None:
    """From no transfer to all of it; real purchases in eight markets are the truth."""
    scores, told = [], []
    for transfer in (0.0, 0.5, 0.85, 1.0):
        world = world_of(transfer, own_choices)
        trainer = ProbeTrainer(world, "per_size")
        real = [Offers(world, seed).first({"easy": SIZE}) for seed in range(8)]
        scores.append(float(trainer.correct(real).mean()))
        told.append(rehearsed(world, trainer, 40))
    assert np.abs(np.array(told) - scores).max() < 0.07
    assert max(scores) - min(scores) > 0.15  # there was something to tell


@pytest.mark.parametrize("own_choices", [False, True])
def test_the_control_of_clusters_is_sound(own_choices: bool) -> None:
    world = world_of(0.5, own_choices)
    trainer = ProbeTrainer(world, "per_size")
    ((found,),) = trainer.halves.rehearse([(Market(world, 0), CONTROL)])
    lent = [trainer.lender.lend(SIZE, seed) for seed in range(8)]
    market = Market(world, 0)
    scored = np.stack([market.scored(SIZE, seed) for seed in range(8)])
    assert Control.of(found, float(trainer.correct(lent)[scored].mean())).sound


def test_the_control_of_classes_that_are_no_clusters_is_not() -> None:
    """Answers that go with no direction of the features: guesses are surer than right."""
    world = world_of(0.5, False)
    items = world.items
    shuffled = items.answers.copy()
    rng = np.random.default_rng(0)
    shuffled[items.test] = rng.permutation(shuffled[items.test])
    odd = replace(world, load=lambda: replace(items, answers=shuffled))
    ((found,),) = ProbeTrainer(odd, "per_size").halves.rehearse([(Market(odd, 0), CONTROL)])
    assert not Control.of(found, 1 / 3).sound


def test_answers_of_items_for_sale_are_not_read() -> None:
    """Other right answers to all items but those bought: the same rehearsal, to the bit."""
    world = world_of(0.85, False)
    market = Market(world, 0)
    market.buy({"easy": 40})
    bought = market.bought_of("easy").positions
    items = world.items
    answers = (items.answers + 1) % 3
    kept = np.concatenate([items.test, bought])
    answers[kept] = items.answers[kept]
    other = replace(world, load=lambda: replace(items, answers=answers))
    twin = Market(other, 0)
    twin.buy({"easy": 40})
    mixes = Rehearsing((EASY, (("easy", 100), ("hard", 100))))
    trainers = (ProbeTrainer(world, "per_size"), ProbeTrainer(other, "per_size"))
    for trainer in trainers:
        trainer._penalties = {512: 0.1, 256: 0.1}  # chosen on purchases of the world's own answers
    first, second = (
        trainer.halves.rehearse([(own, mixes)])
        for trainer, own in zip(trainers, (market, twin), strict=True)
    )
    assert first == second
