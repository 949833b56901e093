"""What one judgment costs: a piece rate, pay for its time, or both."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from annotation.errors import InputError, short
from annotation.terms.cost import money
from budget.collection.money_unit import MoneyUnit

_SECONDS_PER_HOUR = 3600
_LONGEST = 7 * 24 * 3600  # seconds: nobody works a week on one judgment


@dataclass(frozen=True)
class Price:
    """The terms of one judgment.

    Attributes
    ----------
    per_judgment : money for every judgment, however long it takes
    per_hour : money for an hour of work
    most_seconds : the longest time of one judgment that is paid; time beyond it is idle. Needed
        where there is pay by the hour, else the most that a judgment costs is not known
    pay_skipped : whether an item that an annotator skipped is paid like a judgment

    Raises InputError if an amount is negative or no number, or `most_seconds` is none of 0 to a
    week, or 0 where there is pay by the hour.
    """

    per_judgment: Decimal = Decimal(0)
    per_hour: Decimal = Decimal(0)
    most_seconds: Decimal = Decimal(0)
    pay_skipped: bool = False

    def __post_init__(self) -> None:
        for name in ("per_judgment", "per_hour"):
            object.__setattr__(self, name, money(getattr(self, name)))
        longest = self.most_seconds
        if not (longest.is_finite() and 0 <= longest <= _LONGEST):
            raise InputError(
                f"most_seconds should be 0 to {_LONGEST} (a week); got {short(str(longest))}."
            )
        if self.per_hour and not longest:
            raise InputError(
                "pay by the hour needs most_seconds, the longest time of one judgment that is "
                "paid: without it nothing limits what a judgment costs."
            )

    def cost(self, seconds: float | None, unit: MoneyUnit) -> int | None:
        """What a judgment that took so many seconds costs, in units.

        Rounded to the nearest unit, halves to the even one. Never more than `most_cost`.

        None if the time is unknown (None or NaN) and is paid for.
        """
        if not self.per_hour:
            return self._piece_rate(unit)
        if seconds is None or seconds != seconds:
            return None
        # A float counts as the number that is printed for it.
        paid = min(Decimal(str(seconds)), self.most_seconds)
        return round((self._per_judgment + self._per_second * Fraction(paid)) * unit.per_one)

    def most_cost(self, unit: MoneyUnit) -> int:
        """The most that one judgment can cost, in units.

        Raises InputError if it is more than a collection can count.
        """
        most = self._per_judgment + self._per_second * Fraction(self.most_seconds)
        return unit.checked(round(most * unit.per_one), "the most that a judgment costs")

    def _piece_rate(self, unit: MoneyUnit) -> int:
        return round(self._per_judgment * unit.per_one)

    @cached_property
    def _per_judgment(self) -> Fraction:
        return Fraction(self.per_judgment)

    @cached_property
    def _per_second(self) -> Fraction:
        return Fraction(self.per_hour) / _SECONDS_PER_HOUR
