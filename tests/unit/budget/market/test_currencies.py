"""Prices are never taken for another currency's."""

import pytest

from annotation.errors import InputError
from budget.market.currencies import check_currency


@pytest.mark.parametrize(
    ("prices", "counted"),
    [
        (None, "EUR"),
        ("EUR", "eur "),
        ("\u20ac", "EUR"),
        ("USD", "$"),
        ("$", "CAD"),
        ("points",) * 2,
    ],
)
def test_the_same_currency_may_be_spelt_otherwise(prices: str | None, counted: str) -> None:
    check_currency(prices, "suppliers.toml", counted, "the run", "")


@pytest.mark.parametrize(
    ("prices", "counted"), [("EUR", "USD"), ("\u20ac", "$"), ("EUR", "$"), ("USD", "CAD")]
)
def test_another_is_refused(prices: str, counted: str) -> None:
    with pytest.raises(InputError, match=r"suppliers\.toml: its prices are in .* counts in "):
        check_currency(prices, "suppliers.toml", counted, "the run", "name it")
