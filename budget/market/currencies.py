"""Whether prices are in the currency that money is counted in."""

from annotation.errors import InputError

# A sign, and the codes that it may stand for.
_SIGNS = {
    "$": {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"},
    "\u20ac": {"EUR"},
    "\u00a3": {"GBP"},
    "\u00a5": {"JPY", "CNY"},
}


def check_currency(prices: str | None, where: str, counted: str, what: str, remedy: str) -> None:
    """Refuse prices in another currency than money is counted in; nothing is ever converted.

    Parameters
    ----------
    prices
        The currency that a file's prices are in; None where it does not say.
    where
        The file, for the message.
    counted, what
        The currency that money is counted in, and whose it is: "the collection".
    remedy
        What to do beside converting the prices; "" for nothing.

    Raises
    ------
    InputError
        If both are told and cannot be the same.
    """
    if prices is None or _same(prices, counted):
        return
    other = f", or {remedy}" if remedy else ""
    raise InputError(
        f"{where}: its prices are in {prices}, and {what} counts in {counted}; convert the prices "
        f"and its line 'currency'{other}."
    )


def _same(one: str, other: str) -> bool:
    first, second = one.strip().upper(), other.strip().upper()
    return (
        first == second or second in _SIGNS.get(first, set()) or first in _SIGNS.get(second, set())
    )
