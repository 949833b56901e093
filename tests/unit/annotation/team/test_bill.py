from decimal import Decimal

import pytest

from annotation.errors import InputError
from annotation.intervals import Interval
from annotation.team.bill import bill
from annotation.team.label_cost import LabelCost


def cost(amount: str, high: float | None = None, recruiting: str = "0") -> LabelCost:
    interval = Interval(float(amount), None if high is None else 0.0, high)
    return LabelCost(Decimal(amount), interval, Decimal(recruiting))


def test_wanted_labels_are_added_up() -> None:
    costs = {"easy": cost("0.10", 0.2), "hard": cost("0.333", 0.5, "500"), "medium": None}
    judged = {"easy": 10, "hard": 100, "medium": 7}
    found = bill(costs, judged, {"easy": 50, "hard": 100}, 5)
    assert found.so_far == Decimal("34.30")  # 1 + 33.3
    assert found.unknown == ("medium",)
    easy, hard = found.wanted
    assert (easy.judgments, easy.total, easy.per_label) == (250, Decimal(25), Decimal("0.5"))
    assert easy.to_be_safe == 50
    assert (hard.judgments, hard.total) == (500, Decimal("666.5"))
    assert hard.per_label == Decimal("6.67")  # 6.665, rounded up to a cent
    assert (found.total, found.to_be_safe) == (Decimal("691.5"), Decimal(800))


def test_nothing_wanted_costs_nothing() -> None:
    costs = {"easy": cost("1"), "hard": cost("2", recruiting="500")}
    judged = {"easy": 1, "hard": 2}
    assert bill(costs, judged, {}, 3).total == 0
    (none,) = bill(costs, judged, {"hard": 0}, 3).wanted
    assert none.total == none.per_label == 0
    # Without an interval the estimate has to do.
    assert bill(costs, judged, {"easy": 3}, 1).to_be_safe == 3


@pytest.mark.parametrize("name", ["hard", "absent"])
def test_a_stratum_without_cost_is_told(name: str) -> None:
    with pytest.raises(InputError, match=f"stratum '{name}' has no measured cost"):
        bill({"hard": None}, {"hard": 1}, {name: 1}, 1)


def test_what_is_known_of_no_stratum_is_not_nothing() -> None:
    found = bill({"hard": None, "easy": None}, {"hard": 1, "easy": 0}, {}, 1)
    assert found.so_far is None
    assert found.unknown == ("hard",)
