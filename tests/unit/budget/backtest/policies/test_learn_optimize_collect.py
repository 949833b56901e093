from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.additive_power_laws import AdditivePowerLaws
from budget.backtest.policies.learn_optimize_collect import (
    LearnOptimizeCollect,
    best_purchase,
    forecast,
)
from budget.backtest.trainer import ProbeTrainer
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World
from tests.unit.budget.backtest.subsets import subsets_of

Build = Callable[..., World]
SMALL = WorldRecipe(seed=4, pool=400, hard_pool=400, test=200, latent=8, nuisance=2)


def laws(*gains: tuple[float, float]) -> AdditivePowerLaws:
    """A law for each pair of gains, of which n labels reach n / (n + 1)."""
    return AdditivePowerLaws(
        base=np.full(len(gains), 0.5),
        gains=np.array(gains),
        decays=np.full((len(gains), 2), 1.0),
        residual=np.zeros(len(gains)),
    )


def test_the_largest_expected_score_is_bought(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    assert best_purchase(laws((0.4, 0.0)), market, 1.0).tolist() == [8, 0]
    assert best_purchase(laws((0.0, 0.4)), market, 1.0).tolist() == [0, 4]
    # .2 (8 / 9 + 0), .2 (2 / 3 + 3 / 4), .2 (4 / 5 + 2 / 3), .2 (6 / 7 + 1 / 2): 4 easy, 2 hard
    assert best_purchase(laws((0.2, 0.2)), market, 1.0).tolist() == [4, 2]
    # Two draws that disagree count by what each gains.
    assert best_purchase(laws((0.4, 0.0), (0.0, 0.05)), market, 1.0)[0] > 4


def test_a_target_makes_it_careful(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    # Easy labels give much or nothing, hard ones .5 * 4 / 5 for sure.
    # In the mean .6 (4 / 5) + .5 (2 / 3) is best, but where easy gives nothing it misses .9.
    unsure = laws((0.9, 0.5), (0.0, 0.5), (0.9, 0.5))
    assert best_purchase(unsure, market, 2.0).tolist() == [4, 2]
    assert best_purchase(unsure, market, 0.9).tolist() == [0, 4]


def test_a_target_in_reach_costs_no_more_than_it_must(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    # .5 + .4 * 4 / 5 = .82 with 4 easy labels; the cheapest candidate with so many has 1 hard.
    assert best_purchase(laws((0.4, 0.0)), market, 0.82).tolist() == [4, 1]


def test_rounds_spend_evenly() -> None:
    world = generated_world(SMALL, Condition(1, (0.0, 0.0), 400))
    market = campaign_in(world, seed=0)
    policy = LearnOptimizeCollect(rounds=3)
    play, spent = policy.play(market), []
    subsets = subsets_of(next(play))
    assert market.bought == {"easy": 50, "hard": 50}  # a quarter of the money
    rng = np.random.default_rng(0)
    expected = None
    while expected is None:
        spent.append(int(market.cost))
        labels = np.array([sum(own.size for own in one.values()) for one in subsets])
        right = rng.random((len(labels), 200)) < (0.9 - 0.4 / np.sqrt(labels))[:, None]
        try:
            subsets = subsets_of(play.send(right))
        except StopIteration as stop:
            expected = stop.value
    assert market.rounds == 4  # the pilot and three more
    np.testing.assert_allclose([*spent, int(market.cost)], [100, 200, 300, 400], atol=2)
    assert expected.low < expected.mean < expected.high
    # Trained after a round: each alone and both, at half (twice) and at all of it.
    assert len(subsets) == 9


def test_the_forecast_holds_the_scatter() -> None:
    known = AdditivePowerLaws(
        np.full(4000, 0.6), np.zeros((4000, 2)), np.ones((4000, 2)), np.full(4000, 0.05)
    )
    sides = np.array([[20, 0], [0, 10]])
    told = forecast(known, np.array([10, 10]), sides, np.random.default_rng(0))
    assert told.mean == pytest.approx(0.6, abs=0.005)
    assert told.high - told.low == pytest.approx(2 * 1.645 * 0.05, rel=0.1)
    assert told.easy_better == 0.5  # nothing is gained by labels of either stratum


def test_the_forecast_says_which_side_is_better() -> None:
    gains = np.array([[0.3, 0.1], [0.1, 0.3], [0.2, 0.1], [0.3, 0.2]])
    known = AdditivePowerLaws(np.full(4, 0.5), gains, np.ones((4, 2)), np.full(4, 0.01))
    told = forecast(known, np.array([5, 5]), np.array([[10, 0], [0, 10]]), np.random.default_rng(0))
    assert told.easy_better == 0.75


@pytest.mark.parametrize(
    ("transfer", "condition", "side"),
    [
        (0.0, Condition(1, (0.0, 0.0), 400), "hard"),
        (1.0, Condition(4, (0.0, 0.6), 400), "easy"),
    ],
)
def test_the_obvious_side_is_found(transfer: float, condition: Condition, side: str) -> None:
    world = generated_world(replace(SMALL, transfer=transfer), condition)
    markets = [campaign_in(world, seed) for seed in range(6)]
    forecasts = play_in_world(LearnOptimizeCollect(), markets, ProbeTrainer(world, "per_size"))
    spent = [float(own.bought[side] * own.terms[side].cost / own.budget) for own in markets]
    assert sum(share > 0.5 for share in spent) >= 5
    assert all(own.money_left < own.terms["hard"].cost for own in markets)
    assert all(own is not None and 0 <= own.low <= own.high <= 1 for own in forecasts)


def test_without_money_for_a_pilot_it_is_spent_equally(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    trainer = ProbeTrainer(axes_world(), "per_size")
    assert play_in_world(LearnOptimizeCollect(), [market], trainer) == [None]
    assert market.bought == {"easy": 4, "hard": 2}


def test_what_changes_decisions_is_in_the_repr() -> None:
    text = repr(LearnOptimizeCollect(rounds=3, target=0.8))
    assert all(own in text for own in ("PilotDesign(", "rounds=3", "draws=100", "target=0.8"))


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"draws": 0}])
def test_no_rounds(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LearnOptimizeCollect(**wrong)  # type: ignore[arg-type]
