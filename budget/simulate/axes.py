"""The axes of a grid: what may vary, over which values."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Literal

import numpy as np

from annotation.errors import InputError
from annotation.name_value import name_and_value
from annotation.terms.cost import money

Scale = Literal["log", "linear"]
DEFAULT_POINTS = 60
MOST_POINTS = 400
_DIGITS = 6  # significant, of the values between the ends


@dataclass(frozen=True)
class Quantity:
    """Something of the terms, or of the task, that may vary over a grid.

    `low` and `high` bound its values, `open_low` says that `low` itself is out.
    """

    name: str
    label: str  # {easy} and {hard} stand for the names of the strata
    scale: Scale
    shown: str  # the range of an axis that names none
    low: Decimal
    high: Decimal | None
    open_low: bool = False

    def check(self, value: Decimal) -> None:
        """Raise InputError if the value is out of bounds."""
        below = value <= self.low if self.open_low else value < self.low
        if below or (self.high is not None and value > self.high):
            within = "above" if self.open_low else "at least"
            most = "" if self.high is None else f" and at most {self.high}"
            raise InputError(f"{self.name} should be {within} {self.low}{most}; got {value}.")


_ZERO, _ONE = Decimal(0), Decimal(1)
QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("budget", "budget", "log", "50:5000", _ZERO, None, open_low=True),
        Quantity(
            "cost-ratio",
            "cost per {hard} label / per {easy} label",
            "log",
            "1:10",
            _ZERO,
            Decimal(10**6),
            open_low=True,
        ),
        Quantity("error-easy", "error rate of {easy} labels", "linear", "0:0.6", _ZERO, _ONE),
        Quantity("error-hard", "error rate of {hard} labels", "linear", "0:0.6", _ZERO, _ONE),
        Quantity(
            "error-factor",
            "error rate of {hard} labels / of {easy} labels",
            "linear",
            "0:4",
            _ZERO,
            Decimal(1000),
        ),
        Quantity(
            "transfer",
            "transfer from {easy} labels to {hard} items (cosine)",
            "linear",
            "0:1",
            -_ONE,
            _ONE,
        ),
    )
}


@dataclass(frozen=True)
class Axis:
    """Rising values of one quantity, evenly spaced on `scale`."""

    quantity: Quantity
    values: tuple[Decimal, ...]
    scale: Scale

    @property
    def name(self) -> str:
        return self.quantity.name

    def holds(self, value: Decimal) -> bool:
        return self.values[0] <= value <= self.values[-1]


def read_axis(text: str, option: str) -> Axis:
    """An axis from NAME, NAME=LOW:HIGH, NAME=LOW:HIGH:POINTS or NAME=LOW:HIGH:POINTS:SCALE.

    The scale is log or linear; without one, money and ratios of cost are log, all else linear.

    Raises InputError that names the option.
    """
    try:
        return _read_axis(text)
    except InputError as error:
        raise InputError(f"{option} {text}: {error}") from None


def _read_axis(text: str) -> Axis:
    name, values = name_and_value(text) or (text.strip(), None)
    quantity = QUANTITIES.get(name)
    if quantity is None:
        raise InputError(f"no such axis; choose one of {', '.join(QUANTITIES)}.")
    parts = [part.strip() for part in (quantity.shown if values is None else values).split(":")]
    if not 2 <= len(parts) <= 4:
        raise InputError(
            f"should be {name}=LOW:HIGH:POINTS, for example {name}={quantity.shown}:50."
        )
    low, high = (decimal(part) for part in parts[:2])
    for end in (low, high):
        quantity.check(end)
        if name == "budget":
            money(end)
    if low >= high:
        raise InputError(f"the first value should be below the second; got {low} and {high}.")
    points = _points(parts[2]) if len(parts) > 2 else DEFAULT_POINTS
    scale = _scale(parts[3]) if len(parts) > 3 else quantity.scale
    if scale == "log" and low <= 0:
        raise InputError(f"a log scale begins above 0; got {low}. Add :linear, or begin higher.")
    return Axis(quantity, _spaced(low, high, points, scale, name == "budget"), scale)


def decimal(text: str) -> Decimal:
    """A finite number. Raises InputError if it is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InputError(f"should be a number; got '{text}'.") from None
    if not value.is_finite():
        raise InputError(f"should be a finite number; got '{text}'.")
    return value


def _points(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= MOST_POINTS:
        raise InputError(
            f"the number of points should be within 2 and {MOST_POINTS}; got '{text}'."
        )
    return int(text)


def _scale(text: str) -> Scale:
    if text == "log":
        return "log"
    if text == "linear":
        return "linear"
    raise InputError(f"the scale should be log or linear; got '{text}'.")


def _spaced(
    low: Decimal, high: Decimal, points: int, scale: Scale, of_money: bool
) -> tuple[Decimal, ...]:
    """The ends as given, between them numbers of few digits; money in cents where these do."""
    space = np.geomspace if scale == "log" else np.linspace
    raw = [float(value) for value in space(float(low), float(high), points)][1:-1]
    between = [Decimal(f"{value:.{_DIGITS}g}") for value in raw]
    cents = [Decimal(f"{value:.2f}") for value in raw]
    if of_money and _rising((low, *cents, high)):
        between = cents
    values = (low, *between, high)
    if not _rising(values):
        raise InputError(f"{points} points are too many between {low} and {high}.")
    return values


def _rising(values: tuple[Decimal, ...]) -> bool:
    return all(one < two for one, two in pairwise(values))
