"""Prices by the item or by the token, exactly."""

from decimal import Decimal
from fractions import Fraction

import pytest

from annotation.errors import InputError
from annotation.machines.language_model.question import messages
from annotation.machines.language_model.tariff import Tariff, most_tokens, tariff_of


def test_costs_are_exact() -> None:
    assert Tariff(per_item=Decimal("0.1")).cost(5, 7) == Fraction(1, 10)
    by_token = tariff_of(None, ".15", ".6")
    assert by_token.cost(3, 1) == Fraction("0.00000105")
    assert Tariff().cost(5, 7) == 0 and not Tariff().is_known


@pytest.mark.parametrize("typed", [("1", "2", "3"), ("1", None, "3"), (None, "2", None)])
def test_ways_to_pay_are_not_mixed(typed: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(InputError, match="--price-in"):
        tariff_of(*typed)


def test_an_amount_that_is_none_names_its_option() -> None:
    with pytest.raises(InputError, match=r"--price-in: an amount of money .* got 'cheap'"):
        tariff_of(None, "cheap", "1")


def test_no_text_has_more_tokens_than_bytes() -> None:
    asked = messages("x", "ü" * 100, ["a", "b"])
    assert most_tokens(asked) > 200
