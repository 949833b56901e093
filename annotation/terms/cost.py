"""Cost per label: exact money, so that nothing is ever overspent by rounding.

Amounts are added, multiplied and divided here alone: elsewhere Python's decimals would be rounded
to 28 digits.
"""

import decimal
import numbers
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError, short
from annotation.terms.noise import (
    ErrorKind,
    check_error_kind,
    check_error_rate,
)

LARGEST = Decimal(10) ** 15
DECIMAL_PLACES = 30

# Wide enough for sums and products of any amounts that `money` lets through; were a result ever
# to be rounded, it would be an error, not a wrong amount.
_EXACT = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])
_ALL = Fraction(1)


def money(value: float | int | str | Decimal) -> Decimal:
    """An exact amount of money, or a cost per label, in the user's currency unit.

    A float counts as the number that is printed for it: 0.1 is one tenth.

    Raises InputError if the value is not a number, negative, not finite, above 10**15 or has more
    than 30 decimal places.
    """
    amount = _decimal(value)
    if not amount.is_finite():
        raise InputError(f"an amount of money should be a finite number; got {short(value)}.")
    if amount < 0:
        raise InputError(f"an amount of money should not be negative; got {short(value)}.")
    exponent = amount.as_tuple().exponent
    if amount > LARGEST or (isinstance(exponent, int) and exponent < -DECIMAL_PLACES):
        raise InputError(
            f"an amount of money should be at most {LARGEST:.0f} with at most {DECIMAL_PLACES} "
            f"decimal places; got {short(value)}."
        )
    return amount.copy_abs()  # no negative zero


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_number or isinstance(value, str):
        try:
            return Decimal(str(value))
        except decimal.InvalidOperation:
            pass
    raise InputError(f"an amount of money should be a number; got {short(value)}.")


@dataclass(frozen=True)
class LabelTerms:
    """The terms at which the labels of one stratum are bought.

    `cost` is per label, in the user's currency unit. `error_rate` and `error_kind` are those of
    `annotation.terms.noise.draw_labels`; `annotation.terms.clean_share.wrong_share` is how many are
    wrong.

    Raises InputError if the cost is negative or no number, the error rate not in [0, 1], or the
    error kind unknown.
    """

    cost: Decimal
    error_rate: float
    error_kind: ErrorKind

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", money(self.cost))
        check_error_rate(self.error_rate)
        check_error_kind(self.error_kind)


# Hard labels twice as noisy and twice as costly as easy ones, errors as redraws over all choices:
# the comparison of Hase et al. 2024 (arXiv:2401.06751). Medium is half-way.
DEFAULT_TERMS: dict[str, LabelTerms] = {
    "easy": LabelTerms(Decimal("1"), 0.1, "redraw"),
    "medium": LabelTerms(Decimal("1.5"), 0.15, "redraw"),
    "hard": LabelTerms(Decimal("2"), 0.2, "redraw"),
}


def mix_cost(mix: Mapping[str, int], terms: Mapping[str, LabelTerms]) -> Decimal:
    """What a mix (stratum -> number of labels) costs, exactly.

    Raises InputError if a number of labels is negative or not whole, or a stratum has no terms.
    """
    total = Decimal(0)
    for name, count in mix.items():
        if name not in terms:
            raise InputError(f"stratum '{name}' has no terms; terms are for: {', '.join(terms)}.")
        labels = _whole(name, count)
        total = _EXACT.add(total, _EXACT.multiply(Decimal(labels), terms[name].cost))
    return total


def _whole(name: str, count: int) -> int:
    try:
        labels = operator.index(count)
    except TypeError:
        labels = -1
    if labels < 0:
        raise InputError(
            f"stratum '{name}': the number of labels should be whole and not negative; got {count}."
        )
    return labels


def several(judgments: int, cost: Decimal) -> Decimal:
    """What a label costs that takes so many judgments at `cost` each, exactly."""
    return _EXACT.multiply(Decimal(judgments), cost)


def money_left(budget: Decimal, mix: Mapping[str, int], terms: Mapping[str, LabelTerms]) -> Decimal:
    """What is left of `budget` after buying a mix, exactly; negative where it is overspent.

    Raises InputError as `mix_cost` does.
    """
    return _EXACT.subtract(budget, mix_cost(mix, terms))


def affordable(budget: Decimal, cost: Decimal, share: Fraction = _ALL) -> int:
    """How many labels at `cost` each fit into `share` of `budget`: the most that cost at most it.

    Raises InputError if budget or cost is negative or no number, or the cost is zero.
    """
    if money(cost) == 0:
        raise InputError("cost per label is 0: any number of labels fits; set a cost above 0.")
    # Multiplied out instead of divided: a third of the budget is no decimal.
    amount = _EXACT.multiply(money(budget), Decimal(share.numerator))
    return int(_EXACT.divide_int(amount, _EXACT.multiply(money(cost), Decimal(share.denominator))))


def affordable_by_shares(budget: Decimal, cost: Decimal, steps: int) -> list[int]:
    """How many labels fit into 0, 1, ... `steps` parts of `steps` of a budget: `affordable` each.

    Raises InputError as `affordable` does.
    """
    if money(cost) == 0:
        raise InputError("cost per label is 0: any number of labels fits; set a cost above 0.")
    have, have_unit = money(budget).as_integer_ratio()
    price, price_unit = cost.as_integer_ratio()
    whole, parts = have * price_unit, have_unit * price * steps
    return [whole * step // parts for step in range(steps + 1)]


_EXACT = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])


def exact_decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal; it must have one, as sums and products of decimals do."""
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
