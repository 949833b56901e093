from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.simulate.axes import DEFAULT_POINTS, QUANTITIES, read_axis


def test_money_is_spaced_on_a_log_scale_in_cents() -> None:
    axis = read_axis("budget=100:1000:3", "--x")
    assert axis.scale == "log"
    assert axis.values == (Decimal(100), Decimal("316.23"), Decimal(1000))


def test_errors_are_spaced_evenly() -> None:
    axis = read_axis("error-hard=0:.6:4", "--x")
    assert axis.scale == "linear"
    assert [float(value) for value in axis.values] == [0, 0.2, 0.4, 0.6]


def test_the_scale_may_be_said() -> None:
    axis = read_axis("budget=100:300:3:linear", "--x")
    assert (axis.scale, axis.values[1]) == ("linear", Decimal(200))
    assert read_axis("error-easy=.1:.4:3:log", "--x").values[1] == Decimal("0.2")


def test_small_amounts_keep_more_than_cents() -> None:
    values = read_axis("budget=.01:.04:3", "--x").values
    assert values == (Decimal(".01"), Decimal("0.02"), Decimal(".04"))
    assert read_axis("budget=.001:.009:3:linear", "--x").values[1] == Decimal("0.005")


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_has_a_range_of_its_own(name: str) -> None:
    axis = read_axis(name, "--x")
    assert len(axis.values) == DEFAULT_POINTS
    assert axis.scale == QUANTITIES[name].scale


def test_the_ends_are_exactly_as_given() -> None:
    values = read_axis("cost-ratio=1.23456789:9.87654321:4", "--x").values
    assert (values[0], values[-1]) == (Decimal("1.23456789"), Decimal("9.87654321"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rounds=1:5", ["no such axis", "budget, cost-ratio"]),
        ("budget=5", ["should be budget=LOW:HIGH:POINTS"]),
        ("budget=1:2:3:log:5", ["should be budget=LOW:HIGH:POINTS"]),
        ("budget=1:much", ["should be a number; got 'much'"]),
        ("budget=1:inf", ["finite"]),
        ("budget=0:10", ["budget should be above 0; got 0"]),
        ("budget=1:1e20", ["at most 1000000000000000"]),
        ("budget=10:10", ["first value should be below the second; got 10 and 10"]),
        ("error-easy=0:1.5", ["error-easy should be at least 0 and at most 1; got 1.5"]),
        ("transfer=-2:1", ["transfer should be at least -1 and at most 1; got -2"]),
        ("error-easy=0:.5:10:log", ["a log scale begins above 0"]),
        ("budget=1:2:1", ["points should be within 2 and 400; got '1'"]),
        ("budget=1:2:x", ["points should be within 2 and 400; got 'x'"]),
        ("budget=1:2:3:cubic", ["log or linear; got 'cubic'"]),
        ("budget=1:1.0000001:50", ["50 points are too many between 1 and 1.0000001"]),
    ],
)
def test_a_wrong_axis_is_told(text: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_axis(text, "--y")
    for part in [f"--y {text}: ", *parts]:
        assert part in str(caught.value)
