from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from budget.backtest.evidence import annotators_of, campaign_in, lender_of, play_in_world
from budget.backtest.policies.pilot import PilotDesign, run_pilot
from budget.backtest.policies.power_law import PowerLaw, extrapolate
from budget.backtest.trainer import ProbeTrainer
from budget.campaign.lent_curve import CURVE_SEEDS, lent_curve
from budget.campaign.planner import Planner
from budget.campaign.play import Borrowing
from budget.surface.observation import Observation
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World

Build = Callable[..., World]
SMALL = WorldRecipe(seed=4, pool=200, hard_pool=150, test=60, latent=8, nuisance=2, transfer=0.5)


def observed(labels: int, accuracy: float) -> Observation:
    correct = np.arange(100)[None] < round(100 * accuracy)
    return Observation({"hard": labels}, correct, 0.5)


def test_a_power_law_is_continued() -> None:
    # error = 2 / sqrt(n)
    points = [observed(25, 0.6), observed(100, 0.8)]
    assert extrapolate(points, 400) == pytest.approx(0.1)


def test_growing_errors_and_single_points_are_continued_flat() -> None:
    assert extrapolate([observed(25, 0.8), observed(100, 0.2)], 400) == pytest.approx(0.4)
    assert extrapolate([observed(25, 0.7)], 400) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("budget", "share", "labels"),
    [("30", Fraction(1, 2), 5), ("30", Fraction(1, 3), None), ("300", Fraction(1, 2), 10)],
)
def test_the_pilot_costs_its_share_at_most(
    axes_world: Build, budget: str, share: Fraction, labels: int | None
) -> None:
    mix = PilotDesign(share=share).mix(campaign_in(axes_world(budget=budget), seed=0))
    assert mix == (None if labels is None else {"easy": labels, "hard": labels})


def test_what_a_pilot_trains_on(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="30"), seed=0)
    design = PilotDesign(seeds=2)
    play = run_pilot(market, design, {"easy": 8, "hard": 8})
    subsets = [own for own in next(play) if not isinstance(own, Borrowing)]
    assert market.bought == {"easy": 8, "hard": 8}
    # Sizes 2, 4, 8: each stratum alone, then both, two seeds of each.
    sizes = [{name: own.size for name, own in subset.items()} for subset in subsets]
    assert sizes[:6:2] == [{"easy": 2}, {"hard": 2}, {"easy": 2, "hard": 2}]
    assert len(sizes) == 18
    correct = np.zeros((18, 5), dtype=bool)
    correct[17] = True
    with pytest.raises(StopIteration) as stop:
        play.send(correct)
    observations = stop.value.value
    assert [own.pilot_share for own in observations[::3]] == [0.25, 0.5, 1.0]
    assert observations[-1].labels == {"easy": 8, "hard": 8}
    assert observations[-1].accuracy == 0.5


def test_without_money_for_a_pilot_it_is_spent_equally(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    assert play_in_world(PowerLaw(), [market], ProbeTrainer(axes_world(), "per_size")) == [None]
    assert market.bought == {"easy": 4, "hard": 2}


def test_the_planner_without_money_buys_nothing_and_forecasts_nothing(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="0"), seed=0)
    trainer = ProbeTrainer(axes_world(), "per_size")
    assert play_in_world(Planner(), [market], trainer) == [None]
    assert market.bought == {"easy": 0, "hard": 0}


def test_the_curve_of_labels_that_the_test_set_lends() -> None:
    world = generated_world(SMALL, Condition(2, (0.0, 0.0), 200))
    market = campaign_in(world, 0)
    lessons = next(play := lent_curve(market))
    sizes = [8, 16, 32, 48]
    assert lessons == [Borrowing(size, seed) for size in sizes for seed in range(CURVE_SEEDS)]
    correct = ProbeTrainer(world, "per_size").correct(
        [lender_of(world, annotators_of(world)).lend(own.count, own.seed) for own in lessons]
    )
    with pytest.raises(StopIteration) as stop:
        play.send(correct)
    curve = stop.value.value
    assert [own.borrowed for own in curve] == sizes
    assert [own.scored.sum(1).tolist() for own in curve] == [
        [60 - size] * CURVE_SEEDS for size in sizes
    ]
    # What was trained on is right more often than what was not: only the latter counts.
    most = curve[-1]
    assert most.correct[~most.scored].mean() > most.accuracy + 0.05
    assert market.money_left == market.budget


def test_a_test_set_too_small_to_lend(axes_world: Build) -> None:
    with pytest.raises(StopIteration) as stop:
        next(lent_curve(campaign_in(axes_world(), seed=0)))
    assert stop.value.value == []


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_lent_labels_err_as_often_as_the_targets(axes_world: Build, rate: float) -> None:
    world = axes_world(hard=("2", rate))
    lent = lender_of(world, annotators_of(world)).lend(8, 3)
    assert set(lent.positions.tolist()) == set(world.items.test.tolist())
    right = lent.labels == world.items.answers[lent.positions]
    assert right.all() if rate == 0 else not right.all()
    fewer = lender_of(world, annotators_of(world)).lend(3, 3)
    assert fewer.positions.tolist() == lent.positions[:3].tolist()
    assert fewer.labels.tolist() == lent.labels[:3].tolist()
    scored = campaign_in(world, 0).test.scored(3, 3)
    assert set(world.items.test[~scored].tolist()) == set(fewer.positions.tolist())


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_the_planner_buys_in_so_many_rounds(rounds: int) -> None:
    world = generated_world(SMALL, Condition(2, (0.0, 0.0), 200))
    market = campaign_in(world, 0)
    play_in_world(Planner(rounds=rounds), [market], ProbeTrainer(world, "per_size"))
    assert market.rounds == rounds


def test_labels_that_harm_are_left_out_of_training() -> None:
    """Easy labels teach something else: what was bought of them to find out is not used."""
    harmful = replace(SMALL, transfer=0.0, easy_margin=2.5)
    world = generated_world(harmful, Condition(1, (0.0, 0.0), 600))
    market = campaign_in(world, 0)
    play_in_world(Planner(), [market], ProbeTrainer(world, "per_size"))
    assert market.trained["easy"] == 0
    assert market.trained["hard"] == market.bought["hard"] > 0


def test_the_planner_buys_its_plan_and_forecasts() -> None:
    world = generated_world(SMALL, Condition(2, (0.0, 0.0), 200))
    markets = [campaign_in(world, seed) for seed in range(2)]
    forecasts = play_in_world(Planner(), markets, ProbeTrainer(world, "per_size"))
    for market, forecast in zip(markets, forecasts, strict=True):
        assert forecast is not None
        assert 0 <= forecast.low < forecast.mean < forecast.high <= 1
        assert market.money_left < 2  # a hard label
        assert sum(market.trained.values()) > 0


def test_markets_played_together_are_as_played_alone() -> None:
    world = generated_world(SMALL, Condition(2, (0.2, 0.4), 200))
    together = [campaign_in(world, seed) for seed in range(3)]
    play_in_world(PowerLaw(), together, ProbeTrainer(world, "cross_validated"))
    for seed, market in enumerate(together):
        alone = campaign_in(world, seed)
        play_in_world(PowerLaw(), [alone], ProbeTrainer(world, "cross_validated"))
        assert alone.bought == market.bought


def test_money_for_two_labels_is_spent_without_training(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="2"), seed=0)
    play_in_world(Planner(), [market], ProbeTrainer(axes_world(), "per_size"))
    assert sum(market.bought.values()) in (1, 2)
