from collections.abc import Callable

import numpy as np
import pytest

from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import Scores, Truth, grid_mixes
from budget.worlds.world import World

Build = Callable[..., World]


def test_the_grid_holds_both_ends_and_each_mix_once(axes_world: Build) -> None:
    mixes = grid_mixes(axes_world(budget="8"))
    counts = [(mix["easy"], mix["hard"]) for mix in mixes]
    assert counts[0] == (0, 4)
    assert counts[-1] == (8, 0)
    assert (4, 2) in counts
    assert len(set(counts)) == len(counts)
    assert all(easy + 2 * hard <= 8 for easy, hard in counts)


def test_the_grid_ends_with_the_pools(axes_world: Build) -> None:
    mixes = grid_mixes(axes_world(budget="40"))
    assert max(mix["easy"] for mix in mixes) == 12
    assert max(mix["hard"] for mix in mixes) == 10


def test_the_best_mix_and_the_luck_of_it() -> None:
    #                              seeds:   0    1    2    3     mean
    accuracy = np.array([[0.9, 0.5, 0.9, 0.5], [0.6, 0.8, 0.6, 0.7], [0.6, 0.6, 0.6, 0.6]])
    truth = Truth([{"easy": 0}, {"easy": 1}, {"easy": 2}], accuracy)
    assert truth.mean() == pytest.approx([0.7, 0.675, 0.6])
    assert truth.best == 0
    # Even seeds choose mix 0, worth .5 on odd ones; odd seeds choose mix 1, worth .6 on even ones.
    assert truth.optimism() == pytest.approx(0.7 - 0.55)


def test_what_is_said_of_the_best_mix_is_said_of_all_that_are_as_good() -> None:
    accuracy = np.array([[0.5, 0.75], [0.75, 0.5], [0.25, 0.25]])
    truth = Truth([{"easy": 0}, {"easy": 1}, {"easy": 2}], accuracy)
    assert (truth.best, truth.all_best) == (0, [0, 1])
    level = Truth(truth.mixes, np.array([[0.5, 0.7], [0.5, 0.3], [0.2, 0.2]]))
    # By the first market two mixes are best, .7 and .3 in the second; by the second one, .5.
    assert level.optimism() == pytest.approx(0.6 - (0.5 + 0.5) / 2)


def test_a_mix_in_a_market_is_trained_once(axes_world: Build) -> None:
    world = axes_world()
    trainer = ProbeTrainer(world, "cross_validated")
    scores = Scores(world, trainer)
    wanted = [({"easy": 8, "hard": 0}, 0), ({"easy": 8}, 0), ({"hard": 1}, 0)]
    assert sum(scores.measure(wanted)) == 2
    assert sum(scores.measure(wanted)) == 0
    # Easy labels tell nothing of hard items: every answer is drawn.
    test = world.items.test
    drawn = world.items.tie_draws[test].argmax(1) == world.items.answers[test]
    assert scores.of({"easy": 8}, 0) == drawn.mean()
    assert scores.of({"hard": 1}, 0) == 1.0
    with pytest.raises(KeyError):
        scores.of({"hard": 2}, 0)


def test_what_was_measured_before_is_taken_over(axes_world: Build) -> None:
    world = axes_world()
    scores = Scores(world, ProbeTrainer(world, "cross_validated"))
    scores.know([{"easy": 1, "hard": 1}], [4, 5], np.array([[0.25, 0.75]]))
    assert scores.of({"hard": 1, "easy": 1}, 5) == 0.75
