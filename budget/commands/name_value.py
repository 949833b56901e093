"""Options of the form NAME=VALUE, read: pairs of texts, whole numbers, numbers, money.

A `form` tells the user what to write, with an example: "STRATUM=NUMBER, e.g. easy=100".
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from annotation.errors import InputError
from annotation.name_value import name_and_value

if TYPE_CHECKING:
    from annotation.team.label_cost import Rates
    from annotation.team.pay import PayTerms

_MOST_DIGITS = 12  # of a whole number; more is a slip of the hand
Value = TypeVar("Value")


def read_pairs(
    texts: Sequence[str] | None,
    option: str,
    form: str,
    at_first: bool = False,
    last_counts: bool = False,
) -> dict[str, str]:
    """Texts by name; none where the option was not given.

    `at_first`: the value may hold equals signs, not the name. `last_counts`: a name given again
    has its last value.

    Raises InputError for a text of another form, and for a name given twice.
    """
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, value = name_and_value(text, at_first) or ("", "")
        if not name or not value:
            raise InputError(f"{option} '{text}': should be {form}.")
        if name in pairs and not last_counts:
            raise InputError(f"{option} '{text}': '{name}' is given twice; give it once.")
        pairs[name] = value
    return pairs


def read_counts(
    texts: Sequence[str] | None, option: str, form: str, at_least: int = 0
) -> dict[str, int]:
    """Whole numbers by name.

    Raises InputError that names what cannot be read.
    """

    def count(text: str) -> int:
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        if not is_number or int(text) < at_least:
            raise InputError(f"should be a whole number, at least {at_least}.")
        return int(text)

    return _values(read_pairs(texts, option, form), option, count)


def read_numbers(texts: Sequence[str] | None, option: str, form: str) -> dict[str, float]:
    """Numbers, below 0 too, by name.

    Raises InputError that names what cannot be read.
    """

    def number(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise InputError("should be a number.")
        return found

    return _values(read_pairs(texts, option, form), option, number)


def read_costs(texts: Sequence[str] | None, option: str, form: str) -> dict[str, Decimal]:
    """Amounts of money by name; the last one of a name counts.

    Raises InputError that names what cannot be read.
    """
    from annotation.terms.cost import money

    return _values(read_pairs(texts, option, form, last_counts=True), option, money)


def read_hours(texts: Sequence[str] | None, option: str, form: str) -> dict[str, Decimal]:
    """Hours by name, exactly, within the bounds of money; the last ones of a name count.

    Raises InputError that names what cannot be read.
    """
    from annotation.terms.cost import money

    def hours(text: str) -> Decimal:
        try:
            return money(text)
        except InputError:
            raise InputError("should be a number of hours, at least 0.") from None

    return _values(read_pairs(texts, option, form, last_counts=True), option, hours)


def _values(pairs: dict[str, str], option: str, read: Callable[[str], Value]) -> dict[str, Value]:
    found = {}
    for name, value in pairs.items():
        try:
            found[name] = read(value)
        except InputError as error:
            raise InputError(f"{option} {name}={value}: {error}") from None
    return found


def read_amounts(
    texts: Sequence[str] | None, option: str
) -> tuple[dict[str, Decimal], Decimal | None]:
    """Amounts of money given as NAME=AMOUNT, and at most one AMOUNT for all others.

    Raises InputError that names what cannot be read.
    """
    from annotation.terms.cost import money

    found: dict[str | None, Decimal] = {}
    for text in texts or ():
        pair = name_and_value(text)
        name, amount = pair or (None, text.strip())
        if name == "":
            raise InputError(f"{option} '{text}': should be AMOUNT or NAME=AMOUNT, e.g. bob=40.")
        if name in found:
            raise InputError(f"{option} '{text}': is given twice; give it once.")
        try:
            found[name] = money(amount)
        except InputError as error:
            raise InputError(f"{option} '{text}': {error}") from None
    usual = found.pop(None, None)
    return {str(name): amount for name, amount in found.items()}, usual


def read_rates(
    hourly: Sequence[str] | None, fee: str | None, recruiting: Sequence[str] | None
) -> "Rates":
    """What work is paid, from the texts of --rate, --fee and --recruiting.

    Raises InputError that names what cannot be read, and if there are costs but neither hourly
    rates nor a fee.
    """
    from annotation.team.label_cost import Rates

    per_hour, usual = read_amounts(hourly, "--rate")
    once, others = read_amounts(recruiting, "--recruiting")
    if others is not None:
        raise InputError("--recruiting is per stratum; give STRATUM=AMOUNT.")
    rates = Rates(per_hour, usual, recruiting=once)
    if fee is not None:
        named, amount = read_amounts([fee], "--fee")
        if named or amount is None:
            raise InputError(f"--fee '{fee}': should be one amount for every label.")
        rates = replace(rates, fee=amount)
    if recruiting and not rates.are_known:
        raise InputError(
            "--recruiting goes with --rate or --fee; where neither is paid, give --fee 0."
        )
    return rates


def read_pay(hourly: Sequence[str] | None, piece: Sequence[str] | None) -> "PayTerms":
    """What people are paid, from the texts of --rate and --fee.

    Raises InputError that names what cannot be read.
    """
    from annotation.team.pay import PayTerms

    per_hour, usual_per_hour = read_amounts(hourly, "--rate")
    per_judgment, usual_per_judgment = read_amounts(piece, "--fee")
    return PayTerms(per_hour, usual_per_hour, per_judgment, usual_per_judgment)


def read_roles(pairs: Sequence[str] | None) -> dict[str, str]:
    """Who is what, by annotator, from the texts of --role.

    Raises InputError for a text of another form, and for an annotator given twice.
    """
    return read_pairs(pairs, "--role", "ANNOTATOR=ROLE, e.g. bob=expert")


def read_paid_people(
    hourly: Sequence[str] | None, piece: Sequence[str] | None, roles: Sequence[str] | None
) -> tuple["PayTerms | None", dict[str, str]]:
    """What people are paid, None where nothing is said of it, and who is what.

    Raises InputError that names what cannot be read, and for roles where nothing is paid.
    """
    terms = read_pay(hourly, piece) if hourly or piece else None
    by_annotator = read_roles(roles)
    if by_annotator and terms is None:
        raise InputError("--role goes with --rate or --fee, which say what a role is paid.")
    return terms, by_annotator


def minutes_to_seconds(minutes: float, option: str) -> float:
    """Raises InputError if it is not a positive number of minutes."""
    if not 0 < minutes < math.inf:
        raise InputError(f"{option} should be a number of minutes above 0; got {minutes:g}.")
    return 60 * minutes
