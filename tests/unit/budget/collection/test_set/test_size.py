"""How many test items are recommended, what they tell, and what they cost."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.collection.test_set.size import (
    of_each_stratum,
    recommended_size,
    size_lines,
    told_size,
)


def at(price: str) -> "object":
    def most(wanted: Mapping[str, int]) -> Decimal:
        return Decimal(price) * sum(wanted.values())

    return most


def recommended(price: str, budget: str, easy: int = 2000, hard: int = 2000) -> int:
    return recommended_size({"easy": easy, "hard": hard}, "hard", at(price), Decimal(budget))  # type: ignore[arg-type]


def test_most_test_items_are_of_the_target_and_all_are_counted() -> None:
    assert of_each_stratum(100, ("easy", "hard"), "hard") == {"easy": 20, "hard": 80}
    assert of_each_stratum(50, ("easy", "middle", "hard"), "hard") == {
        "easy": 10,
        "middle": 10,
        "hard": 30,
    }


def test_the_width_falls_with_the_root_of_the_items_of_the_target() -> None:
    few = told_size({"easy": 20, "hard": 80}, "hard", Decimal(10), Decimal(100))
    many = told_size({"easy": 80, "hard": 320}, "hard", Decimal(40), Decimal(100))
    assert few.half_width == pytest.approx(1.96 * (0.8 * 0.2 / 80) ** 0.5)
    assert few.half_width == pytest.approx(2 * many.half_width)
    assert (few.items, many.share) == (100, 0.4)


@pytest.mark.parametrize(
    ("price", "budget", "size"), [(".05", "250", 300), ("1", "250", 50), (".2", "100", 100)]
)
def test_as_many_are_recommended_as_a_fifth_of_the_budget_pays_for(
    price: str, budget: str, size: int
) -> None:
    assert recommended(price, budget) == size


def test_no_more_than_a_quarter_of_a_stratum_is_tested_where_that_is_possible() -> None:
    assert recommended("0", "1", hard=330) == 100
    assert recommended("0", "1", hard=100) == 50  # 40 of 100: more than a quarter, less than half
    with pytest.raises(InputError, match="stratum 'hard' has 70 items, and a test set of 50 takes"):
        recommended("0", "1", hard=70)


def test_sizes_are_told_with_the_one_that_was_chosen() -> None:
    sizes = [
        told_size(of_each_stratum(n, ("easy", "hard"), "hard"), "hard", Decimal(n), Decimal(200))
        for n in (50, 100)
    ]
    told = size_lines(sizes, 100, "hard", "EUR")
    assert told[1] == "     50 (40 hard): within 12.4 points, 50.00 EUR, 25 % of the budget"
    assert told[2].endswith("50 % of the budget  <- this collection")
