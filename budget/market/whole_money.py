"""Money and hours as whole numbers, so that sums and comparisons of many purchases are exact.

The unit of money divides every price, whatever the budget, so that plans depend on ratios of
amounts alone: another currency changes nothing.
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budget.market.market import Market
from budget.market.offers import Offer

Whole = NDArray[Any]
"""Whole numbers: int64 where all sums fit, else Python's."""

_FITS = 2**60


class Segment:
    """One offer on the ledger's scale.

    Attributes
    ----------
    offer : as it was given
    most : labels that the supplier has at most, and the stratum has items for
    role : column of the hours that its work takes; 0, where money stands, if none is limited
    work : units of those hours per label
    """

    def __init__(self, offer: Offer, ledger: "Ledger", items: int) -> None:
        self.offer = offer
        self.most = items if offer.capacity is None else min(items, offer.capacity)
        self.role = 0
        self.work = 0
        if offer.role in ledger.roles and offer.seconds > 0:
            self.role = 1 + ledger.roles.index(offer.role)
            seconds = Fraction(offer.seconds) * offer.judgments
            self.work = int(seconds / ledger.work_units[offer.role])
        self._fixed = ledger.money_units(offer.fixed_cost)
        self._training = ledger.training
        self._starts = [0, *(discount.after for discount in offer.discounts)]
        costs = [offer.cost, *(discount.cost for discount in offer.discounts)]
        self._costs = [ledger.money_units(cost) for cost in costs]

    def money(self, labels: Whole) -> Whole:
        """Units of money that so many labels cost, their training included; any shape."""
        judgments = labels * self.offer.judgments
        total = np.minimum(labels, 1) * self._fixed + labels * self._training
        ends = [*self._starts[1:], None]
        for cost, start, end in zip(self._costs, self._starts, ends, strict=True):
            in_tier = judgments if end is None else np.minimum(judgments, end)
            total = total + np.maximum(in_tier - start, 0) * cost
        return np.asarray(total)

    def affordable(self, units: Whole, most: Whole) -> Whole:
        """The most labels, up to `most`, that cost at most `units`; (rows,), as are both."""
        if len(self._costs) == 1:
            each = self._costs[0] * self.offer.judgments + self._training
            if each == 0:
                return np.where(units >= self._fixed, most, 0)
            return np.clip((units - self._fixed) // each, 0, most)
        low, high = np.zeros_like(most), most.copy()
        for _ in range(int(max(most.max(initial=0), 1)).bit_length() + 1):
            middle = (low + high + 1) // 2
            fits = self.money(middle) <= units
            low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
        return np.minimum(low, high)


class Ledger:
    """The scale on which a market's money and hours are whole numbers.

    Attributes
    ----------
    roles : whose hours are limited; their columns follow that of money
    unit : of money, in the user's currency
    work_units : role -> seconds of work that one unit stands for
    training : units of money per label trained on
    dtype : of all whole numbers
    """

    def __init__(self, market: Market) -> None:
        self.roles = tuple(
            role
            for role in market.hours
            if any(offer.role == role and offer.seconds > 0 for offer in market.offers)
        )
        amounts = [market.training.per_label, market.training.fixed]
        for offer in market.offers:
            amounts += [offer.cost, offer.fixed_cost, *(own.cost for own in offer.discounts)]
        self.unit = _common_unit(amounts)
        self.work_units = {
            role: _common_unit(
                offer.seconds * offer.judgments for offer in market.offers if offer.role == role
            )
            for role in self.roles
        }
        self.training = self.money_units(market.training.per_label)
        self._market = market
        largest = sum(
            self.money_units(offer.fixed_cost)
            + (self.money_units(offer.cost) * offer.judgments + self.training)
            * (market.items[offer.stratum] + market.bought.get(offer.stratum, 0) + 1)
            for offer in market.offers
        )
        self.dtype: type = np.int64 if largest < _FITS else object

    def zeros(self, *shape: int) -> Whole:
        return np.zeros(shape, dtype=self.dtype)

    def money_units(self, amount: Decimal) -> int:
        """Units in an amount, rounded down; exact for prices."""
        return int(Fraction(amount) / self.unit)

    def amount(self, units: int) -> Fraction:
        """What so many units are, in the user's currency."""
        return int(units) * self.unit

    def limits(self, money: Decimal) -> Whole:
        """Units of money, and of each role's hours, that there are: (resources,)."""
        found = [self.money_units(money)]
        for role in self.roles:
            found.append(int(Fraction(self._market.hours[role]) * 3600 / self.work_units[role]))
        if self.dtype is object:
            return np.array(found, dtype=object)
        return np.array([min(units, _FITS) for units in found], dtype=np.int64)

    def segments(self, stratum: str) -> list[Segment]:
        """The offers of a stratum on this scale."""
        items = self._market.items[stratum]
        return [Segment(offer, self, items) for offer in self._market.of_stratum(stratum)]

    def usage(self, parts: Iterable[tuple[Segment, Whole]], rows: int) -> Whole:
        """What purchases use of money and hours: (rows, resources)."""
        used = self.zeros(rows, 1 + len(self.roles))
        for segment, labels in parts:
            used[:, 0] += segment.money(labels)
            if segment.role:
                used[:, segment.role] += labels * segment.work
        return used


def _common_unit(amounts: Iterable[Decimal]) -> Fraction:
    """The largest amount that divides all of them; 1 if all are zero."""
    fractions = [Fraction(amount) for amount in amounts]
    denominator = math.lcm(*(own.denominator for own in fractions))
    divisor = math.gcd(*(int(own * denominator) for own in fractions))
    return Fraction(divisor, denominator) if divisor else Fraction(1)
