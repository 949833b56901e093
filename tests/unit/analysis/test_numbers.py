import math

import pytest

from analysis.estimates import Estimate
from analysis.numbers import (
    NOT_KNOWN,
    count,
    interval_name,
    joined,
    labels_text,
    money,
    percent,
    points,
    ratio,
    sgr_cost_unit,
    span,
)

MINUS = "\u2212"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (720, "$", "$720"),
        (719.9999999999, "$", "$720"),
        (0.5, "$", "$0.50"),
        (12.345, "$", "$12.35"),  # never more than cents from one unit on
        (0.0125, "$", "$0.0125"),  # a label may cost less than a cent
        (0.00002, "$", "$0.000020"),  # not told as none
        (-1.5e-8, "$", f"{MINUS}$0.000000015"),
        (5.7e-14, "$", "$0"),  # what floating point leaves of a budget
        (1240.5, "EUR", "1,240.50 EUR"),
        (720, "points", "720 points"),
        (-3, "$", f"{MINUS}$3"),
        (-3, "EUR", f"{MINUS}3 EUR"),
        (0, "\u20ac", "\u20ac0"),
    ],
)
def test_money_is_written_as_the_currency_is(amount: float, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_percentages_have_at_most_one_decimal() -> None:
    assert percent(0.6049) == "60.5 %"
    assert percent(0.6049, 0) == "60 %"
    assert percent(1.0) == "100.0 %"


def test_points_carry_their_sign_and_zero_carries_none() -> None:
    assert points(0.012) == "+1.2"
    assert points(-0.012) == f"{MINUS}1.2"
    assert points(0.0) == points(-0.0) == points(0.0001) == points(-0.0001) == "0.0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.43, "1.4"),
        (1.0, "1.0"),
        (0.996, "1.0"),
        (0.5, "0.5"),
        (0.75, "0.75"),
        (0.0312, "0.031"),
        (0.0, "0.0"),
        (-0.25, f"{MINUS}0.25"),
        (12.4, "12"),
        (12345.6, "12,346"),
    ],
)
def test_ratios_have_two_significant_digits(value: float, text: str) -> None:
    assert ratio(value) == text


def test_ratio_takes_decimals() -> None:
    assert ratio(1.5, 2) == "1.50"


@pytest.mark.parametrize("absent", [None, math.nan, math.inf])
def test_an_absent_number_is_said_to_be_not_known(absent: float | None) -> None:
    assert money(absent, "$") == percent(absent) == points(absent) == ratio(absent) == NOT_KNOWN


def test_span_writes_both_ends_or_neither() -> None:
    estimate = Estimate(estimate=0.012, low=-0.01, high=0.034)
    assert span(estimate) == f"{MINUS}1.0 to 3.4"
    assert span(estimate, "ratio") == f"{MINUS}0.01 to 0.034"
    assert span(estimate.model_copy(update={"high": None})) == "interval not known"


def test_interval_is_named_by_its_confidence() -> None:
    assert interval_name(0.95) == "95 % interval"
    assert interval_name(0.975) == "97.5 % interval"


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"hard": 100, "easy": 1520}, "1,520 easy and 100 hard labels"),
        ({"easy": 3, "medium": 2, "hard": 1}, "3 easy, 2 medium and 1 hard labels"),
        ({"easy": 0, "hard": 1}, "1 hard label"),
        ({"easy": 0}, "no labels"),
    ],
)
def test_a_mix_is_written_in_order_of_hardness(labels: dict[str, int], text: str) -> None:
    assert labels_text(labels, ["easy", "medium", "hard"]) == text


def test_lists_are_joined_with_one_and() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"


def test_counts_have_thousands() -> None:
    assert count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0.5, 0.02], 1),
        ([0.0036, 0.0028], 10),
        ([0.0002, -72.0], 100),
        ([1e-9], 10_000),
        ([], 10_000),
    ],
)
def test_sgr_per_cost_gets_a_unit_that_reads_well(values: list[float], unit: int) -> None:
    assert sgr_cost_unit(values) == unit
