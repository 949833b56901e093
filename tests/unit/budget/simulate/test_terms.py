from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from annotation.errors import InputError
from budget.simulate.axes import read_axis
from budget.simulate.statements import Statements
from budget.simulate.task import SimulatedTask
from budget.simulate.terms import CellTerms, cell_terms, check_axes, label_counts

State = Callable[..., Statements]
MakeTask = Callable[..., SimulatedTask]


def test_axes_stand_above_what_is_stated(state: State) -> None:
    terms = cell_terms(state(), {"budget": Decimal(7), "transfer": Decimal("0.5")})
    assert terms == CellTerms(Decimal(7), Decimal(1), Fraction(1), 0.0, 0.0, 0.5)


def test_the_ratio_of_two_costs_is_exact(state: State) -> None:
    stated = state(cost_easy=3, cost_hard=1)
    del stated["cost-ratio"]
    assert cell_terms(stated, {}).cost_ratio == Fraction(1, 3)
    assert cell_terms(stated, {"cost-ratio": Decimal(2)}).cost_ratio == 2


def test_hard_errors_as_a_multiple_of_easy_ones(state: State) -> None:
    stated = state(error_easy=0.15, error_factor=2)
    del stated["error-hard"]
    assert cell_terms(stated, {}).error_hard == pytest.approx(0.3)
    assert cell_terms(stated, {"error-easy": Decimal("0.6")}).error_hard == 1.0  # not 1.2
    assert cell_terms(stated, {"error-hard": Decimal("0.4")}).error_hard == 0.4
    by_rate = state(error_easy=0.1, error_hard=0.5)
    assert cell_terms(by_rate, {"error-factor": Decimal(3)}).error_hard == pytest.approx(0.3)


def test_whole_labels_for_shares_of_the_money(make_task: MakeTask) -> None:
    """10 at 3 each for half of it: 1 easy label; the other half at 1.5 each: 3 hard ones."""
    cell = CellTerms(Decimal(10), Decimal(3), Fraction(1, 2), 0.0, 0.0, None)
    shares = np.array([[0, 10, 20]])
    counts = label_counts([cell], shares, 20, make_task({"easy": 1.0}))
    assert counts.tolist() == [[[0, 6], [1, 3], [3, 0]]]


def test_a_third_of_the_money_loses_no_label(make_task: MakeTask) -> None:
    """30 labels at a third each cost 10: decimals, or floats, would buy 29."""
    cell = CellTerms(Decimal(10), Decimal(1), Fraction(1, 3), 0.0, 0.0, None)
    counts = label_counts([cell], np.array([[0]]), 20, make_task({"easy": 1.0}))
    assert counts.tolist() == [[[0, 30]]]


def test_no_more_labels_than_there_are_items(make_task: MakeTask) -> None:
    cell = CellTerms(Decimal(100), Decimal(1), Fraction(2), 0.0, 0.0, None)
    counts = label_counts([cell], np.array([[0, 10, 20]]), 20, make_task({"easy": 1.0}, 30))
    assert counts.tolist() == [[[0, 30], [30, 25], [30, 0]]]


def test_amounts_of_any_size(make_task: MakeTask) -> None:
    cell = CellTerms(Decimal(10) ** 15, Decimal("1e-20"), Fraction(1), 0.0, 0.0, None)
    counts = label_counts([cell], np.array([[20]]), 20, make_task({"easy": 1.0}))
    assert counts.tolist() == [[[1e35, 0]]]


@pytest.mark.parametrize(
    ("x", "y"), [("budget", "budget"), ("error-hard", "error-factor"), ("transfer", "transfer")]
)
def test_two_axes_of_one_thing_are_refused(x: str, y: str) -> None:
    with pytest.raises(InputError, match=f"--x and --y both vary {x}"):
        check_axes(read_axis(x, "--x"), read_axis(y, "--y"))
