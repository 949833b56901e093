"""What `labelmix judgments report` is asked, read from the command line's texts."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from annotation.errors import InputError
from annotation.team.label_cost import Rates, read_amounts

if TYPE_CHECKING:
    pass


def read_counts(texts: Sequence[str], option: str) -> dict[str, int]:
    """Numbers given as NAME=NUMBER.

    Raises InputError that names what cannot be read.
    """
    counts: dict[str, int] = {}
    for name, value in read_pairs(texts, option).items():
        if not value.isdecimal() or len(value) > 12:
            raise InputError(f"{option} {name}={value}: should be a whole number, at least 0.")
        counts[name] = int(value)
    return counts


def read_numbers(texts: Sequence[str], option: str) -> dict[str, float]:
    """Numbers, below 0 too, given as NAME=NUMBER.

    Raises InputError that names what cannot be read.
    """
    numbers: dict[str, float] = {}
    for name, value in read_pairs(texts, option).items():
        try:
            numbers[name] = float(value)
        except ValueError:
            numbers[name] = math.nan
        if not math.isfinite(numbers[name]):
            raise InputError(f"{option} {name}={value}: should be a number.")
    return numbers


def read_pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Texts given as NAME=TEXT.

    Raises InputError that names what cannot be read.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        if not equals or not name or not value:
            raise InputError(f"{option} '{text}': should be NAME=VALUE.")
        if name in pairs:
            raise InputError(f"{option} '{text}': '{name}' is given twice.")
        pairs[name] = value
    return pairs


def read_rates(hourly: Sequence[str], fee: str | None, recruiting: Sequence[str]) -> Rates:
    """What work is paid, from the texts of the options.

    Raises InputError that names what cannot be read, and if there are costs but no hourly rate.
    """
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
    for option, given in (("--fee", fee), ("--recruiting", recruiting)):
        if given and not rates.are_known:
            raise InputError(
                f"{option} goes with --rate; where no hours are paid, give --rate 0 too."
            )
    return rates


def minutes_to_seconds(minutes: float, option: str) -> float:
    """Raises InputError if it is not a positive number of minutes."""
    if not 0 < minutes < math.inf:
        raise InputError(f"{option} should be a number of minutes above 0; got {minutes:g}.")
    return 60 * minutes
