import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters
from analysis.curves.comparisons import (
    AccuracyCurve,
    accuracy_curve,
    equal_cost_differences,
    equal_count_difference,
)
from analysis.curves.crossover import equal_cost_crossover

Numbers = list[float]
ITEMS = 100


def alone(items: int) -> ItemClusters:
    """So many items, each by itself."""
    return ItemClusters(np.arange(items).astype(object), draws=200)


def curve(costs: Numbers, means: Numbers) -> AccuracyCurve:
    """A curve of these accuracies, in whole per cent, alike for both seeds."""
    return accuracy_curve(
        [right(2, ITEMS, round(mean * ITEMS)) for mean in means], costs, alone(ITEMS)
    )


def right(seeds: int, items: int, number: int, start: int = 0) -> NDArray[np.bool_]:
    """`number` items right from `start` on, the same for every seed."""
    row = np.zeros(items, dtype=bool)
    row[start : start + number] = True
    return np.tile(row, (seeds, 1))


# -- one curve ------------------------------------------------------------------------------------


def test_a_curve_is_measured_size_by_size() -> None:
    sizes = [right(2, 10, 4), right(2, 10, 7)]
    found = accuracy_curve(sizes, [5.0, 20.0], alone(10))
    assert found.costs.tolist() == [5.0, 20.0]
    assert found.means.tolist() == [0.4, 0.7]
    assert found.point(0) == alone(10).accuracy(sizes[0])


@pytest.mark.parametrize("costs", [[5.0], [5.0, 5.0], [20.0, 5.0], [1.0, 2.0, 3.0]])
def test_costs_that_do_not_rise_with_the_sizes_are_a_mistake(costs: Numbers) -> None:
    with pytest.raises(ValueError, match="'costs' should rise and be one per size"):
        accuracy_curve([right(2, 10, 4), right(2, 10, 7)], costs, alone(10))


def test_between_sizes_lies_the_straight_line() -> None:
    line = curve([10, 20, 60], [0.4, 0.5, 0.7])
    tables = line.between(np.array([10.0, 15.0, 20.0, 30.0, 60.0]))
    assert tables.shape == (5, 2, ITEMS)
    np.testing.assert_allclose(tables.mean((1, 2)), [0.4, 0.45, 0.5, 0.55, 0.7])
    np.testing.assert_array_equal(tables[[0, 2, 4]], line.correct)  # to the bit
    assert set(tables[1, 0, 40:50].tolist()) == {0.5}  # right with 20, half of the way there


@pytest.mark.parametrize("cost", [9.9, 60.1])
def test_nothing_is_said_beyond_what_was_measured(cost: float) -> None:
    with pytest.raises(ValueError, match=r"within 10\.0 and 60\.0"):
        curve([10, 60], [0.4, 0.7]).between(np.array([20.0, cost]))


def test_a_curve_of_one_size_is_known_there_alone() -> None:
    assert curve([10], [0.4]).between(np.array([10.0])).mean((1, 2)).tolist() == [0.4]
    with pytest.raises(ValueError, match="within"):
        curve([10], [0.4]).between(np.array([11.0]))


# -- the same number of labels, the same money ----------------------------------------------------


def test_a_difference_is_paired() -> None:
    items = alone(200)
    hard = accuracy_curve([right(2, 200, 100)], [1.0], items)
    same_items = accuracy_curve([right(2, 200, 110)], [1.0], items)
    other_items = accuracy_curve([right(2, 200, 110, start=90)], [1.0], items)
    paired = equal_count_difference(same_items, hard, 0)
    drowned = equal_count_difference(other_items, hard, 0)
    assert paired.estimate == drowned.estimate == pytest.approx(0.05)
    assert paired.low is not None and paired.low > 0
    assert drowned.low is not None and drowned.low < 0


def test_a_curve_does_not_differ_from_itself() -> None:
    own = accuracy_curve([right(3, 50, 20), right(3, 50, 30)], [1.0, 2.0], alone(50))
    found = equal_count_difference(own, own, 1)
    assert (found.estimate, found.low, found.high) == (0, 0, 0)


def test_the_same_money_is_compared_where_both_lines_are_known_and_one_bends() -> None:
    easy = curve([10, 30, 40], [0.30, 0.50, 0.60])
    hard = curve([20, 36, 80], [0.20, 0.36, 0.80])
    found = equal_cost_differences(easy, hard)
    assert [cost for cost, _ in found] == [20, 30, 36, 40]
    # Easy at 20, 36: .40, .56; hard at 30, 40: .30, .40.
    expected = [0.40 - 0.20, 0.50 - 0.30, 0.56 - 0.36, 0.60 - 0.40]
    assert [difference.estimate for _, difference in found] == pytest.approx(expected)


@pytest.mark.parametrize(("easy", "hard"), [([10, 20], [21, 42]), ([50, 60], [10, 20])])
def test_where_no_money_was_spent_on_both_there_is_nothing_to_compare(
    easy: Numbers, hard: Numbers
) -> None:
    curves = curve(easy, [0.3, 0.4]), curve(hard, [0.3, 0.4])
    assert equal_cost_differences(*curves) == []
    assert equal_cost_crossover(*curves, ("easy", "hard")) is None


def test_one_common_amount_can_be_compared_but_not_crossed() -> None:
    curves = curve([10, 20], [0.3, 0.5]), curve([20, 40], [0.4, 0.6])
    [(cost, difference)] = equal_cost_differences(*curves)
    assert cost == 20
    assert difference.estimate == pytest.approx(0.1)
    assert equal_cost_crossover(*curves, ("easy", "hard")) is None
