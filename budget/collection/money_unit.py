"""The smallest unit that a collection counts money in; sums of whole numbers are exact."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Self

from annotation.errors import InputError, short
from annotation.terms.cost import money

MOST_PLACES = 9
LARGEST = 10**15  # units: sums of thousands of such amounts fit into 64 bits
PLACES_BY_THE_HOUR = 4  # a second at 18 an hour is half a hundredth
_USUAL_PLACES = 2
# ISO 4217: currencies whose smallest unit is no hundredth.
_OTHER_PLACES = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_EXACT = Context(prec=100, traps=[Inexact])


@dataclass(frozen=True)
class MoneyUnit:
    """10**-`places` of a currency.

    Raises InputError if the currency is empty or `places` not in 0 to 9.
    """

    currency: str
    places: int

    def __post_init__(self) -> None:
        if not self.currency.strip():
            raise InputError("the currency is empty; name one, such as EUR.")
        if not 0 <= self.places <= MOST_PLACES:
            raise InputError(
                f"money should have 0 to {MOST_PLACES} decimal places; got {short(self.places)}."
            )

    @classmethod
    def fitting(cls, currency: str, amounts: Iterable[Decimal], by_the_hour: bool = False) -> Self:
        """The coarsest unit that all `amounts` are whole numbers of, at least the currency's own.

        Parameters
        ----------
        currency
            A code of ISO 4217 or a sign; of a sign the usual unit is a hundredth.
        amounts
            Prices per judgment, and the budget.
        by_the_hour
            Whether somebody is paid for time: then at least 4 places.

        Raises
        ------
        InputError
            If an amount is no amount of money or has more than 9 decimal places.
        """
        places = _own_places(currency)
        if by_the_hour:
            places = max(places, PLACES_BY_THE_HOUR)
        for amount in amounts:
            places = max(places, _places(amount))
        return cls(currency, places)

    @property
    def per_one(self) -> int:
        """Units in one of the currency."""
        return int(10**self.places)

    def units(self, amount: Decimal, what: str) -> int:
        """An amount in units, exactly; `what` it is begins the message.

        Raises InputError if it is no amount of money, no whole number of units, or more than
        10**15 units.
        """
        units = Fraction(_checked(amount, what)) * self.per_one
        if units.denominator != 1:
            raise InputError(
                f"{what} is {amount:f} {self.currency}: more decimal places than the "
                f"{self.places} that the collection counts in; round it."
            )
        return self.checked(int(units), what)

    def checked(self, units: int, what: str) -> int:
        """The units as they are; `what` they are begins the message.

        Raises InputError if they are more than 10**15.
        """
        if units > LARGEST:
            raise InputError(
                f"{what} is {self.shown(units)}: more than a collection can count "
                f"({self.shown(LARGEST)}); use fewer decimal places or a smaller amount."
            )
        return units

    def amount(self, units: int) -> Decimal:
        """Units as an amount of the currency, exactly."""
        return _EXACT.scaleb(Decimal(units), -self.places)

    def shown(self, units: int) -> str:
        """Units for a sentence, such as "12.50 EUR"."""
        return shown(self.amount(units), self.currency)


def shown(amount: Decimal, currency: str) -> str:
    """An amount for a sentence, such as "12.50 EUR"."""
    return f"{plain(amount, currency)} {currency}"


def plain(amount: Decimal, currency: str) -> str:
    """An amount for people, exactly: without zeros beyond the currency's own places."""
    whole, _, part = f"{amount:f}".partition(".")
    part = part.rstrip("0").ljust(min(len(part), _own_places(currency)), "0")
    return f"{whole}.{part}" if part else whole


def _own_places(currency: str) -> int:
    """Decimal places that amounts of a currency have; of a sign, two."""
    return _OTHER_PLACES.get(currency.strip().upper(), _USUAL_PLACES)


def _checked(amount: Decimal, what: str) -> Decimal:
    try:
        return money(amount)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def _places(amount: Decimal) -> int:
    """Decimal places that the amount needs: none for 1.000."""
    denominator = Fraction(money(amount)).denominator
    for places in range(MOST_PLACES + 1):
        if 10**places % denominator == 0:
            return places
    raise InputError(f"{amount:f} has more than {MOST_PLACES} decimal places; round it.")
