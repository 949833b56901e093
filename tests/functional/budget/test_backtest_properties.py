"""The truth of generated worlds is what their making says it is."""

from dataclasses import replace

import numpy as np
import pytest

from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import Scores, Truth, grid_mixes
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World

RECIPE = WorldRecipe(
    seed=8, pool=400, hard_pool=400, test=400, latent=16, nuisance=4,
    easy_margin=1.8, hard_margin=1.2,
)  # fmt: skip
SEEDS = range(16)


def truth_of(world: World) -> Truth:
    mixes = grid_mixes(world)
    scores = Scores(world, ProbeTrainer(world, "per_size"))
    for _ in scores.measure([(mix, seed) for mix in mixes for seed in SEEDS]):
        pass
    return Truth(mixes, np.array([[scores.of(mix, seed) for seed in SEEDS] for mix in mixes]))


@pytest.mark.parametrize("own_choices", [False, True])
def test_cheap_labels_that_teach_all_are_the_best_buy(own_choices: bool) -> None:
    recipe = replace(RECIPE, transfer=1.0, own_choices=own_choices)
    truth = truth_of(generated_world(recipe, Condition(4, (0.1, 0.1), 200)))
    all_hard, all_easy = truth.mean()[[0, -1]]
    assert all_easy > all_hard + 0.03
    assert truth.mean()[truth.best] < all_easy + 0.03  # no mix is much better


@pytest.mark.parametrize("own_choices", [False, True])
def test_labels_that_teach_nothing_are_the_worst_buy(own_choices: bool) -> None:
    recipe = replace(RECIPE, transfer=0.0, own_choices=own_choices)
    world = generated_world(recipe, Condition(4, (0.1, 0.1), 200))
    truth = truth_of(world)
    assert truth.best == 0
    assert truth.mean()[0] > truth.mean()[-1] + 0.1
    assert truth.mean()[-1] == pytest.approx(world.items.chance, abs=0.05)


def test_more_transfer_makes_easy_labels_worth_more() -> None:
    means = []
    for transfer in (0.0, 0.5, 0.85, 1.0):
        recipe = replace(RECIPE, transfer=transfer)
        means.append(truth_of(generated_world(recipe, Condition(1, (0.0, 0.0), 200))).mean()[-1])
    assert means == sorted(means)


def test_hard_labels_with_errors_are_worth_less() -> None:
    clean = truth_of(generated_world(RECIPE, Condition(1, (0.0, 0.0), 200))).mean()[0]
    wrong = truth_of(generated_world(RECIPE, Condition(1, (0.0, 0.6), 200))).mean()[0]
    assert wrong < clean - 0.03
