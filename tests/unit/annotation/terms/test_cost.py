import dataclasses
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.terms.cost import (
    DEFAULT_TERMS,
    LabelTerms,
    affordable,
    affordable_by_shares,
    mix_cost,
    money,
    money_left,
)

TERMS = {
    "easy": LabelTerms(Decimal("0.1"), 0.0, "redraw"),
    "hard": LabelTerms(Decimal("0.35"), 0.0, "flip"),
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, "0.1"),
        (3, "3"),
        ("2.50", "2.50"),
        (Decimal("1e-30"), "1E-30"),
        (10**15, "1000000000000000"),
        (-0.0, "0.0"),
        (np.float64(0.7), "0.7"),
        (np.int64(4), "4"),
    ],
)
def test_money_is_what_is_printed(value: Any, expected: str) -> None:
    amount = money(value)
    assert isinstance(amount, Decimal)
    assert str(amount) == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-0.01, "should not be negative; got -0.01"),
        ("-2", "should not be negative; got '-2'"),
        (float("nan"), "should be a finite number; got nan"),
        (float("inf"), "should be a finite number; got inf"),
        (Decimal("sNaN"), "should be a finite number"),
        ("two", "should be a number; got 'two'"),
        ("", "should be a number; got ''"),
        (True, "should be a number; got True"),
        (None, "should be a number; got None"),
        (Fraction(1, 3), "should be a number; got Fraction"),
        ("1e16", "at most 1000000000000000 with at most 30 decimal places; got '1e16'"),
        ("1e-31", "at most 30 decimal places; got '1e-31'"),
    ],
)
def test_what_is_no_money_is_named(value: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        money(value)
    assert problem in str(caught.value)


def test_mix_cost_is_exact() -> None:
    assert mix_cost({"easy": 3, "hard": 2}, TERMS) == Decimal("1.0")
    three: Any = np.int64(3)
    assert mix_cost({"easy": three}, TERMS) == Decimal("0.3")  # 0.1 * 3 > 0.3 in floats
    assert mix_cost({}, TERMS) == 0


def test_mix_cost_at_the_limits_is_exact() -> None:
    terms = {
        "easy": LabelTerms(Decimal(10) ** 15, 0.0, "redraw"),
        "hard": LabelTerms(Decimal("1e-30"), 0.0, "redraw"),
    }
    labels = 10**12 + 1
    total = mix_cost({"easy": labels, "hard": labels}, terms)
    assert Fraction(total) == labels * (Fraction(10**15) + Fraction(1, 10**30))


@pytest.mark.parametrize("count", [-1, 1.5, "2"])
def test_impossible_numbers_of_labels(count: Any) -> None:
    with pytest.raises(InputError, match=f"stratum 'easy': .* not negative; got {count}"):
        mix_cost({"easy": count}, TERMS)


def test_a_stratum_without_terms() -> None:
    with pytest.raises(
        InputError, match="stratum 'medium' has no terms; terms are for: easy, hard"
    ):
        mix_cost({"medium": 1}, TERMS)


def test_affordable_by_hand() -> None:
    assert affordable(Decimal("0.3"), Decimal("0.1")) == 3  # 2 in floats
    assert affordable(Decimal("0.29"), Decimal("0.1")) == 2
    assert affordable(Decimal("0"), Decimal("0.1")) == 0
    assert affordable(Decimal(10) ** 15, Decimal("1e-30")) == 10**45


def test_affordable_of_a_share_of_the_budget() -> None:
    # 2 / 3 of 10 at 1: 6.67 labels; the half of 3 at 0.5: exactly 3.
    assert affordable(Decimal(10), Decimal(1), Fraction(2, 3)) == 6
    assert affordable(Decimal(3), Decimal("0.5"), Fraction(1, 2)) == 3
    assert affordable(Decimal(3), Decimal("0.5"), Fraction(0)) == 0
    # A third of 1 - 1e-28 is less than three labels by the 30th digit.
    cost = Decimal("0.111111111111111111111111111114")
    assert affordable(Decimal("0.9999999999999999999999999999"), cost, Fraction(1, 3)) == 2
    assert affordable(Decimal(10) ** 15, Decimal(10) ** 15, Fraction(1)) == 1


def test_money_left_is_exact() -> None:
    assert money_left(Decimal(1), {"easy": 3, "hard": 2}, TERMS) == 0
    terms = {"hard": LabelTerms(Decimal("1e-30"), 0.0, "redraw")}
    rest = money_left(Decimal(10) ** 15, {"hard": 1}, terms)
    assert Fraction(rest) == 10**15 - Fraction(1, 10**30)
    assert money_left(Decimal(1), {"easy": 11}, TERMS) == Decimal("-0.1")  # overspent


def test_affordable_refuses_free_labels_and_debts() -> None:
    with pytest.raises(InputError, match="cost per label is 0"):
        affordable(Decimal(5), Decimal("0.00"))
    with pytest.raises(InputError, match=r"should not be negative; got Decimal\('-1'\)"):
        affordable(Decimal(-1), Decimal(1))
    with pytest.raises(InputError, match=r"should not be negative; got Decimal\('-2'\)"):
        affordable(Decimal(1), Decimal(-2))


def test_terms_are_checked() -> None:
    with pytest.raises(InputError, match="should not be negative"):
        LabelTerms(Decimal(-1), 0.1, "redraw")
    with pytest.raises(InputError, match=r"error rate should be within 0 and 1; got 1\.2"):
        LabelTerms(Decimal(1), 1.2, "redraw")
    kind: Any = "wrong"
    with pytest.raises(InputError, match="error kind 'wrong' is unknown"):
        LabelTerms(Decimal(1), 0.1, kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        TERMS["easy"].cost = Decimal(2)  # type: ignore[misc]


def test_default_terms_follow_the_paper() -> None:
    easy, hard = DEFAULT_TERMS["easy"], DEFAULT_TERMS["hard"]
    assert hard.cost == 2 * easy.cost
    assert hard.error_rate == 2 * easy.error_rate
    assert {terms.error_kind for terms in DEFAULT_TERMS.values()} == {"redraw"}
    assert list(DEFAULT_TERMS) == ["easy", "medium", "hard"]


def test_shares_of_a_budget_buy_what_affordable_says() -> None:
    for budget, cost in (("10", "3"), ("0.07", "0.01"), ("1000000000000000", "7.3"), ("0", "2")):
        found = affordable_by_shares(Decimal(budget), Decimal(cost), 7)
        own = [affordable(Decimal(budget), Decimal(cost), Fraction(k, 7)) for k in range(8)]
        assert found == own
    with pytest.raises(InputError, match="any number of labels fits"):
        affordable_by_shares(Decimal(1), Decimal(0), 3)
