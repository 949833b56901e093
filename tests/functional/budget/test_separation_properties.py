"""What unlabelled items say of generated worlds is what their making has it."""

import numpy as np
import pytest

from budget.backtest.trainer import ProbeTrainer
from budget.surface.separation import separations
from budget.worlds.conditions import Condition
from budget.worlds.generated import Recipe, generated_world

CLEAN = Condition(2, (0.0, 0.0), 600)


@pytest.mark.parametrize("own_choices", [False, True])
def test_easy_classes_lie_as_far_apart_as_they_were_made(own_choices: bool) -> None:
    """The squared ratio of distances along the target's direction, within its deviation."""
    made, told, deviations = [], [], []
    for number, transfer in enumerate((0.0, 0.3, 0.5, 0.7, 0.85, 1.0)):
        recipe = Recipe(
            seed=number,
            own_choices=own_choices,
            choices=3,
            transfer=transfer,
            easy_margin=2.4,
            hard_margin=1.5,
            latent=24,
        )
        world = generated_world(recipe, CLEAN)
        found = separations(ProbeTrainer(world, "per_size").readings)["easy"]
        made.append((1.6 * transfer) ** 2)
        told.append(found.square / 0.65)  # the share that learners take from far items
        deviations.append(found.deviation)
    assert np.corrcoef(made, told)[0, 1] > 0.97
    assert (np.abs(np.array(told) - made) < 2 * np.array(deviations)).all()


def test_errors_in_labels_for_sale_do_not_matter() -> None:
    """Nobody has labelled what is read, and the test set's answers are right."""
    recipe = Recipe(seed=3, transfer=0.7, easy_margin=2.0, hard_margin=1.4)
    noisy = Condition(2, (0.4, 0.6), 600)
    clean, errs = (
        separations(ProbeTrainer(generated_world(recipe, condition), "per_size").readings)["easy"]
        for condition in (CLEAN, noisy)
    )
    # The penalty differs, which is chosen on noisy labels, and so do the halves of the test set.
    assert errs.square == pytest.approx(clean.square, abs=clean.deviation / 2)
