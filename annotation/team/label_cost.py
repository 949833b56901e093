"""What a label costs: working time at hourly rates, a fee per label, experts to be recruited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.errors import InputError
from annotation.intervals import Interval, Scope, ratio_interval
from annotation.team.timing import Timing
from annotation.terms.cost import money

DECIMAL_PLACES = 4
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Rates:
    """What work is paid.

    `per_hour` is by annotator or role, `usual` for everybody else; None: nobody else is known.
    `fee` is per label (a platform's, or a piece rate); None: nothing is said of one. Where nothing
    is said of hours, it is all that is paid. `recruiting` is paid once per stratum, by its name.

    Raises InputError if an amount is negative or no number.
    """

    per_hour: Mapping[str, Decimal] = field(default_factory=dict)
    usual: Decimal | None = None
    fee: Decimal | None = None
    recruiting: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for amount in (*self.per_hour.values(), *self.recruiting.values(), self.usual, self.fee):
            if amount is not None:
                money(amount)

    @property
    def are_known(self) -> bool:
        """Whether anything is said about what work costs, by the hour or by the label."""
        return self.usual is not None or bool(self.per_hour) or self.fee is not None

    @property
    def pay_hours(self) -> bool:
        """Whether hours cost anything, or somebody's rate is missing; else no times are needed."""
        if self.usual is None:
            return bool(self.per_hour)
        return bool(self.usual) or any(self.per_hour.values())

    def of_annotator(self, annotator: str, role: str | None) -> Decimal:
        """The hourly rate of an annotator: his own, else his role's, else the usual one.

        Raises InputError if there is none.
        """
        for name in (annotator, role):
            if name is not None and name in self.per_hour:
                return self.per_hour[name]
        if self.usual is None:
            raise InputError(
                f"no hourly rate for annotator '{annotator}' (role: {role or 'none'}); give one "
                f"for the annotator, for the role, or one for all others."
            )
        return self.usual


@dataclass(frozen=True)
class LabelCost:
    """What one judgment costs that ends in a label, of a stratum or by an annotator.

    `per_judgment` is exact up to the fourth decimal place, rounded up: time at hourly rates, that
    of cancelled judgments included, and the fee. `interval` is about the same number as a float.
    `recruiting` is paid once.
    """

    per_judgment: Decimal
    interval: Interval
    recruiting: Decimal

    def over(self, judgments: int) -> Decimal:
        """Cost when so many judgments are bought, recruiting shared out among them, rounded up.

        Raises InputError if the number is below 1.
        """
        if judgments < 1:
            raise InputError(f"the number of judgments should be at least 1; got {judgments}.")
        return rounded_up(Fraction(self.per_judgment) + Fraction(self.recruiting) / judgments)


def rounded_up(amount: Fraction, places: int = DECIMAL_PLACES) -> Decimal:
    """The smallest decimal with so many places that is at least `amount`, exactly."""
    units = -(-amount.numerator * 10**places // amount.denominator)
    return Decimal(units).scaleb(-places)


def label_cost(
    timing: Timing,
    rates: Rates,
    roles: Sequence[str | None],
    stratum: str,
    chosen: NDArray[np.bool_],
) -> LabelCost | None:
    """What a label of a stratum costs; None where there is none, or hours are paid and none timed.

    Parameters
    ----------
    timing
        The times of all judgments.
    rates
        What work is paid.
    roles
        Role of every annotator, in the order of `timing.annotators`.
    stratum, chosen
        A stratum and its judgments, (judgments,) of the table.

    Raises
    ------
    InputError
        If somebody who judged there has no hourly rate.
    """
    recruiting = rates.recruiting.get(stratum, _ZERO)
    return _cost(timing, rates, roles, np.flatnonzero(chosen), timing.scope, recruiting)


def annotator_costs(
    timing: Timing, rates: Rates, roles: Sequence[str | None]
) -> list[LabelCost | None]:
    """What a label by every annotator costs, in the order of `timing.annotators`.

    None for who never gave a label, or was never timed where hours are paid; parameters and errors
    as for `label_cost`.
    """
    return [_cost(timing, rates, roles, places, "these", _ZERO) for places in timing.places()]


def _cost(
    timing: Timing,
    rates: Rates,
    roles: Sequence[str | None],
    places: IntArray,
    scope: Scope,
    recruiting: Decimal,
) -> LabelCost | None:
    fee = rates.fee or _ZERO
    if not rates.pay_hours:
        if not timing.labelled[places].any():
            return None
        exactly = Interval(float(fee), float(fee), float(fee))
        return LabelCost(rounded_up(Fraction(fee)), exactly, recruiting)
    places = places[~np.isnan(timing.raw[places])]
    labels = int(timing.labelled[places].sum())
    if not labels:
        return None
    who = timing.annotator[places]
    present = np.unique(who)
    hourly = {
        int(code): rates.of_annotator(str(timing.annotators[code]), roles[code]) for code in present
    }
    # Milliseconds are whole numbers, so that the sum is exact.
    milliseconds = np.rint(timing.seconds[places] * 1000).astype(np.int64)
    spent = Fraction(0)
    for code in present:
        own = int(milliseconds[who == code].sum())
        spent += Fraction(hourly[int(code)]) * own / 3_600_000
    per_judgment = rounded_up(spent / labels + Fraction(fee))
    pay = np.array([float(hourly[int(code)]) for code in who]) / 3600
    by_time = ratio_interval(
        timing.seconds[places] * pay,
        timing.labelled[places].astype(np.float64),
        timing.item[places],
        who,
        scope,
        timing.confidence,
    )
    return LabelCost(per_judgment, by_time.shifted(float(fee)), recruiting)
