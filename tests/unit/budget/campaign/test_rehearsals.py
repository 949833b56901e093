from decimal import Decimal

import numpy as np
import pytest

from annotation.terms.cost import LabelTerms
from budget.campaign.rehearsals import CampaignRehearsals, control_point
from budget.market.market import Market
from budget.surface.observation import Observation
from tests.markets import standing_at
from training.unlabelled.told import Rehearsed

STRATA = ("easy", "medium", "hard")


def lent(size: int, accuracy: float, items: int = 200) -> Observation:
    correct = (np.arange(items) < items * accuracy)[None]
    return Observation(labels={}, correct=correct, pilot_share=0.0, borrowed=size)


CURVE = [lent(8, 0.5), lent(64, 0.6), lent(256, 0.65), lent(800, 0.7)]


def position(bought: dict[str, int], money: str = "100") -> Market:
    costs = {"easy": "1", "medium": "1", "hard": "2"}
    terms = {name: LabelTerms(Decimal(costs[name]), 0.0, "redraw") for name in STRATA}
    return standing_at(
        STRATA, terms, {"easy": 300, "medium": 60, "hard": 500}, bought, Decimal(money)
    )


def told(accuracy: float, surprise: float = 0.0) -> list[Rehearsed]:
    return [Rehearsed(accuracy, surprise, 0.0)]


@pytest.fixture
def rehearsals() -> CampaignRehearsals:
    return CampaignRehearsals(CURVE[1], told(0.59), 0.4)


def test_the_control_is_as_large_as_items_and_curve_allow() -> None:
    _, small, large, _ = CURVE
    found = [control_point(CURVE, for_sale) for for_sale in (63, 64, 255, 256, 5000)]
    assert found == [None, small, small, large, large]
    assert control_point([], 500) is None
    assert control_point([lent(64, 0.6, items=199)], 500) is None


def test_nothing_is_rehearsed_without_a_sound_control() -> None:
    there = position({"easy": 100, "medium": 50, "hard": 10})
    unsound = CampaignRehearsals(CURVE[1], told(0.5), 0.4)  # ten points below 64 lent labels
    assert unsound.control is not None and not unsound.control.sound
    untold = CampaignRehearsals(CURVE[1], told(0.59), 0.55)  # 5 points above guessing
    assert untold.control is not None and not untold.control.telling
    for own in (unsound, untold, CampaignRehearsals(), CampaignRehearsals(CURVE[1], [])):
        assert own.wanted(there, "hard") == {}
        assert own.found == []


def test_what_the_money_still_buys_and_half_of_it_beside_the_target(
    rehearsals: CampaignRehearsals,
) -> None:
    """Easy: 40 + 100. Medium: 20, and 40 are left of 60. Hard: 4 + 50, of which half."""
    there = position({"easy": 40, "medium": 20, "hard": 4})
    assert rehearsals.wanted(there, "hard") == {
        "easy": [{"easy": 140}, {"easy": 70, "hard": 27}],
        "medium": [{"medium": 60}, {"medium": 30, "hard": 27}],
    }
    few = position({"easy": 15, "hard": 4})
    assert rehearsals.wanted(few, "hard") == {}
    poor = position({"easy": 40}, money="3")
    assert rehearsals.wanted(poor, "hard") == {"easy": [{"easy": 43}]}


def test_results_are_told_apart_and_kept_until_labels_have_grown(
    rehearsals: CampaignRehearsals,
) -> None:
    bought = {"easy": 40, "medium": 20, "hard": 4}
    wanted = rehearsals.wanted(position(bought), "hard")
    rehearsals.learn(wanted, [told(a) for a in (0.61, 0.62, 0.63, 0.64)], bought)
    assert [(own.labels, own.accuracy) for own in rehearsals.found] == [
        ({"easy": 140}, 0.61),
        ({"easy": 70, "hard": 27}, 0.62),
        ({"medium": 60}, 0.63),
        ({"medium": 30, "hard": 27}, 0.64),
    ]
    grown = {"easy": 59, "medium": 30, "hard": 4}
    again = rehearsals.wanted(position(grown), "hard")
    assert list(again) == ["medium"]
    rehearsals.learn(again, [told(0.7), told(0.7, surprise=9.0)], grown)
    assert [own.accuracy for own in rehearsals.found] == [0.61, 0.62, 0.7]


def test_as_many_results_as_were_wanted(rehearsals: CampaignRehearsals) -> None:
    bought = {"easy": 40}
    wanted = rehearsals.wanted(position(bought), "hard")
    with pytest.raises(ValueError, match="shorter"):
        rehearsals.learn(wanted, [told(0.6)], bought)
    with pytest.raises(ValueError, match="no control"):
        CampaignRehearsals().learn(wanted, [], bought)
