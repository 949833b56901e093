from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.terms.majority import majority_redraw_rates
from budget.market.offers import Discount, Offer, label_redraw_rate


def offer(**changes: object) -> Offer:
    return replace(Offer("easy", "crowd", 1, Decimal("0.5"), 0.2), **changes)  # type: ignore[arg-type]


def test_one_judgment_errs_as_it_is() -> None:
    assert label_redraw_rate(0.3, "redraw", 1, 4) == pytest.approx(0.3)
    # A flip rate f is a redraw rate of f m / (m - 1).
    assert label_redraw_rate(0.3, "flip", 1, 4) == pytest.approx(0.4)


def test_three_judgments_of_two_choices() -> None:
    # Each is right with .8: the majority with .8^3 + 3 .8^2 .2 = .896; wrong .104 is redraw .208.
    assert label_redraw_rate(0.4, "redraw", 3, 2) == pytest.approx(0.208)


def test_three_judgments_of_three_choices() -> None:
    # Right .6, each wrong choice .2. Right: .216 + 3 .36 .4 = .648; one right and two different
    # wrong ones: 3! .6 .2 .2 = .144, of which a third. .648 + .048 = .696, wrong .304 is .456.
    assert label_redraw_rate(0.6, "redraw", 3, 3) == pytest.approx(0.456)


def test_a_second_judgment_alone_settles_nothing() -> None:
    for choices in (2, 3, 5):
        assert label_redraw_rate(0.5, "redraw", 2, choices) == pytest.approx(0.5)


@pytest.mark.parametrize("choices", [2, 3, 4])
@pytest.mark.parametrize("judgments", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("rate", [0.0, 0.35, 0.9, 1.0])
def test_counting_kinds_of_outcomes_is_counting_outcomes(
    choices: int, judgments: int, rate: float
) -> None:
    table = np.zeros((1, judgments), dtype=np.int64)
    slow = majority_redraw_rates(table, np.array([choices]), rate)[0]
    assert label_redraw_rate(rate, "redraw", judgments, choices) == pytest.approx(slow, abs=1e-12)


def test_worse_than_guessing_says_nothing() -> None:
    assert label_redraw_rate(0.9, "flip", 5, 4) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((1.2, "redraw", 1, 4), "error rate should be within 0 and 1; got 1.2"),
        ((0.2, "slip", 1, 4), "error kind 'slip' is unknown"),
        ((0.2, "redraw", 8, 4), "judgments per label should be 1 to 7; got 8"),
        ((0.2, "redraw", 1, 1), "at least 2 choices; got 1"),
    ],
)
def test_rates_that_make_no_sense(arguments: tuple[object, ...], part: str) -> None:
    with pytest.raises(InputError, match=part):
        label_redraw_rate(*arguments)  # type: ignore[arg-type]


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
