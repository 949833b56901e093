"""What unlabelled items say of generated worlds is what their making has it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.backtest.trainer import ProbeTrainer
from budget.surface.separation import separations
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world

CLEAN = Condition(2, (0.0, 0.0), 600)


@pytest.mark.parametrize("own_choices", [False, True])
def test_easy_classes_lie_as_far_apart_as_they_were_made(own_choices: bool) -> None:
    """The squared ratio of distances along the target's direction, within its deviation."""
    made, told, deviations = [], [], []
    for number, transfer in enumerate((0.0, 0.3, 0.5, 0.7, 0.85, 1.0)):
        recipe = WorldRecipe(
            seed=number,
            own_choices=own_choices,
            choices=3,
            transfer=transfer,
            easy_margin=2.4,
            hard_margin=1.5,
            latent=24,
        )
        world = generated_world(recipe, CLEAN)
        found = separations(ProbeTrainer(world, "per_size").looker.readings)["easy"]
        made.append((1.6 * transfer) ** 2)
        told.append(found.square / 0.65)
        deviations.append(found.deviation)
    assert np.corrcoef(made, told)[0, 1] > 0.97
    assert (np.abs(np.array(told) - made) < 2 * np.array(deviations)).all()


def test_errors_in_labels_for_sale_do_not_matter() -> None:
    """Nobody has labelled what is read, and the test set's answers are right: nothing changes."""
    recipe = WorldRecipe(seed=3, transfer=0.7, easy_margin=2.0, hard_margin=1.4)
    clean = generated_world(recipe, CLEAN)
    noisy = replace(clean, terms=Condition(2, (0.4, 0.6), 600).terms(("easy", "hard")))
    assert (
        ProbeTrainer(clean, "per_size").looker.readings
        == ProbeTrainer(noisy, "per_size").looker.readings
    )


def test_classes_that_are_not_equally_frequent() -> None:
    """Nine in ten items of one class: the same separation is read as of balanced classes."""
    recipe = WorldRecipe(
        seed=5, transfer=1.0, easy_margin=1.5, hard_margin=1.5, pool=4000, test=2000
    )
    world = generated_world(recipe, CLEAN)
    items = world.items
    rng = np.random.default_rng(0)

    def kept(positions: NDArray[np.int64]) -> NDArray[np.int64]:
        rare = items.answers[positions] == 1
        chosen = ~rare | (rng.random(positions.size) < 1 / 9)
        return np.asarray(positions[chosen])

    test = kept(items.test)
    skewed = replace(
        items,
        pools={name: kept(own) for name, own in items.pools.items()},
        test=test,
    )
    found = separations(
        ProbeTrainer(replace(world, load=lambda: skewed), "per_size").looker.readings
    )
    assert found["easy"].square / 0.65 == pytest.approx(1.0, abs=0.3)
