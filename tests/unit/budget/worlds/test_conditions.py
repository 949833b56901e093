from decimal import Decimal

import pytest

from budget.worlds.conditions import Condition, all_conditions


def test_the_grid_is_whole() -> None:
    conditions = all_conditions()
    assert len(conditions) == len(set(conditions)) == 4 * 6 * 3
    assert len({own.name for own in conditions}) == 72


def test_strata_between_lie_evenly_between() -> None:
    terms = Condition(4, (0.1, 0.4), 600).terms(("easy", "medium1", "medium2", "hard"))
    assert [own.cost for own in terms.values()] == [Decimal(cost) for cost in "1234"]
    assert [own.error_rate for own in terms.values()] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    thirds = Condition(2, (0.0, 0.0), 600).terms(("easy", "medium1", "medium2", "hard"))
    assert [str(own.cost) for own in thirds.values()] == ["1", "1.33", "1.67", "2"]


def test_one_stratum_is_no_choice() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Condition(2, (0.0, 0.0), 600).terms(("hard",))
