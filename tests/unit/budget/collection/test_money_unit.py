"""Money is whole numbers of a unit, and nothing is rounded on the way."""

from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.collection.money_unit import LARGEST, MoneyUnit


@pytest.mark.parametrize(
    ("currency", "amounts", "by_the_hour", "places"),
    [
        ("EUR", ["10", "0.5"], False, 2),
        ("$", ["0.05", "0.0333"], False, 4),
        ("EUR", ["0.050000"], False, 2),
        ("jpy", ["12"], False, 0),
        ("JPY", ["12.5"], False, 1),
        ("KWD", [], False, 3),
        ("EUR", ["0.05"], True, 4),
        ("JPY", [], True, 4),
        ("EUR", ["0.123456"], True, 6),
    ],
)
def test_the_unit_fits_all_prices(
    currency: str, amounts: list[str], by_the_hour: bool, places: int
) -> None:
    unit = MoneyUnit.fitting(currency, map(Decimal, amounts), by_the_hour)
    assert unit == MoneyUnit(currency, places)
    for amount in amounts:
        assert unit.amount(unit.units(Decimal(amount), "a price")) == Decimal(amount)


def test_a_price_finer_than_any_unit_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.0000000001 has more than 9 decimal places"):
        MoneyUnit.fitting("EUR", [Decimal("1E-10").quantize(Decimal("0.0000000001"))])


def test_amounts_are_exact_and_read_by_people() -> None:
    unit = MoneyUnit("EUR", 4)
    assert unit.units(Decimal("12.3456"), "it") == 123456
    assert str(unit.amount(123456)) == "12.3456"
    assert unit.shown(-500) == "-0.05 EUR"
    assert unit.shown(123456) == "12.3456 EUR"
    assert unit.shown(123450) == "12.345 EUR"
    assert unit.shown(120000) == "12.00 EUR"
    assert MoneyUnit("JPY", 0).shown(1200) == "1200 JPY"
    assert MoneyUnit("JPY", 4).shown(12_000_000) == "1200 JPY"
    assert MoneyUnit("KWD", 4).shown(12_000) == "1.200 KWD"
    assert str(unit.amount(LARGEST)) == "100000000000.0000"


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("0.005", r"the budget is 0\.005 EUR: more decimal places than the 2"),
        ("-1", "the budget: an amount of money should not be negative"),
        ("nan", "the budget: an amount of money should be a finite number"),
        ("10000000000001", "more than a collection can count"),
    ],
)
def test_amounts_that_do_not_fit_are_refused(amount: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        MoneyUnit("EUR", 2).units(Decimal(amount), "the budget")


@pytest.mark.parametrize(("currency", "places"), [("", 2), (" ", 2), ("EUR", -1), ("EUR", 10)])
def test_units_that_are_none_are_refused(currency: str, places: int) -> None:
    with pytest.raises(InputError):
        MoneyUnit(currency, places)
