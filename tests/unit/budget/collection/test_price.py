"""What one judgment costs."""

from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.collection.money_unit import MoneyUnit
from budget.collection.price import Price

UNIT = MoneyUnit("EUR", 4)


def test_a_piece_rate_knows_no_time() -> None:
    price = Price(Decimal("0.05"))
    assert [price.cost(seconds, UNIT) for seconds in (None, float("nan"), 0.0, 1e6)] == [500] * 4
    assert price.most_cost(UNIT) == 500


def test_time_is_paid_up_to_its_limit() -> None:
    price = Price(Decimal("0.1"), Decimal(18), Decimal(60))  # half a cent a second
    assert price.cost(10.0, UNIT) == 1000 + 500
    assert price.cost(60.0, UNIT) == price.cost(3600.0, UNIT) == price.most_cost(UNIT) == 4000


def test_time_that_is_not_known_costs_nothing_that_is_known() -> None:
    price = Price(Decimal("0.1"), Decimal(18), Decimal(60))
    assert price.cost(None, UNIT) is None
    assert price.cost(float("nan"), UNIT) is None


def test_halves_of_a_unit_go_to_the_even_one() -> None:
    price = Price(per_hour=Decimal(36), most_seconds=Decimal(1000))  # a cent a second
    cents = MoneyUnit("EUR", 2)
    assert [price.cost(seconds, cents) for seconds in (0.5, 1.5, 2.5, 2.51)] == [0, 2, 2, 3]


def test_a_float_counts_as_the_number_that_is_printed() -> None:
    price = Price(per_hour=Decimal(36), most_seconds=Decimal(1000))
    assert price.cost(1.005, MoneyUnit("EUR", 5)) == 1005  # the float itself is a little less
    assert price.cost(0.1 + 0.2, MoneyUnit("EUR", 2)) == 0


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"per_judgment": Decimal(-1)}, "should not be negative"),
        ({"per_hour": Decimal("nan"), "most_seconds": Decimal(1)}, "should be a finite number"),
        ({"per_hour": Decimal(18)}, "pay by the hour needs most_seconds"),
        ({"most_seconds": Decimal(-1)}, "most_seconds should be 0 to 604800"),
        ({"most_seconds": Decimal("inf")}, "most_seconds should be 0 to 604800"),
        ({"most_seconds": Decimal("nan")}, "most_seconds should be 0 to 604800"),
    ],
)
def test_terms_that_make_no_price_are_refused(terms: dict[str, Decimal], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Price(**terms)  # type: ignore[arg-type]


def test_a_price_beyond_counting_is_refused() -> None:
    price = Price(per_hour=Decimal(10**15), most_seconds=Decimal(604800))
    with pytest.raises(InputError, match="more than a collection can count"):
        price.most_cost(UNIT)
