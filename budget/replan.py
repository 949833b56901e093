"""`labelmix plan`: plan again on the evidence of a finished run, at other prices."""

from decimal import Decimal
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from analysis.caveats import notices
from analysis.number_format import labels_text, percent, span
from analysis.number_format import money as money_text
from analysis.result import (
    Estimate,
    ExchangeRate,
    MethodResult,
    MixSummary,
    PlanSummary,
    Record,
    RunResult,
    read_result,
)
from analysis.wording import break_even, labels_do_not_help, method_name, recommendation
from annotation.cost import LabelTerms, mix_cost, money
from annotation.errors import InputError
from budget.planner import exchange_rate, expected_accuracy, plan_purchase
from budget.policies import baseline_mixes
from budget.response import ResponseSurface


class Alternative(MixSummary):
    """A simple rule at the same prices."""

    expected_accuracy: Estimate


class Replan(Record):
    """A plan at given prices; expected, not measured: nothing was trained for it."""

    method: str
    currency: str
    budget: float
    costs: dict[str, float]
    target: str
    confidence: float
    plan: PlanSummary
    exchange_rates: dict[str, ExchangeRate]
    alternatives: dict[str, Alternative]
    warnings: list[str]  # what the run found that speaks against trusting a plan


def replan(run_folder: Path, budget: str | None, costs: list[str], method: str | None) -> Replan:
    """Plan on the surface of a finished run.

    Raises InputError: no finished run there, an unknown method or stratum, a cost or budget that
    is no amount of money, a budget below the pilot's cost.
    """
    result = read_result(run_folder / "result.json")
    chosen = method or result.planning_method
    if chosen not in result.methods:
        raise InputError(
            f"{run_folder}: the run has no method '{chosen}'; choose one of "
            f"{', '.join(result.methods)}."
        )
    evidence = result.methods[chosen]
    surface = surface_of(evidence)
    terms = _terms(result, costs)
    total = _budget(budget, result)
    capacity = {name: result.strata[name].pool_items for name in surface.strata}
    plan = plan_purchase(surface, terms, total, capacity, result.pilot.labels)
    mixes = baseline_mixes(total, terms, capacity, surface.strata)
    return Replan(
        method=chosen,
        currency=result.currency,
        budget=float(total),
        costs={name: float(t.cost) for name, t in terms.items()},
        target=surface.target,
        confidence=result.confidence,
        plan=plan.summary(),
        exchange_rates={
            name: exchange_rate(surface, name, terms, result.pilot.labels)
            for name in surface.others
        },
        alternatives={
            name: Alternative(
                labels=mix,
                cost=float(mix_cost(mix, terms)),
                expected_accuracy=expected_accuracy(surface, mix),
            )
            for name, mix in mixes.items()
        },
        warnings=_warnings(result),
    )


def _warnings(result: RunResult) -> list[str]:
    found = notices(result)
    if labels_do_not_help(result):
        found.insert(0, recommendation(result))
    return found


def surface_of(method: MethodResult) -> ResponseSurface:
    """The response surface that a result holds.

    Raises InputError if it is that of another version, with other parameters.
    """
    stored = method.surface
    surface = ResponseSurface(
        strata=tuple(stored.strata),
        target=stored.target,
        draws=np.array(stored.draws),
        root_mean_square_residual=stored.root_mean_square_residual,
        root_mean_square_noise=stored.root_mean_square_noise,
    )
    if surface.parameter_names != stored.parameter_names:
        raise InputError(
            f"the run's response surface for '{method.method}' is that of another version of "
            "labelmix; start the run again: its trials are kept and only the rest is done anew."
        )
    return surface


def _budget(given: str | None, result: RunResult) -> Decimal:
    if given is None:
        return money(result.budget)
    try:
        return money(given)
    except InputError as error:
        raise InputError(f"--budget {given}: {error}") from None


def _terms(result: RunResult, costs: list[str]) -> dict[str, LabelTerms]:
    prices: dict[str, Decimal] = {
        name: money(stratum.cost)
        for name, stratum in result.strata.items()
        if stratum.cost is not None
    }
    for given in costs:
        name, separator, amount = given.partition("=")
        if not separator or name not in prices:
            raise InputError(
                f"--cost {given}: should be STRATUM=COST with one of {', '.join(prices)}, "
                f"for example --cost {next(iter(prices))}=1.5."
            )
        try:
            prices[name] = money(amount)
        except InputError as error:
            raise InputError(f"--cost {given}: {error}") from None
        if prices[name] == 0:
            raise InputError(f"--cost {given}: the cost should be above 0.")
    terms = {}
    for name, cost in prices.items():
        stratum = result.strata[name]
        terms[name] = LabelTerms(cost, stratum.error_rate or 0.0, stratum.error_kind or "redraw")
    return terms


def show_replan(replanned: Replan) -> None:
    """Print a plan and its alternatives for a person."""
    console = Console(highlight=False, markup=False)
    plan, currency = replanned.plan, replanned.currency
    console.print(
        f"Buy {labels_text(plan.labels)} for {money_text(plan.cost, currency)} "
        f"({money_text(plan.money_left, currency)} of "
        f"{money_text(replanned.budget, currency)} left); after the pilot: "
        f"{labels_text(plan.labels_after_pilot)}."
    )
    for rate in replanned.exchange_rates.values():
        console.print(break_even(rate, replanned.confidence))
    title = f"Expected on {replanned.target} items, {method_name(replanned.method)}; not trained"
    table = Table("purchase", "labels", "cost", "expected", "interval", title=title)
    rows: dict[str, PlanSummary | Alternative] = {"plan": plan, **replanned.alternatives}
    for name, row in rows.items():
        table.add_row(
            name.replace("_", " "),
            labels_text(row.labels),
            money_text(row.cost, currency),
            percent(row.expected_accuracy.estimate),
            span(row.expected_accuracy),
        )
    console.print(table)
    for warning in replanned.warnings:
        console.print(f"note: {warning}", style="yellow")
