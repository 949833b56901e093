"""What a run's planner buys before the plan, with trials that are drawn from a known curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.terms.cost import mix_cost
from budget.backtest.policies.registry import POLICIES, RUN_DEFAULTS
from budget.campaign.campaign import Campaign
from budget.campaign.planner import Explored, Planner, Round
from budget.campaign.play import (
    Borrowing,
    Parts,
    Playing,
    Rehearsing,
    Told,
    Unlabelled,
    Wanted,
    play,
)
from budget.campaign.run import campaign_of, planner_of
from budget.config.prepare import Setting, prepare
from budget.config.run import RunConfig
from budget.market.simple_rules import Mix
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed


class DrawnEvidence:
    """Hard labels learn; easy ones as much, or nothing. `lent` says what lent labels score."""

    def __init__(
        self, easy_helps: bool = True, test_items: int = 100, lent: dict[int, float] | None = None
    ) -> None:
        self.easy_helps, self.test_items, self.lent = easy_helps, test_items, lent or {}
        self.asked: list[Mix] = []
        self.readings: list[Reading] = []
        self.rehearsed: list[tuple[list[Mix], Mix]] = []
        self.guessed_accuracy = 0.5

    def answers(self, asked: Sequence[tuple[Campaign, Wanted]]) -> list[Told]:
        return [self._told(*own) for own in asked]

    def _told(self, campaign: Campaign, wanted: Wanted) -> Told:
        match wanted:
            case Unlabelled():
                return self.readings
            case Rehearsing():
                mixes = [dict(mix) for mix in wanted.mixes]
                self.rehearsed.append((mixes, campaign.bought))
                return [[Rehearsed(self.guessed_accuracy, 0.0, 0.0)] for _ in mixes]
            case Parts():
                self.asked.append(campaign.bought)
                return np.concatenate([self._correct(mix, wanted.seeds) for mix in wanted.mixes])
            case _:
                return np.stack([self._lent(own) for own in wanted])

    def _correct(self, mix: Mix, seeds: int) -> NDArray[np.bool_]:
        counted = mix.get("hard", 0) + self.easy_helps * mix.get("easy", 0)
        rng = np.random.default_rng([mix.get("easy", 0), mix.get("hard", 0)])
        accuracy = 0.25 + 0.6 * counted / (counted + 60)
        return np.asarray(rng.random((seeds, self.test_items)) < accuracy)

    def _lent(self, lesson: object) -> NDArray[np.bool_]:
        assert isinstance(lesson, Borrowing)
        accuracy = self.lent.get(lesson.count, 0.4)
        return np.asarray(np.arange(self.test_items) < self.test_items * accuracy)


def run_of(rounds: int, test_items: int = 100, **pilot: Any) -> Setting:
    sections: dict[str, Any] = {
        "items": {"source": "workshop", "size": 1500},
        "strata": {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5},
        "annotators": {"easy": {"error_rate": 0.0}, "hard": {"error_rate": 0.0}},
        "budget": {"total": 400},
        "pilot": {"labels": 16, "rounds": rounds, "seeds": 4} | pilot,
        "test": {"items": test_items, "other_items": 15},
    }
    return prepare(RunConfig.model_validate(sections))


def play_one(playing: Playing[Explored], campaign: Campaign, evidence: DrawnEvidence) -> Explored:
    (explored,) = play([playing], [campaign], evidence)
    return explored


def explore(setting: Setting, evidence: DrawnEvidence) -> tuple[Explored, Campaign]:
    campaign = campaign_of(setting, None)
    planner = planner_of(setting.config, "probe")
    rng = np.random.default_rng(0)
    return play_one(planner.explore(campaign, rng), campaign, evidence), campaign


def total(explored: Explored) -> Mix:
    names = explored.bought
    return {name: sum(own.labels.get(name, 0) for own in explored.rounds) for name in names}


ALONE = {"borrow": False, "read": False}


def test_one_round_is_the_pilot_alone() -> None:
    evidence = DrawnEvidence()
    explored, campaign = explore(run_of(1, **ALONE), evidence)
    assert evidence.asked == [{"easy": 16, "hard": 16}]
    assert explored.bought == {"easy": 16, "hard": 16}
    assert explored.rounds == (Round({"easy": 16, "hard": 16}, None),)
    assert campaign.cost == 48


@pytest.mark.parametrize("easy_helps", [True, False])
def test_rounds_go_on_from_what_was_bought_within_the_budget(easy_helps: bool) -> None:
    setting, evidence = run_of(3, **ALONE), DrawnEvidence(easy_helps)
    explored, campaign = explore(setting, evidence)
    assert 2 <= len(explored.rounds) <= 3
    assert explored.rounds[0].labels == {"easy": 16, "hard": 16}
    assert all(own.gain is not None for own in explored.rounds[1:])
    assert total(explored) == explored.bought == evidence.asked[-1]
    assert len(evidence.asked) == len(explored.rounds)
    assert mix_cost(explored.bought, setting.lab.terms) < setting.budget
    assert explored.surface.clean == setting.lab.clean_shares(1)
    assert campaign.money_left == setting.budget - campaign.cost


def test_what_unlabelled_items_say_is_kept_and_believed() -> None:
    """Read is that easy labels pull hardly at all: the surface says so from the pilot on."""
    pulls = []
    for scatter in (1.001, 2.0):
        evidence = DrawnEvidence()
        evidence.readings = [Reading(1.0, 1.0, {"easy": scatter}, {"easy": 0.5}, {"easy": 0.01})]
        explored, _ = explore(run_of(1, borrow=False, read=True), evidence)
        assert set(explored.separations) == {"easy"}
        found = dict(zip(explored.surface.parameter_names, explored.surface.draws.T, strict=True))
        pulls.append(float((found["signal_easy"] * found["alignment_easy"]).mean()))
    assert pulls[0] < 0.6 < pulls[1]


def test_another_method_learns_from_the_same_labels() -> None:
    setting = run_of(3, **ALONE)
    explored, _ = explore(setting, DrawnEvidence())
    other, campaign = DrawnEvidence(easy_helps=False), campaign_of(setting, None)
    planner, rng = planner_of(setting.config, "probe"), np.random.default_rng(0)
    learnt = play_one(planner.learn_from(campaign, explored.rounds, rng), campaign, other)
    assert other.asked == [explored.bought] == [campaign.bought]
    assert (learnt.rounds, learnt.bought) == (explored.rounds, explored.bought)


@pytest.mark.parametrize("sound", [True, False])
def test_purchases_are_rehearsed_where_the_control_is_sound(sound: bool) -> None:
    setting = run_of(1, test_items=200)
    evidence = DrawnEvidence(test_items=200, lent={64: 0.5 if sound else 0.8, 128: 0.9})
    hard_items = setting.lab.capacity["hard"]
    evidence.lent |= {size: 0.5 if sound else 0.8 for size in (128, 160) if size <= hard_items}
    explored, _ = explore(setting, evidence)
    control, bought = evidence.rehearsed[0]
    assert list(control[0]) == ["hard"] and bought == {"easy": 0, "hard": 0}
    assert explored.control is not None and explored.control.sound == sound
    # 400 less 48 for the pilot buys 352 easy or 176 hard labels more, as far as items go.
    easy = min(16 + 352, setting.lab.capacity["easy"])
    hard = min(16 + 176, hard_items) // 2
    wanted = [{"easy": easy}, {"easy": easy // 2, "hard": hard}]
    assert evidence.rehearsed[1:] == ([(wanted, explored.bought)] if sound else [])
    assert [own.labels for own in explored.rehearsals] == (wanted if sound else [])


def test_the_policy_of_the_backtest_is_a_run_with_all_settings_left_out() -> None:
    smallest = {
        "items": {"source": "workshop", "size": 1500},
        "strata": {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5},
        "budget": {"total": 1000},
    }
    planner = planner_of(RunConfig.model_validate(smallest), "probe")
    policy = POLICIES[RUN_DEFAULTS]
    assert isinstance(policy, Planner)
    assert repr(policy).replace(RUN_DEFAULTS, "planner") == repr(planner)


@pytest.mark.parametrize(("budget", "labels"), [(1000, 16), (48, 16), (47, 7)])
def test_a_pilot_that_the_budget_does_not_pay_takes_half_of_it(budget: int, labels: int) -> None:
    setting = run_of(1, **ALONE)
    money = setting.config.budget.model_copy(update={"total": budget})
    poor = Setting(setting.config.model_copy(update={"budget": money}), setting.lab)
    explored, campaign = explore(poor, DrawnEvidence())
    assert explored.bought == {"easy": labels, "hard": labels}
    assert campaign.cost <= budget
