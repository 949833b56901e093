"""How much money what was done took to get as far as the plan."""

import numpy as np
import pytest

from annotation.arrays import Array
from budget.replay.result import Saving
from budget.replay.savings import money_needed, saving

MONEY = np.array([10.0, 20.0, 40.0])


def needed(curve: list[float], wanted: float) -> float:
    return float(money_needed(MONEY, np.array(curve)[:, None] - wanted)[0])


@pytest.mark.parametrize(
    ("curve", "wanted", "right"),
    [
        ([0.5, 0.7, 0.8], 0.6, 15.0),  # half of the way between two points
        ([0.5, 0.7, 0.8], 0.7, 20.0),
        ([0.5, 0.7, 0.8], 0.75, 30.0),
        ([0.5, 0.7, 0.8], 0.4, 10.0),  # at most: nothing is known below the first point
        ([0.5, 0.7, 0.8], 0.81, np.inf),
        ([0.5, 0.7, 0.6], 0.7, 20.0),  # it falls afterwards
        ([0.5, 0.5, 0.8], 0.5, 10.0),
        ([0.5, 0.5, 0.8], 0.65, 30.0),
        ([0.7, 0.6, 0.8], 0.75, 30.0),  # 0.7 had been reached before
    ],
)
def test_money_needed(curve: list[float], wanted: float, right: float) -> None:
    assert needed(curve, wanted) == pytest.approx(right)


def found(plan: float, spent: float, spread: float = 0.0) -> Saving:
    lead: Array = np.array([0.5, 0.7, 0.8]) - plan
    draws: Array = np.linspace(-spread, spread, 101, dtype=np.float64)
    return saving(MONEY.tolist(), lead.tolist(), lead[:, None] - draws, spent, 0.9)


def test_a_saving_and_a_loss() -> None:
    gain = found(plan=0.75, spent=12.0)
    assert gain.needed == pytest.approx(30.0)
    assert gain.saved.estimate == pytest.approx(18.0)
    loss = found(plan=0.6, spent=25.0)
    assert loss.saved.estimate == pytest.approx(-10.0)


def test_beyond_all_that_was_paid_no_number_is_told() -> None:
    own = found(plan=0.79, spent=12.0, spread=0.05)
    assert own.saved.low == pytest.approx(needed([0.5, 0.7, 0.8], 0.745) - 12, abs=0.5)
    assert own.saved.high is None
    assert found(plan=0.9, spent=12.0).needed is None
    assert found(plan=0.4, spent=12.0).at_most_known
