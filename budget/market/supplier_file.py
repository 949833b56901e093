"""The file of suppliers: who labels, at which price, how well and how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError

from annotation.errors import InputError
from annotation.monitoring.alarms import FALSE_ALARMS, MOST_FALSE_ALARMS
from annotation.terms.clean_share import redraw_rates
from annotation.terms.cost import exact_decimal, money
from annotation.terms.majority import majority_redraw_rate
from annotation.terms.noise import ErrorKind
from budget.config.toml import Mistake, Money, Place, Section, first_error, read_toml
from budget.market.market import TrainingCost
from budget.market.offers import MOST_JUDGMENTS, Discount, ErrorRange, Offer


def _seconds(value: object) -> Decimal:
    """Seconds, exactly, within the same bounds as money.

    Raises InputError if they are no number, or negative.
    """
    try:
        return money(value)  # type: ignore[arg-type]  # it checks
    except InputError as error:
        raise InputError(str(error).replace("an amount of money", "seconds")) from None


Seconds = Annotated[Decimal, BeforeValidator(_seconds)]
Judgments = Annotated[int, Field(ge=1, le=MOST_JUDGMENTS)]
_ONE_SLIP = 0.9  # how alike two names are of which one is the other misspelt
_EXAMPLE = (
    "[suppliers.crowd] with cost, error_rate and, if you like, judgments = [1, 3], or let "
    "'labelmix judgments report --suppliers-out' write the file"
)


class DiscountSection(Section):
    """Judgments beyond the first `after` cost `cost` each."""

    after: Annotated[int, Field(ge=1)]
    cost: Money


class TermsSection(Section):
    """Terms of one supplier, for all strata or for one; see `budget.market.offers.Offer`."""

    cost: Money | None = None
    error_rate: Annotated[float, Field(ge=0, le=1)] | None = None
    error_kind: ErrorKind | None = None
    error_rate_low: Annotated[float, Field(ge=0, le=1)] | None = None
    error_rate_high: Annotated[float, Field(ge=0, le=1)] | None = None
    shared_mistakes: Literal["not excluded", "measured"] | None = None
    gold_items_wanted: Annotated[int, Field(ge=1)] | None = None
    judgments: Annotated[tuple[Judgments, ...], Field(min_length=1)] | None = None
    discounts: tuple[DiscountSection, ...] | None = None
    fixed_cost: Money | None = None
    least: Annotated[int, Field(ge=1)] | None = None
    capacity: Annotated[int, Field(ge=0)] | None = None
    seconds: Seconds | None = None
    per_hour: Money | None = None  # for work by the hour, beside `cost` or instead of it
    most_seconds: Seconds | None = None  # of a judgment that are paid by the hour


class SupplierSection(TermsSection):
    """One supplier; `strata` are those that it labels, with what differs there; default all.

    `channel` is how a collection reaches it: tasks in Label Studio, or a file that goes out and
    comes back.
    """

    role: str | None = None
    channel: Literal["label_studio", "file"] | None = None
    strata: dict[str, TermsSection] | None = None


class RoleSection(Section):
    """How much work the people of one role can do."""

    people: Annotated[int, Field(ge=1)] = 1
    hours_per_day: Annotated[float, Field(gt=0, le=24)] = 6.0


class TrainingSection(Section):
    """What training on the final purchase costs, in GPU hours and their price."""

    gpu_price: Money = Decimal(0)  # per hour
    gpu_hours: Money = Decimal(0)  # whatever is bought
    gpu_hours_per_1000_labels: Money = Decimal(0)

    def cost(self) -> TrainingCost:
        price = Fraction(self.gpu_price)
        return TrainingCost(
            exact_decimal(price * Fraction(self.gpu_hours)),
            exact_decimal(price * Fraction(self.gpu_hours_per_1000_labels) / 1000),
        )


class AlarmsSection(Section):
    """How many alarms about annotators may be false, per 1,000 judgments."""

    false_alarms: Annotated[float, Field(gt=0, le=MOST_FALSE_ALARMS)] = FALSE_ALARMS


class SuppliersFile(Section):
    """All that a file of suppliers says; `currency` is that of its prices, None where unknown."""

    currency: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    suppliers: Annotated[dict[str, SupplierSection], Field(min_length=1)]
    roles: dict[str, RoleSection] = Field(default_factory=dict)
    training: TrainingSection = TrainingSection()
    alarms: AlarmsSection = AlarmsSection()


@dataclass(frozen=True)
class Suppliers:
    """Offers, what training costs, and role -> hours of work a day.

    `left_out` are strata that the file has terms of and of which no labels are for sale;
    `currency` that of its prices, None where the file does not say.
    """

    offers: tuple[Offer, ...]
    training: TrainingCost
    hours_per_day: Mapping[str, Decimal]
    left_out: tuple[str, ...] = ()
    currency: str | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        named = [offer.role for offer in self.offers if offer.role is not None]
        return tuple(dict.fromkeys([*self.hours_per_day, *named]))


def read_suppliers(
    path: Path, strata: Sequence[str], choices: int, not_for_sale: Sequence[str] = ()
) -> Suppliers:
    """Read a file of suppliers for these strata and items of so many choices.

    `not_for_sale` are the other strata of the items: a measured file has terms of them, too, which
    are left out.

    Raises InputError: no such file, not TOML, a wrong key or value, a stratum that is none of the
    items', a supplier without cost or error rate, no supplier of any stratum that is for sale.
    """
    file = read_suppliers_file(path)
    try:
        offers = [
            offer
            for name, section in file.suppliers.items()
            for offer in _offers(name, section, strata, choices, not_for_sale)
        ]
        left_out = _left_out(file, not_for_sale)
        if not offers and left_out:
            raise InputError(
                f"the suppliers label {', '.join(left_out)} alone, which is not for sale in this "
                f"run; add a section for one of {', '.join(strata)}."
            )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Suppliers(
        tuple(offers),
        file.training.cost(),
        {
            name: exact_decimal(role.people * Fraction(str(role.hours_per_day)))
            for name, role in file.roles.items()
        },
        left_out,
        file.currency,
    )


def read_suppliers_file(path: Path) -> SuppliersFile:
    """All that a file of suppliers says, before it is known what is for sale.

    Raises InputError: no such file, not TOML, a wrong key or value.
    """
    raw = read_toml(path, f"write one with {_EXAMPLE}")
    try:
        file = SuppliersFile.model_validate(raw)
        _check_roles(file)
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error, _remedy)}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return file


def _left_out(file: SuppliersFile, not_for_sale: Sequence[str]) -> tuple[str, ...]:
    named = {name for supplier in file.suppliers.values() for name in supplier.strata or {}}
    return tuple(name for name in not_for_sale if name in named)


def _check_roles(file: SuppliersFile) -> None:
    """Without a deadline nobody has to state the hours of a role; a misspelt one is an error."""
    for name, section in file.suppliers.items():
        role = section.role
        near = get_close_matches(role, list(file.roles), n=1, cutoff=_ONE_SLIP) if role else []
        if near and role not in file.roles:
            raise InputError(
                f"suppliers.{name}.role: there is no [roles.{role}]; did you mean '{near[0]}'?"
            )


def _offers(
    name: str,
    section: SupplierSection,
    strata: Sequence[str],
    choices: int,
    not_for_sale: Sequence[str],
) -> list[Offer]:
    for stratum in section.strata or {}:
        if stratum not in (*strata, *not_for_sale):
            raise InputError(
                f"suppliers.{name}.strata.{stratum}: not for sale in this run; choose from "
                f"{', '.join(strata)}."
            )
    own = section.strata
    if own is not None:
        own = {stratum: terms for stratum, terms in own.items() if stratum not in not_for_sale}
    found = []
    for stratum in strata if own is None else own:
        place = name if own is None else f"{name}.strata.{stratum}"
        terms = terms_of(section, stratum)
        terms["cost"] = _cost(place, terms)
        if "error_rate" not in terms:
            raise InputError(f"suppliers.{place}.error_rate is missing; give a number.")
        _check_range(place, terms)
        least, capacity = terms.get("least", 1), terms.get("capacity")
        if capacity and least > capacity:
            raise InputError(
                f"suppliers.{name}: least is {least} {stratum} labels and capacity {capacity}, so "
                "that none can be bought; raise capacity or lower least."
            )
        for judgments in terms.get("judgments", (1,)):
            kind: ErrorKind = terms.get("error_kind", "redraw")
            found.append(
                Offer(
                    stratum=stratum,
                    supplier=name,
                    judgments=judgments,
                    cost=terms["cost"],
                    redraw_rate=label_redraw_rate(terms["error_rate"], kind, judgments, choices),
                    discounts=tuple(Discount(**each) for each in terms.get("discounts", ())),
                    fixed_cost=terms.get("fixed_cost", Decimal(0)),
                    least=terms.get("least", 1),
                    capacity=terms.get("capacity"),
                    seconds=terms.get("seconds", Decimal(0)),
                    role=section.role,
                    error_range=_error_range(terms, judgments, choices),
                )
            )
    return found


def terms_of(section: SupplierSection, stratum: str) -> dict[str, Any]:
    """What a supplier's section says of a stratum: its own keys where it has any, else the rest."""
    terms = section.model_dump(exclude={"role", "channel", "strata"}, exclude_none=True)
    if section.strata is not None:
        terms.update(section.strata[stratum].model_dump(exclude_none=True))
    return terms


def _cost(place: str, terms: Mapping[str, Any]) -> Decimal:
    """What a judgment costs: by the piece, by the hour, or both.

    Raises InputError if neither is told, or an hour's price without the seconds of a judgment.
    """
    if "per_hour" not in terms:
        if "cost" not in terms:
            raise InputError(
                f"suppliers.{place}.cost is missing; give a number, or per_hour with seconds."
            )
        return Decimal(terms["cost"])
    if "seconds" not in terms:
        raise InputError(
            f"suppliers.{place}.seconds is missing; with per_hour, give the seconds that a "
            "judgment takes."
        )
    by_hour = Fraction(terms["per_hour"]) * Fraction(terms["seconds"]) / 3600
    # A second's share of an hour has no exact decimal; nine digits are far below any cent.
    rounded = Decimal(round(by_hour * 10**9)).scaleb(-9)
    return exact_decimal(Fraction(terms.get("cost", 0)) + Fraction(rounded))


def label_redraw_rate(error_rate: float, kind: ErrorKind, judgments: int, choices: int) -> float:
    """Redraw rate of a label that is the majority of so many judgments.

    Of judgments that err so often, of items with so many choices.
    """
    one = redraw_rates(error_rate, kind, np.array([choices]))
    return majority_redraw_rate(float(one[0]), judgments, choices)


def _check_range(place: str, terms: Mapping[str, Any]) -> None:
    """Raise InputError if the ends of an error rate's interval are not around it, or one lacks."""
    low, high = terms.get("error_rate_low"), terms.get("error_rate_high")
    if (low is None) != (high is None):
        raise InputError(
            f"suppliers.{place}: error_rate_low and error_rate_high go together; give both or none."
        )
    if low is not None and high is not None and not low <= terms["error_rate"] <= high:
        raise InputError(
            f"suppliers.{place}: error_rate {terms['error_rate']:g} should be from error_rate_low "
            f"{low:g} to error_rate_high {high:g}; correct one of them."
        )


def _error_range(terms: Mapping[str, Any], judgments: int, choices: int) -> ErrorRange | None:
    """The interval of an error rate, of a judgment and of a label; None where none was told."""
    if terms.get("error_rate_low") is None:
        return None
    ends = float(terms["error_rate_low"]), float(terms["error_rate_high"])
    kind: ErrorKind = terms.get("error_kind", "redraw")
    low, high = (label_redraw_rate(end, kind, judgments, choices) for end in ends)
    return ErrorRange(
        *ends,
        low,
        high,
        terms.get("shared_mistakes") == "not excluded",
        terms.get("gold_items_wanted"),
    )


def _remedy(mistake: Mistake, place: Place) -> str:
    if mistake == "missing":
        return f"write {_EXAMPLE}"
    if mistake == "unknown key":
        return _keys_instead(place)
    if len(place) > 2 and place[0] == "suppliers":
        return f"terms of a stratum go into [suppliers.{place[1]}.strata.easy]"
    return ""


def _keys_instead(place: Place) -> str:
    """Which keys there are where an unknown one stands, the nearest of them first."""
    allowed = list(_section_at(place[:-1]).model_fields)
    name = str(place[-1])
    near = get_close_matches(name, allowed, n=1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    if place[0] == "suppliers" and name in RoleSection.model_fields:
        meant = f"'{name}' belongs into [roles.NAME], NAME being the supplier's role; "
    return f"{meant}the keys here are: {', '.join(allowed)}"


def _section_at(place: Place) -> type[Section]:
    """The section that stands at a place of the file."""
    if "discounts" in place[2:]:
        return DiscountSection
    if not place:
        return SuppliersFile
    if place[0] == "suppliers":
        return TermsSection if len(place) > 2 else SupplierSection
    if place[0] == "alarms":
        return AlarmsSection
    return RoleSection if place[0] == "roles" else TrainingSection
