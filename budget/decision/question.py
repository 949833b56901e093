"""What the command line says to `labelmix plan`, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal, money
from budget.market.supplier_file import Suppliers


@dataclass(frozen=True)
class PlanOptions:
    """Options of the command as they were given; None, or empty, where they were not.

    By stratum, `costs` are per label and `error_rates` of judgments of labels to buy; `hours` are
    of work by role, `deadline_days` working days.
    """

    budget: str | None = None
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    error_rates: Mapping[str, float] = field(default_factory=dict)
    method: str | None = None
    suppliers: Path | None = None
    target_accuracy: float | None = None
    probability: float = 0.9
    deadline_days: float | None = None
    hours: Mapping[str, Decimal] = field(default_factory=dict)
    rounds_left: int | None = None
    value_per_point: str | None = None

    def __post_init__(self) -> None:
        if self.suppliers is not None and self.costs:
            raise InputError("--cost goes without --suppliers; set costs in the file of suppliers.")
        if self.suppliers is not None and self.error_rates:
            raise InputError(
                "--error-rate goes without --suppliers; set error rates in the file of suppliers."
            )
        if self.target_accuracy is None and self.probability != PlanOptions.probability:
            raise InputError("--probability goes with --target-accuracy, which it is asked of.")
        for name, given in (("--deadline-days", self.deadline_days), ("--hours", self.hours)):
            if given and self.suppliers is None:
                raise InputError(f"{name} goes with --suppliers, which says who needs how long.")


def amount(option: str, given: str) -> Decimal:
    """Money that an option names.

    Raises InputError if it is none.
    """
    try:
        return money(given)
    except InputError as error:
        raise InputError(f"{option} {given}: {error}") from None


def hours_of_roles(options: PlanOptions, suppliers: Suppliers) -> dict[str, Decimal]:
    """Role -> hours of work until the deadline; roles without a limit are not named.

    Raises InputError if a role is unknown, or somebody's work is not counted although hours are
    limited.
    """
    found: dict[str, Decimal] = {}
    if options.deadline_days is not None:
        if not 0 <= options.deadline_days < 1e6:
            raise InputError(
                f"--deadline-days should be from 0 to a million; got {options.deadline_days}."
            )
        days = Fraction(str(options.deadline_days))
        for role, a_day in suppliers.hours_per_day.items():
            found[role] = exact_decimal(days * Fraction(a_day))
        if not found:
            raise InputError(
                "--deadline-days needs sections [roles.NAME] with people and hours_per_day in the "
                "file of suppliers; or give --hours ROLE=HOURS."
            )
    for role, number in options.hours.items():
        if role not in suppliers.roles:
            known = ", ".join(suppliers.roles) or "none; set role = in the file of suppliers"
            raise InputError(f"--hours {role}={number}: no such role; roles are: {known}.")
        found[role] = number
    if found:
        _check_work(options, suppliers, found)
    return found


def _check_work(options: PlanOptions, suppliers: Suppliers, hours: Mapping[str, Decimal]) -> None:
    """Whose hours are limited must take time; by a deadline everybody's are who takes any."""
    for offer in suppliers.offers:
        place = f"{options.suppliers}: suppliers.{offer.supplier}"
        if offer.role in hours and not offer.seconds:
            raise InputError(
                f"{place}, {offer.stratum}: seconds of work on a judgment are missing, so that the "
                f"hours of role '{offer.role}' would limit nothing; set seconds."
            )
        if options.deadline_days is None:
            continue
        if offer.role is None and offer.seconds:
            raise InputError(
                f"{place}: seconds are given but no role whose hours they take; set role."
            )
        if offer.role is not None and offer.role not in hours:
            raise InputError(
                f"{place}.role: there is no [roles.{offer.role}] with people and hours_per_day, so "
                f"the deadline would not limit it; add it, or give --hours {offer.role}=HOURS."
            )
