from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.labelling.labels import joined
from annotation.terms.cost import LabelTerms
from budget.backtest.trainer import PENALTIES, PenaltyRule, ProbeTrainer, penalty_rule
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import LabelledItems, World
from tests.markets import sold
from training.probes.probe import fit_probe

Build = Callable[..., World]
NOTHING = joined([])


@pytest.mark.parametrize("rule", ["cross_validated", "per_size"])
def test_accuracies_that_can_be_worked_out(axes_world: Build, rule: PenaltyRule) -> None:
    world = axes_world()
    sets = [sold(world, 1, {"easy": 8}), sold(world, 1, {"hard": 2}), NOTHING]
    accuracy = ProbeTrainer(world, rule).correct(sets).mean(1)
    answers = world.items.answers[world.items.test]
    drawn = world.items.tie_draws[world.items.test].argmax(1) == answers  # easy labels tell nothing
    assert accuracy.tolist() == [drawn.mean(), 1.0, drawn.mean()]


@pytest.mark.parametrize("right", [0, 1])
def test_what_knows_nothing_is_right_by_chance_wherever_the_right_answers_stand(
    right: int,
) -> None:
    items = LabelledItems(
        name="one place",
        features=np.zeros((402, 1, 1), dtype=np.float32),
        mask=np.ones((402, 2), dtype=bool),
        answers=np.full(402, right),
        pools={"easy": np.array([400]), "hard": np.array([401])},
        target="hard",
        test=np.arange(400),
        groups=np.arange(402).astype(object),
    )
    terms = {name: LabelTerms(Decimal(1), 0.0, "redraw") for name in ("easy", "hard")}
    world = World("one place", "hand-made", terms, Decimal(4), lambda: items)
    correct = ProbeTrainer(world, "cross_validated").correct([NOTHING])
    # 4 standard deviations of 400 draws of 1 in 2.
    assert abs(correct.sum() - 200) < 4 * np.sqrt(400 / 4)


def test_it_is_the_probe_of_each_purchase_alone() -> None:
    recipe = WorldRecipe(seed=1, pool=60, hard_pool=60, test=40, latent=8, nuisance=3, choices=3)
    world = generated_world(recipe, Condition(2, (0.2, 0.4), 200))
    items = world.items
    sets = [sold(world, seed, {"easy": 20, "hard": 7 + seed}) for seed in range(4)]
    found = ProbeTrainer(world, "cross_validated").correct([*sets, sets[0]])
    for one, row in zip(sets, found, strict=False):
        probe = fit_probe(
            items.features[one.positions], one.labels, items.mask[one.positions], PENALTIES
        )
        scores = probe.scores(items.features[items.test], items.mask[items.test])
        np.testing.assert_array_equal(row, scores.argmax(1) == items.answers[items.test])
    np.testing.assert_array_equal(found[0], found[4])


def test_the_same_training_is_done_once(axes_world: Build) -> None:
    world = axes_world()
    trainer = ProbeTrainer(world, "cross_validated")
    one = sold(world, 0, {"hard": 3})
    trainer.correct([one, one])
    trainer.correct([one])
    assert trainer.trained == 1
    assert trainer.correct([]).shape == (0, 8)


def test_no_such_rule() -> None:
    with pytest.raises(InputError, match="'guess' is unknown; choose one of cross_validated"):
        penalty_rule("guess")
