from dataclasses import replace
from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.market.offers import Discount, Offer


def offer(**changes: object) -> Offer:
    return replace(Offer("easy", "crowd", 1, Decimal("0.5"), 0.2), **changes)  # type: ignore[arg-type]


def test_price_with_discounts_and_a_fixed_cost() -> None:
    own = offer(
        judgments=3,
        discounts=(Discount(10, Decimal("0.4")), Discount(20, Decimal("0.1"))),
        fixed_cost=Decimal("7.25"),
    )
    assert own.price(0) == 0
    assert own.price(3) == Decimal("11.75")  # 9 at .5
    assert own.price(8) == Decimal("16.65")  # 10 at .5, 10 at .4, 4 at .1


def test_work_in_hours() -> None:
    assert offer(judgments=3, seconds=Decimal(40)).work(60) == 2


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"cost": Decimal(-1)}, "should not be negative"),
        ({"judgments": 0}, "judgments per label should be 1 to 7; got 0"),
        ({"redraw_rate": 1.5}, "error rate should be within 0 and 1"),
        ({"least": 0}, "least purchase should be 1 label; got 0"),
        ({"capacity": -1}, "capacity should not be negative; got -1"),
        ({"discounts": (Discount(5, Decimal("0.5")),)}, "cost less one after the other; got 0.5"),
        (
            {"discounts": (Discount(5, Decimal("0.4")), Discount(5, Decimal("0.3")))},
            "start later .* got 0.3 after 5",
        ),
    ],
)
def test_offers_that_make_no_sense(changes: dict[str, object], part: str) -> None:
    with pytest.raises(InputError, match=part) as caught:
        offer(**changes)
    assert str(caught.value).startswith("supplier 'crowd', stratum 'easy': ")
