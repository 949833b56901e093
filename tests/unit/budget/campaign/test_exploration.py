"""What is bought before the plan, with trials that are drawn from a known curve."""

from typing import Any, cast

import numpy as np
import pytest

from annotation.terms.cost import mix_cost
from budget.campaign.exploration import Explored, Explorer, clean_shares
from budget.campaign.lab_evidence import MethodTrials
from budget.config.prepare import Setting, prepare
from budget.config.run import RunConfig
from budget.market.simple_rules import Mix
from budget.search.batches import training_parts
from budget.surface.observation import Observation
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed


class DrawnTrials:
    """Hard labels learn; easy ones as much, or nothing."""

    method = "probe"

    def __init__(self, setting: Setting, easy_helps: bool) -> None:
        self.setting, self.easy_helps = setting, easy_helps
        self.asked: list[Mix] = []
        self.readings_to_give: list[Reading] = []
        self.curve: list[Observation] = []
        self.rehearsed: list[tuple[list[Mix], Mix]] = []
        self.guessed_accuracy = 0.5

    def borrowed_curve(self) -> list[Observation]:
        return self.curve

    def rehearse(self, mixes: list[Mix], bought: Mix) -> list[list[Rehearsed]]:
        self.rehearsed.append((list(mixes), dict(bought)))
        return [[Rehearsed(self.guessed_accuracy, 0.0, 0.0)] for _ in mixes]

    def readings(self) -> list[Reading]:
        return self.readings_to_give

    def parts_of(self, bought: Mix) -> list[Observation]:
        self.asked.append(dict(bought))
        strata = self.setting.strata
        had = np.array([bought[name] for name in strata])
        found = []
        for part in training_parts(had, (0.5, 1.0)):
            mix = dict(zip(strata, part.tolist(), strict=True))
            counted = mix["hard"] + self.easy_helps * mix["easy"]
            accuracy = 0.25 + 0.6 * counted / (counted + 60)
            rng = np.random.default_rng(part)
            items = rng.random((4, int(self.setting.on_target.sum()))) < accuracy
            found.append(Observation(mix, items, float((part / np.maximum(had, 1)).max())))
        return found


def campaign(
    rounds: int, easy_helps: bool = True, test_items: int = 100
) -> tuple[Setting, DrawnTrials, Explorer]:
    sections: dict[str, Any] = {
        "items": {"source": "workshop", "size": 1500},
        "strata": {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5},
        "annotators": {"easy": {"error_rate": 0.0}, "hard": {"error_rate": 0.0}},
        "budget": {"total": 400},
        "pilot": {"labels": 16, "rounds": rounds},
        "test": {"items": test_items, "other_items": 15},
    }
    setting = prepare(RunConfig.model_validate(sections))
    trials = DrawnTrials(setting, easy_helps)
    untrained = np.zeros((1, 100), dtype=bool)
    return setting, trials, Explorer(setting, cast(MethodTrials, trials), untrained)


def total(explored: Explored) -> Mix:
    names = explored.bought
    return {name: sum(own.labels[name] for own in explored.rounds) for name in names}


def test_one_round_is_the_pilot_alone() -> None:
    _, trials, explorer = campaign(1)
    explored = explorer.explore()
    assert trials.asked == [{"easy": 16, "hard": 16}]
    assert explored.bought == {"easy": 16, "hard": 16}
    assert [own.expected_gain for own in explored.rounds] == [None]
    assert explored.rounds[0].cost == 48


@pytest.mark.parametrize("easy_helps", [True, False])
def test_rounds_go_on_from_what_was_bought_within_the_budget(easy_helps: bool) -> None:
    setting, trials, explorer = campaign(3, easy_helps)
    explored = explorer.explore()
    assert 2 <= len(explored.rounds) <= 3
    assert explored.rounds[0].labels == {"easy": 16, "hard": 16}
    assert all(own.expected_gain is not None for own in explored.rounds[1:])
    assert total(explored) == explored.bought == trials.asked[-1]
    assert len(trials.asked) == len(explored.rounds)
    assert mix_cost(explored.bought, setting.terms) < setting.budget
    assert explored.surface.clean == clean_shares(setting)


def test_what_unlabelled_items_say_is_kept_and_believed() -> None:
    """Read is that easy labels pull hardly at all: the surface says so from the pilot on."""
    pulls = []
    for scatter in (1.001, 2.0):
        setting, trials, _ = campaign(1)
        trials.readings_to_give = [
            Reading(1.0, 1.0, {"easy": scatter}, {"easy": 0.5}, {"easy": 0.01})
        ]
        explorer = Explorer(setting, cast(MethodTrials, trials), np.zeros((1, 100), dtype=bool))
        explored = explorer.explore()
        assert set(explored.separations) == {"easy"}
        found = dict(zip(explored.surface.parameter_names, explored.surface.draws.T, strict=True))
        pulls.append(float((found["signal_easy"] * found["alignment_easy"]).mean()))
    assert pulls[0] < 0.6 < pulls[1]


def test_another_method_learns_from_the_same_labels() -> None:
    setting, _, explorer = campaign(3)
    explored = explorer.explore()
    other = DrawnTrials(setting, easy_helps=False)
    learnt = Explorer(
        setting, cast(MethodTrials, other), np.zeros((1, 100), dtype=bool)
    ).learn_from(explored)
    assert other.asked == [explored.bought]
    assert (learnt.rounds, learnt.bought) == (explored.rounds, explored.bought)


def lent(setting: Setting, labels: int, accuracy: float) -> Observation:
    items = int(setting.on_target.sum())
    correct = np.broadcast_to(np.arange(items) < items * accuracy, (4, items))
    return Observation({}, correct, 0.0, borrowed=labels)


@pytest.mark.parametrize("sound", [True, False])
def test_purchases_are_rehearsed_where_the_control_is_sound(sound: bool) -> None:
    setting, trials, _ = campaign(1, test_items=200)
    trials.curve = [lent(setting, 16, 0.4), lent(setting, 64, 0.5 if sound else 0.8)]
    explorer = Explorer(setting, cast(MethodTrials, trials), np.zeros((1, 200), dtype=bool))
    assert trials.rehearsed == [([{"hard": 64}], {})]
    explored = explorer.explore()
    assert explored.control is not None and explored.control.sound == sound
    # 400 less 48 for the pilot buys 352 easy or 176 hard labels more, as far as items go.
    easy = min(16 + 352, setting.capacity["easy"])
    hard = min(16 + 176, setting.capacity["hard"]) // 2
    wanted = [{"easy": easy}, {"easy": easy // 2, "hard": hard}]
    assert trials.rehearsed[1:] == ([(wanted, explored.bought)] if sound else [])
    assert [own.labels for own in explored.rehearsals] == (wanted if sound else [])
