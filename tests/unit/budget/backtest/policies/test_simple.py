from collections.abc import Callable

import pytest

from annotation.errors import InputError
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.registry import POLICIES, REFERENCE, find_policies
from budget.backtest.policies.simple import paper_rule
from budget.backtest.trainer import ProbeTrainer
from budget.worlds.world import World

Build = Callable[..., World]


@pytest.mark.parametrize(
    ("policy", "bought"),
    [
        ("all_easy", (8, 0)),
        ("all_hard", (0, 4)),
        ("equal_spend", (4, 2)),
        ("equal_counts", (2, 2)),
        ("proportional", (3, 2)),  # pools of 12 and 10 cost 32, of which 8 is a quarter
    ],
)
def test_what_each_rule_buys(axes_world: Build, policy: str, bought: tuple[int, int]) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    (forecast,) = play_in_world(
        POLICIES[policy], [market], ProbeTrainer(axes_world(), "cross_validated")
    )
    assert (market.bought["easy"], market.bought["hard"]) == bought
    assert forecast is None


@pytest.mark.parametrize(
    ("easy", "hard", "side"),
    [
        (("1", 0.0), ("1", 0.0), "hard"),  # the same terms
        (("1", 0.0), ("2", 0.0), "easy"),
        (("1", 0.2), ("1", 0.4), "easy"),
        (("1", 0.4), ("1", 0.0), "hard"),
        # Two choices: a redraw of .8 is wrong for .4. A right easy label costs 1 / .6 = 1.667.
        (("1", 0.8), ("1.66", 0.0), "hard"),
        (("1", 0.8), ("1.67", 0.0), "easy"),
    ],
)
def test_the_papers_rule(
    axes_world: Build, easy: tuple[str, float], hard: tuple[str, float], side: str
) -> None:
    mix = paper_rule(campaign_in(axes_world(easy=easy, hard=hard), seed=0))
    assert list(mix) == [side]


def test_policies_by_name() -> None:
    assert find_policies([]) == list(POLICIES.values())
    assert [own.name for own in find_policies(["all_hard", REFERENCE])] == [REFERENCE, "all_hard"]
    with pytest.raises(InputError, match="policy 'oracle' is unknown; choose from planner"):
        find_policies(["oracle"])
