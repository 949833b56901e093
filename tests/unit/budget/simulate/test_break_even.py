import numpy as np
import pytest

from budget.simulate.break_even import break_even
from budget.simulate.result import AxisRecord


def axis(values: list[float], scale: str = "linear") -> AxisRecord:
    return AxisRecord(name="budget", label="budget", scale=scale, values=values)  # type: ignore[arg-type]


def test_on_the_straight_line_between_cells() -> None:
    (row,) = break_even(axis([0, 10, 20]), axis([1.0]), np.array([[-0.01, -0.01, 0.03]]))
    assert row.x == [pytest.approx(12.5)]
    assert row.easy_from_here == [True] and row.easy_at_the_end


def test_on_a_log_scale() -> None:
    (row,) = break_even(axis([1, 100], "log"), axis([1.0]), np.array([[0.01, -0.01]]))
    assert row.x == [pytest.approx(10)]
    assert row.easy_from_here == [False] and not row.easy_at_the_end


def test_every_crossing_and_none() -> None:
    difference = np.array([[-1.0, 1.0, -1.0], [1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]])
    rows = break_even(axis([0, 1, 2]), axis([1.0, 2.0, 3.0]), difference)
    assert [row.x for row in rows] == [[0.5, 1.5], [], []]
    assert rows[0].easy_from_here == [True, False]
    assert [row.easy_at_the_end for row in rows] == [False, True, False]
    assert [row.y for row in rows] == [1.0, 2.0, 3.0]
