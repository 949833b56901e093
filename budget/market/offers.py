"""What suppliers offer: labels of one stratum, at a price, so clean, as fast as they work."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal, money
from annotation.terms.noise import (
    check_error_rate,
)

MOST_JUDGMENTS = 7


@dataclass(frozen=True)
class Discount:
    """Judgments beyond the first `after` of a purchase cost `cost` each."""

    after: int
    cost: Decimal


@dataclass(frozen=True)
class ErrorRange:
    """Where an error rate may be that was measured.

    `low` and `high` are of a judgment, as they are told; `redraw_low` and `redraw_high` of a
    label. `shared_mistakes`: mistakes that people share are not excluded. `gold_items`: about so
    many more items with a known answer would settle it; None where that is not known.
    """

    low: float
    high: float
    redraw_low: float
    redraw_high: float
    shared_mistakes: bool = False
    gold_items: int | None = None


@dataclass(frozen=True)
class Offer:
    """Labels of one stratum by one supplier, each aggregated from so many judgments.

    Attributes
    ----------
    stratum, supplier : whose labels, and who gives them
    judgments : per label, 1 to 7
    cost : per judgment
    redraw_rate : of a label, once its judgments are aggregated, see `annotation.terms.majority`
    discounts : in order of `after`; each costs less than the one before
    fixed_cost : paid once if anything is bought
    least : labels that a purchase has at least
    capacity : labels that can be had at most; None where only the items limit them
    seconds : of work per judgment
    role : whose hours that work takes; None if nobody's
    error_range : where the error rate may be; None where it is taken as known

    Raises InputError where a number makes no sense.
    """

    stratum: str
    supplier: str
    judgments: int
    cost: Decimal
    redraw_rate: float
    discounts: tuple[Discount, ...] = ()
    fixed_cost: Decimal = Decimal(0)
    least: int = 1
    capacity: int | None = None
    seconds: Decimal = Decimal(0)
    role: str | None = None
    error_range: ErrorRange | None = None

    def __post_init__(self) -> None:
        where = f"supplier '{self.supplier}', stratum '{self.stratum}'"
        try:
            object.__setattr__(self, "cost", money(self.cost))
            object.__setattr__(self, "fixed_cost", money(self.fixed_cost))
            object.__setattr__(self, "seconds", money(self.seconds))
            check_error_rate(self.redraw_rate)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if not 1 <= self.judgments <= MOST_JUDGMENTS:
            raise InputError(
                f"{where}: judgments per label should be 1 to {MOST_JUDGMENTS}; "
                f"got {self.judgments}."
            )
        if self.least < 1:
            raise InputError(f"{where}: the least purchase should be 1 label; got {self.least}.")
        if self.capacity is not None and self.capacity < 0:
            raise InputError(f"{where}: capacity should not be negative; got {self.capacity}.")
        after, cost = 0, self.cost
        for discount in self.discounts:
            if discount.after <= after or not 0 <= discount.cost < cost:
                raise InputError(
                    f"{where}: discounts should start later and cost less one after the other; "
                    f"got {discount.cost} after {discount.after} judgments."
                )
            after, cost = discount.after, discount.cost

    @property
    def clean(self) -> float:
        """Share of labels that are not redrawn."""
        return 1 - self.redraw_rate

    @property
    def is_plain(self) -> bool:
        """Whether any number of labels can be had, and every label costs the same."""
        return (
            self.judgments == 1
            and not self.discounts
            and not self.fixed_cost
            and self.least == 1
            and self.capacity is None
        )

    def price(self, labels: int) -> Decimal:
        """What so many labels cost, exactly."""
        if labels == 0:
            return Decimal(0)
        total, judgments = Fraction(self.fixed_cost), labels * self.judgments
        starts = [0, *(discount.after for discount in self.discounts), judgments]
        costs = [self.cost, *(discount.cost for discount in self.discounts)]
        for cost, start, end in zip(costs, starts, starts[1:], strict=False):
            total += Fraction(cost) * max(0, min(end, judgments) - start)
        return exact_decimal(total)

    def work(self, labels: int) -> Decimal:
        """Hours of work that so many labels take, rounded to nine digits."""
        seconds = Fraction(self.seconds) * labels * self.judgments
        return Decimal(round(seconds / 3600 * 10**9)).scaleb(-9)
