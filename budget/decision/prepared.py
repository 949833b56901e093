"""What a question about a finished run is decided on: surface, market and money, as it asks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from analysis.run.conclusion import as_planned_with
from analysis.run.result import RunResult
from annotation.errors import InputError
from annotation.terms.cost import LabelTerms, mix_cost, money
from budget.decision.question import PlanOptions, amount, hours_of_roles
from budget.market.currencies import check_currency
from budget.market.market import Market, offers_at_terms
from budget.market.offers import ErrorRange
from budget.market.supplier_file import Suppliers, label_redraw_rate, read_suppliers
from budget.surface.response import ResponseSurface
from budget.surface.stored import surface_of


@dataclass(frozen=True)
class Prepared:
    """What a question about a finished run is decided on.

    Attributes
    ----------
    result : the run, as the method saw it whose evidence is wanted
    surface, market : of that method; what can be bought, at the prices and error rates asked about
    terms : stratum -> cost and error rate of a label
    suppliers : of a file; None for the terms of the run
    total : money for everything, the pilot included; None for as much as a target accuracy takes
    pilot_cost : what the run's pilot would cost
    """

    result: RunResult
    surface: ResponseSurface
    market: Market
    terms: Mapping[str, LabelTerms]
    suppliers: Suppliers | None
    total: Decimal | None
    pilot_cost: Decimal


def prepared(run: RunResult, options: PlanOptions, where: str) -> Prepared:
    """What is decided on; `where` the run is stands in messages.

    Raises InputError as `replan` does, but for a target accuracy that cannot be reached.
    """
    result = _evidence(run, where, options.method)
    surface = surface_of(result.methods[result.planning_method])
    terms = _terms(result, options.costs, options.error_rates)
    suppliers = None
    if options.suppliers is not None:
        choices = max(2, round(result.choices_per_item))
        others = [name for name in result.strata if name not in surface.strata]
        suppliers = read_suppliers(options.suppliers, surface.strata, choices, others)
        where = str(options.suppliers)
        check_currency(suppliers.currency, where, result.currency, "the run", "")
    market = _market(result, surface, terms, suppliers, options)
    total = _budget(options, result)
    pilot_cost = mix_cost(result.pilot.labels, _terms(result, {}, {}))
    if total is not None and pilot_cost > total:
        raise InputError(
            f"the budget of {total} is too small for the pilot, which costs {pilot_cost}; give at "
            f"least {pilot_cost}."
        )
    return Prepared(result, surface, market, terms, suppliers, total, pilot_cost)


def _evidence(result: RunResult, where: str, method: str | None) -> RunResult:
    """The run as the method saw it whose evidence is wanted."""
    chosen = method or result.planning_method
    if chosen not in result.methods:
        raise InputError(
            f"{where}: the run has no method '{chosen}'; choose one of {', '.join(result.methods)}."
        )
    return as_planned_with(result, chosen)


def _market(
    result: RunResult,
    surface: ResponseSurface,
    terms: Mapping[str, LabelTerms],
    suppliers: Suppliers | None,
    options: PlanOptions,
) -> Market:
    """What can still be bought: the pilot's terms go on, or the suppliers of a file.

    At the terms of a run on collected judgments only what was judged can be had; suppliers can be
    asked about everything that is left.
    """
    strata, pilot = surface.strata, result.pilot.labels
    clean = dict(zip(strata, surface.clean_shares().tolist(), strict=True))
    if suppliers is None:
        items = _not_bought(pilot, {name: result.strata[name].can_be_bought for name in strata})
        sold = clean | {
            name: _clean_share(result, name, rate) for name, rate in options.error_rates.items()
        }
        offers = offers_at_terms({name: terms[name] for name in strata}, sold)
        offers = tuple(
            own
            if own.stratum in options.error_rates
            else replace(own, error_range=_range(result, own.stratum))
            for own in offers
        )
        return Market(strata, offers, items, pilot, clean)
    hours = hours_of_roles(options, suppliers)
    items = _not_bought(pilot, {name: result.strata[name].pool_items for name in strata})
    return Market(strata, suppliers.offers, items, pilot, clean, hours, suppliers.training)


def _not_bought(pilot: Mapping[str, int], there: Mapping[str, int]) -> dict[str, int]:
    return {name: max(0, count - pilot.get(name, 0)) for name, count in there.items()}


def _clean_share(result: RunResult, name: str, error_rate: float) -> float:
    """Share of clean labels, of as many judgments as the run's, that err so often."""
    stratum = result.strata[name]
    choices = max(2, round(result.choices_per_item))
    kind = stratum.error_kind or "redraw"
    return 1 - label_redraw_rate(error_rate, kind, stratum.judgments, choices)


def _range(result: RunResult, name: str) -> ErrorRange | None:
    """Where the error rate of the run's own labels may be."""
    stratum = result.strata[name]
    if stratum.error_rate_low is None or stratum.error_rate_high is None:
        return None
    ends = (stratum.error_rate_low, stratum.error_rate_high)
    choices = max(2, round(result.choices_per_item))
    low, high = (
        label_redraw_rate(end, stratum.error_kind or "redraw", stratum.judgments, choices)
        for end in ends
    )
    unmeasured = stratum.shared_mistakes == "not excluded"
    return ErrorRange(*ends, low, high, unmeasured, stratum.gold_items_wanted)


def _budget(options: PlanOptions, result: RunResult) -> Decimal | None:
    """Money for everything, the pilot included; None for as much as a target accuracy takes."""
    if options.budget is not None:
        return amount("--budget", options.budget)
    return None if options.target_accuracy is not None else money(result.budget)


def _terms(
    result: RunResult, costs: Mapping[str, Decimal], error_rates: Mapping[str, float]
) -> dict[str, LabelTerms]:
    prices: dict[str, Decimal] = {
        name: money(stratum.cost)
        for name, stratum in result.strata.items()
        if stratum.cost is not None
    }
    for name, cost in costs.items():
        if name not in prices:
            raise InputError(
                f"--cost {name}={cost}: no such stratum for sale; choose from {', '.join(prices)}."
            )
        if cost == 0:
            raise InputError(f"--cost {name}={cost}: the cost should be above 0.")
        prices[name] = cost
    for name, rate in error_rates.items():
        if name not in prices:
            raise InputError(
                f"--error-rate {name}={rate:g}: no such stratum for sale; choose from "
                f"{', '.join(prices)}."
            )
    terms = {}
    for name, price in prices.items():
        stratum = result.strata[name]
        rate = error_rates.get(name, stratum.error_rate or 0.0)
        try:
            terms[name] = LabelTerms(price, rate, stratum.error_kind or "redraw")
        except InputError as error:
            raise InputError(f"--error-rate {name}={rate:g}: {error}") from None
    return terms
