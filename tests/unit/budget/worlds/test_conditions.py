from decimal import Decimal

import pytest

from budget.worlds.conditions import Condition, all_conditions


def test_the_grid_is_whole() -> None:
    conditions = all_conditions()
    assert len(conditions) == len({own.name for own in conditions})
    assert len(conditions) == 4 * 6 * 3 + 4 * 4 * 2 + 2 * 4 * 2
    first = conditions[:72]
    assert {own.budget for own in first} == {200, 600, 2000}
    assert {own.error_rates[1] for own in first} == {0.0, 0.2, 0.4, 0.6}


def test_further_terms_come_after_the_grid() -> None:
    further, last = all_conditions()[72:104], all_conditions()[104:]
    assert {own.budget for own in further} == {350, 1000}
    assert {own.cost_ratio for own in further} == {1, 2, 3, 6}
    assert {own.budget for own in last} == {450, 1500}
    assert {own.cost_ratio for own in last} == {5, 8}


def test_strata_between_lie_evenly_between() -> None:
    terms = Condition(4, (0.1, 0.4), 600).terms(("easy", "medium1", "medium2", "hard"))
    assert [own.cost for own in terms.values()] == [Decimal(cost) for cost in "1234"]
    assert [own.error_rate for own in terms.values()] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    thirds = Condition(2, (0.0, 0.0), 600).terms(("easy", "medium1", "medium2", "hard"))
    assert [str(own.cost) for own in thirds.values()] == ["1", "1.33", "1.67", "2"]


def test_one_stratum_is_no_choice() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Condition(2, (0.0, 0.0), 600).terms(("hard",))
