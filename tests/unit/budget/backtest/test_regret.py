from collections.abc import Callable

import numpy as np
import pytest

from budget.backtest.play_world import Campaigns, PlayedWorld
from budget.backtest.regret import side_of_best, summarise, world_summary
from budget.backtest.truth import Truth
from budget.campaign.play import Forecast
from budget.worlds.world import World

Build = Callable[..., World]

HARD, MIX, EASY = {"easy": 0, "hard": 4}, {"easy": 4, "hard": 2}, {"easy": 8, "hard": 0}


@pytest.fixture
def played(axes_world: Build) -> PlayedWorld:
    truth = Truth([HARD, MIX, EASY], np.array([[0.8, 0.7], [0.9, 0.82], [0.6, 0.5]]))
    planner = Campaigns(
        mixes=[HARD, EASY],
        accuracy=[0.8, 0.5],
        spent=[1.0, 0.5],
        forecasts=[Forecast(0.75, 0.7, 0.8, 0.3), Forecast(0.7, 0.6, 0.8, 0.9)],
        seconds=3.0,
    )
    even = Campaigns([MIX, MIX], [0.9, 0.82], [1.0, 1.0], [None, None], 0.0)
    return PlayedWorld(axes_world(), truth, 1.0, {"planner": planner, "even": even})


def test_regret_of_one_world(played: PlayedWorld) -> None:
    world = world_summary(played)
    assert world.best == pytest.approx(0.86)
    assert world.best_mix == MIX
    assert (world.all_easy, world.all_hard) == pytest.approx((0.55, 0.75))
    assert world.kind == "mix"
    planner, even = world.policies
    assert planner.regret == pytest.approx(0.86 - 0.65)
    assert planner.right_side == 0.5  # hard was the better side, once it was taken
    assert planner.easy_spend == 0.5
    assert planner.named_side == 0.5  # hard was held better in the first market alone
    assert even.named_side is None
    assert world.side_of_best == 0.5  # the mix costs as much of both
    assert (planner.covered, planner.forecasts) == (0.5, 2)
    assert planner.interval_width == pytest.approx(0.15)
    assert planner.money_left == pytest.approx(0.25)
    assert planner.seconds_per_campaign == 1.5
    assert even.regret == pytest.approx(0.0)
    assert even.right_side == 0.5  # the same money on both
    assert even.covered is None


def test_regret_is_over_the_markets_that_were_played(played: PlayedWorld) -> None:
    once = Campaigns([EASY], [0.6], [1.0], [None], 0.0)
    own = PlayedWorld(played.world, played.truth, 0.0, {"planner": once})
    assert world_summary(own).policies[0].regret == pytest.approx(0.9 - 0.6)


@pytest.mark.parametrize(
    ("hard", "mix", "easy", "kind"),
    [
        (0.70, 0.705, 0.60, "hard"),
        (0.60, 0.70, 0.70, "easy"),
        (0.70, 0.72, 0.60, "mix"),
        (0.70, 0.70, 0.695, "equal"),
    ],
)
def test_kinds_of_world(
    played: PlayedWorld, hard: float, mix: float, easy: float, kind: str
) -> None:
    accuracy = np.repeat([[hard], [mix], [easy]], 2, axis=1)
    own = PlayedWorld(played.world, Truth([HARD, MIX, EASY], accuracy), 0.0, {})
    assert world_summary(own).kind == kind


def test_no_side_is_right_where_both_are_alike(played: PlayedWorld) -> None:
    alike = Truth([HARD, MIX, EASY], np.full((3, 2), 0.7))
    own = PlayedWorld(played.world, alike, 0.0, dict(played.campaigns))
    summary = world_summary(own)
    assert summary.policies[0].right_side is None
    assert summary.policies[0].named_side is None
    assert summary.side_of_best is None


def test_policies_are_compared_in_pairs(played: PlayedWorld) -> None:
    world = world_summary(played)
    shifted = world.model_copy(
        update={
            "name": "another",
            "policies": [
                own.model_copy(update={"regret": own.regret + 0.1}) for own in world.policies
            ],
        }
    )
    planner, even = summarise([world, shifted])
    assert planner.regret_more_than_planner is None
    assert planner.regret.estimate == pytest.approx(0.26)
    assert planner.coverage == 0.5
    assert even.coverage is None
    # Regrets differ between worlds, their differences do not: the paired interval has no width.
    more = even.regret_more_than_planner
    assert more is not None
    assert (more.estimate, more.low, more.high) == pytest.approx((-0.21, -0.21, -0.21))
    assert even.regret.low == pytest.approx(0.0)
    assert even.regret.high == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("mix", "side"),
    [
        ({"easy": 5, "hard": 2}, 0.5),  # 5 and 4: one easy label more, and none can be split
        ({"easy": 6, "hard": 2}, 0.6),
        ({"easy": 1, "hard": 0}, 1.0),
        ({"easy": 0, "hard": 0}, 0.5),
    ],
)
def test_as_much_on_both_as_whole_labels_allow_is_no_side(
    played: PlayedWorld, mix: dict[str, int], side: float
) -> None:
    once = Campaigns([mix], [0.6], [1.0], [None], 0.0)
    own = PlayedWorld(played.world, played.truth, 0.0, {"planner": once})
    assert world_summary(own).policies[0].easy_spend == side


def test_worlds_in_which_no_side_is_named_do_not_count(played: PlayedWorld) -> None:
    """Forecasts of an older journal say nothing of sides."""
    world = world_summary(played)
    silent = Campaigns([HARD], [0.8], [1.0], [Forecast(0.75, 0.7, 0.8)], 0.0)
    other = PlayedWorld(played.world, played.truth, 0.0, {"planner": silent})
    silent_world = world_summary(other).model_copy(update={"name": "another"})
    summary = summarise([world, silent_world])[0]
    assert (summary.right_side_worlds, summary.named_side_worlds) == (2, 1)
    assert side_of_best([world]) == 0.5
