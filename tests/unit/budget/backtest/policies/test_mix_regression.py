from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.mix_regression import MixRegression, mix_features, random_mixes
from budget.backtest.trainer import ProbeTrainer
from budget.worlds.conditions import Condition
from budget.worlds.generated import WorldRecipe, generated_world
from budget.worlds.world import World
from tests.unit.budget.backtest.subsets import subsets_of

Build = Callable[..., World]
SMALL = WorldRecipe(seed=4, pool=400, hard_pool=400, test=200, latent=8, nuisance=2)


def test_features_by_hand() -> None:
    # log 4 and log 2; 3 of 4 labels are easy.
    expected = [np.log(4), np.log(2), np.log(4) ** 2, np.log(2) ** 2, 0.75, 0.75**2]
    expected.append(np.log(4) * np.log(2))
    np.testing.assert_allclose(mix_features(np.array([[3.0, 1.0]]))[0], expected)
    assert mix_features(np.zeros((1, 2))).tolist() == [[0.0] * 7]
    assert mix_features(np.ones((2, 3))).shape == (2, 13)


def test_mixes_differ_in_size_and_share() -> None:
    mixes = random_mixes(40, 2, 200, np.random.default_rng(0))
    assert mixes.shape == (200, 2)
    assert mixes.min() >= 0
    assert mixes.max() <= 40
    assert mixes.max(1).min() >= 4
    shares = mixes[:, 0] / mixes.sum(1)
    for least, most in ((0, 0.1), (0.4, 0.6), (0.9, 1)):
        assert 0.05 < ((shares >= least) & (shares <= most)).mean() < 0.5
    assert 0.2 < (mixes.max(1) < 13).mean() < 0.8  # 4 to 40, evenly by the logarithm
    assert random_mixes(2, 3, 50, np.random.default_rng(0)).max(1).min() >= 1


@pytest.mark.parametrize("scale", ["pilot", "full"])
def test_what_it_is_told_decides(scale: str) -> None:
    """Accuracies that depend on one stratum's labels alone: that stratum is bought."""
    world = generated_world(SMALL, Condition(2, (0.0, 0.0), 400))
    for side in ("easy", "hard"):
        market = campaign_in(world, seed=0)
        play = MixRegression(scale=scale).play(market)  # type: ignore[arg-type]
        subsets = subsets_of(next(play))
        assert len(subsets) == 48
        assert market.bought == {"easy": 33, "hard": 33}
        labels = np.array([own[side].size if side in own else 0 for own in subsets])
        right = np.arange(1000)[None] < (500 + 80 * np.log1p(labels))[:, None]
        with pytest.raises(StopIteration) as stop:
            play.send(right)
        assert stop.value.value is None
        other = "hard" if side == "easy" else "easy"
        assert market.bought[other] == 33
        assert market.money_left < 2


@pytest.mark.parametrize(("scale", "easy"), [("pilot", 164), ("full", 56)])
def test_the_pilots_scale_keeps_the_share(scale: str, easy: int) -> None:
    """Easy labels are told to harm from the 60th on.

    The pilot costs 100: of so much money 41 % is best spent on easy labels, where
    .04 (log 61 - log 42) / 42 = .02 / 60. Of the whole 400 it is hardly more than the pilot's 50.
    """
    world = generated_world(SMALL, Condition(1, (0.0, 0.0), 400))
    market = campaign_in(world, seed=0)
    play = MixRegression(mixes=200, scale=scale).play(market)  # type: ignore[arg-type]
    subsets = subsets_of(next(play))
    counts = np.array([[own[n].size if n in own else 0 for n in market.strata] for own in subsets])
    logs = np.log1p(counts)
    accuracy = 0.6 - 0.02 * (logs[:, 0] - np.log(61)) ** 2 + 0.02 * logs[:, 1]
    with pytest.raises(StopIteration):
        play.send(np.arange(1000)[None] < 1000 * accuracy[:, None])
    assert market.bought["easy"] == pytest.approx(easy, abs=15)
    assert market.money_left == 0


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
    forecasts = play_in_world(MixRegression(), markets, ProbeTrainer(world, "per_size"))
    spent = [float(own.bought[side] * own.terms[side].cost / own.budget) for own in markets]
    assert sum(share > 0.5 for share in spent) >= 5
    assert forecasts == [None] * 6


def test_without_money_for_a_pilot_it_is_spent_equally(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    trainer = ProbeTrainer(axes_world(), "per_size")
    assert play_in_world(MixRegression(), [market], trainer) == [None]
    assert market.bought == {"easy": 4, "hard": 2}


def test_what_changes_decisions_is_in_the_repr() -> None:
    text = repr(MixRegression(mixes=32, scale="full"))
    assert all(own in text for own in ("PilotDesign(", "mixes=32", "scale='full'"))
