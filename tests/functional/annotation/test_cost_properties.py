"""Money is never overspent, to the cent."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from annotation.terms.cost import (
    LabelTerms,
    affordable,
    mix_cost,
    money,
)

AMOUNTS = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=4)
COSTS = st.decimals("0.0001", 1000, allow_nan=False, allow_infinity=False, places=4)
LABELS = st.integers(0, 10**9)


@given(budget=AMOUNTS, cost=COSTS)
def test_affordable_is_the_largest_number_that_fits(budget: Decimal, cost: Decimal) -> None:
    labels = affordable(budget, cost)
    terms = {"easy": LabelTerms(cost, 0.0, "redraw")}
    assert mix_cost({"easy": labels}, terms) <= budget < mix_cost({"easy": labels + 1}, terms)


@given(
    costs=st.lists(COSTS, min_size=3, max_size=3), labels=st.lists(LABELS, min_size=3, max_size=3)
)
def test_mix_cost_is_the_sum_in_fractions(costs: list[Decimal], labels: list[int]) -> None:
    names = ("easy", "medium", "hard")
    terms = {n: LabelTerms(cost, 0.0, "redraw") for n, cost in zip(names, costs, strict=True)}
    expected = sum(
        (Fraction(cost) * count for cost, count in zip(costs, labels, strict=True)), Fraction(0)
    )
    assert Fraction(mix_cost(dict(zip(names, labels, strict=True)), terms)) == expected


@given(st.floats(0, 10**15).filter(lambda x: x == 0 or x > 1e-12))
def test_a_float_is_the_money_that_is_printed_for_it(value: float) -> None:
    assert str(float(money(value))) == str(value)
