"""`labelmix plan`: a decision on the evidence of a finished run, at other prices and suppliers."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pydantic import Field

from analysis.crossover import CrossoverBudget
from analysis.estimates import Estimate, Record
from analysis.run.caveats import evidence_notices
from analysis.run.conclusion import (
    Conclusion,
    TestedSides,
    WithoutLabels,
    conclude,
    without_labels,
)
from analysis.run.result import (
    ExchangeRate,
    MethodResult,
    MixSummary,
    PlanSummary,
    RunResult,
    read_result,
)
from analysis.run.verdicts import measured, same_purchase, words_of
from analysis.run.wording import why_not_yet
from annotation.terms.cost import LabelTerms, exact_decimal, mix_cost, money
from budget.decision.decide import Question, decide
from budget.decision.headline import Action, BetterRule, action_of
from budget.decision.prepared import Prepared, prepared
from budget.decision.question import PlanOptions, amount
from budget.decision.result import Decision, PlannedPurchase, PurchaseLine
from budget.market.market import Market
from budget.market.simple_rules import baseline_mixes
from budget.market.supplier_file import Suppliers
from budget.search.plan import expected_accuracy
from budget.surface.crossover import surface_crossover
from budget.surface.exchange_rate import exchange_rate
from budget.surface.response import ResponseSurface


class Alternative(MixSummary):
    """A simple rule at the same prices, which buys no pilot."""

    expected_accuracy: Estimate


class Replan(Record):
    """A plan at given prices; expected, not measured: nothing was trained for it.

    `costs` are those of labels to buy, `pilot` cost what the run's would. `plan` has the
    pilot in it; `decision` is about what to buy after it; `action` is what to do now, see
    `budget.decision.headline`.
    """

    method: str
    currency: str
    budget: float | None  # None: as much as the target accuracy takes
    costs: dict[str, float]
    target: str
    confidence: float
    pilot: MixSummary
    plan: PlanSummary
    exchange_rates: dict[str, ExchangeRate]
    crossovers: dict[str, CrossoverBudget]  # stratum -> against the target; see the run's
    alternatives: dict[str, Alternative]  # none where a file names the suppliers
    without_labels: dict[WithoutLabels, Estimate]  # what needs no label, as the run measured it
    commonest_class: str | None  # None: items do not share their choices
    decision: Decision
    action: Action
    better_rule: BetterRule | None  # that the run's test shows to be better than its plan
    tested_sides: dict[str, TestedSides]  # stratum -> all money on it or on the target, in the run
    measured: Estimate | None  # what the run's own training on the plan scored; None: not trained
    rehearsed: int  # purchases with guessed labels that the surface was told of
    warnings: list[str]  # what the run found that speaks against trusting a plan
    # Whether the run trained on people's own judgments. For its sentences, not for its JSON.
    collected: bool = Field(default=False, exclude=True)


def replan(run_folder: Path, options: PlanOptions) -> Replan:
    """Decide on the surface of a finished run.

    Raises InputError: no finished run there, an unknown method, stratum or role, a file of
    suppliers that cannot be used, a cost or budget that is no amount of money, an error rate that
    is none, a budget below the pilot's cost, a target accuracy that cannot be reached.
    """
    result = read_result(run_folder / "result.json")
    return replanned(prepared(result, options, str(run_folder)), options)


def replanned(own: Prepared, options: PlanOptions, with_sides: bool = True) -> Replan:
    """The decision; without `with_sides` not what would turn it, which takes most of the time.

    Raises InputError if a target accuracy cannot be reached or a number is out of range.
    """
    result, surface, market, terms = own.result, own.surface, own.market, own.terms
    suppliers, total, pilot_cost = own.suppliers, own.total, own.pilot_cost
    evidence, found = result.methods[result.planning_method], conclude(result)
    value = options.value_per_point
    question = Question(
        money=None if total is None else total - pilot_cost,
        target_accuracy=options.target_accuracy,
        probability=options.probability,
        rounds_left=options.rounds_left,
        value_per_point=None if value is None else amount("--value-per-point", value),
        choices=max(2, round(result.choices_per_item)),
    )
    decision = decide(surface, market, question, with_sides)
    if suppliers is None:
        decision = _with_judgments(decision, result)
    plan = _summary(decision, result, pilot_cost)
    as_sold = replace(surface, clean=_clean_of_offers(market, surface, options))
    rules = {} if suppliers or total is None else _alternatives(as_sold, terms, total, result)
    rule = _better_rule(found, result, plan, {} if options.error_rates else rules)
    rate_terms = terms if suppliers is None else _terms_of_offers(market, terms)
    return Replan(
        method=evidence.method,
        currency=result.currency,
        budget=None if total is None else float(total),
        costs={name: float(own.cost) for name, own in terms.items()},
        target=surface.target,
        confidence=result.confidence,
        pilot=MixSummary(labels=result.pilot.labels, cost=float(pilot_cost)),
        plan=plan,
        exchange_rates={
            name: exchange_rate(surface, name, rate_terms, result.pilot.labels, plan.trained_on)
            for name in surface.others
        },
        crossovers=_crossovers(surface, rate_terms, evidence, total, result, suppliers),
        alternatives=rules,
        without_labels=without_labels(result),
        commonest_class=result.commonest_class,
        decision=decision,
        action=action_of(decision, found.advice, rule),
        better_rule=rule,
        tested_sides=found.sides,
        measured=None if suppliers or options.error_rates else _measured(evidence, plan),
        rehearsed=len(evidence.rehearsals.purchases) if evidence.rehearsals else 0,
        warnings=[*_warnings(result, found), *_left_out(options.suppliers, suppliers)],
        collected=not words_of(result).simulated,
    )


def _clean_of_offers(
    market: Market, surface: ResponseSurface, options: PlanOptions
) -> dict[str, float]:
    """Share of clean labels of each stratum, as a rule would buy them that has no pilot."""
    found = dict(surface.clean)
    if options.error_rates:
        found |= {own.stratum: own.clean for own in market.offers}
    return found


def _with_judgments(decision: Decision, result: RunResult) -> Decision:
    """Labels at the run's terms take as many judgments as the run's; their price is that of all."""

    def lines(own: PlannedPurchase) -> dict[str, list[PurchaseLine]]:
        number = {name: stratum.judgments for name, stratum in result.strata.items()}
        return {
            "lines": [
                line.model_copy(update={"judgments": number[line.stratum]}) for line in own.lines
            ]
        }

    plan = decision.plan.model_copy(update=lines(decision.plan))
    others = [other.model_copy(update=lines(other)) for other in decision.others]
    return decision.model_copy(update={"plan": plan, "others": others})


def _terms_of_offers(market: Market, terms: Mapping[str, LabelTerms]) -> dict[str, LabelTerms]:
    """The price of one label of each stratum from whom its money buys most signal."""
    found = dict(terms)
    for name in market.strata:
        offers = [own for own in market.of_stratum(name) if own.cost and own.clean]
        if offers:
            best = min(offers, key=lambda own: float(own.cost) * own.judgments / own.clean**2)
            cost = exact_decimal(Fraction(best.cost) * best.judgments)
            found[name] = LabelTerms(cost, best.redraw_rate, "redraw")
    return found


def _crossovers(
    surface: ResponseSurface,
    terms: Mapping[str, LabelTerms],
    evidence: MethodResult,
    total: Decimal | None,
    result: RunResult,
    suppliers: Suppliers | None,
) -> dict[str, CrossoverBudget]:
    """At these prices, up to the money for everything, or to the run's where none was named."""
    measured = [point.labels for point in evidence.pilot_curve]
    most = result.budget if total is None else float(total)
    capacity = {name: result.strata[name].pool_items for name in surface.strata}
    clean = None
    if suppliers is not None:
        clean = {name: 1 - own.error_rate for name, own in terms.items()}
    found = {
        name: surface_crossover(surface, name, terms, measured, most, capacity, clean)
        for name in surface.others
    }
    return {name: own for name, own in found.items() if own is not None}


def _summary(decision: Decision, result: RunResult, pilot_cost: Decimal) -> PlanSummary:
    plan, pilot = decision.plan, result.pilot.labels
    return PlanSummary(
        labels={name: pilot.get(name, 0) + count for name, count in plan.labels.items()},
        trained_on=plan.trained_on,
        cost=float(exact_decimal(Fraction(pilot_cost) + Fraction(money(plan.cost)))),
        money_left=plan.money_left,
        labels_after_pilot=plan.labels,
        expected_accuracy=plan.expected_accuracy,
    )


def _measured(evidence: MethodResult, plan: PlanSummary) -> Estimate | None:
    """Accuracy of the same labels in the run, whatever they were bought as."""

    def some(labels: dict[str, int]) -> dict[str, int]:
        return {name: number for name, number in labels.items() if number}

    same = [own for own in evidence.accuracy.values() if some(own.labels) == some(plan.trained_on)]
    if not some(plan.trained_on) or not same:
        return None
    return Estimate(estimate=same[0].estimate, low=same[0].low, high=same[0].high)


def _alternatives(
    surface: ResponseSurface, terms: Mapping[str, LabelTerms], total: Decimal, result: RunResult
) -> dict[str, Alternative]:
    capacity = {name: result.strata[name].can_be_bought for name in surface.strata}
    found = {}
    for name, mix in baseline_mixes(total, terms, capacity, surface.strata).items():
        found[name] = Alternative(
            labels=mix,
            cost=float(mix_cost(mix, terms)),
            expected_accuracy=expected_accuracy(surface, mix),
        )
    return found


def _better_rule(
    found: Conclusion, result: RunResult, plan: PlanSummary, rules: Mapping[str, Alternative]
) -> BetterRule | None:
    """The rule that beat the run's plan in its test; None where none did."""
    if found.advice != "rule" or found.rule is None:
        return None
    name, own = found.rule
    tested = measured(result.methods[result.planning_method], "plan")
    assert tested is not None
    as_tested = name in rules and same_purchase(rules[name].labels, own.labels)
    return BetterRule(
        name=name,
        labels=own.labels,
        cost=rules[name].cost if as_tested else own.cost,
        accuracy=own.accuracy,
        plan_accuracy=Estimate(estimate=tested.estimate, low=tested.low, high=tested.high),
        same_plan=as_tested and same_purchase(plan.labels, result.plan.labels),
    )


def _left_out(path: Path | None, suppliers: Suppliers | None) -> list[str]:
    """What the file of suppliers has and the plan leaves out."""
    names = suppliers.left_out if suppliers is not None else ()
    if not names:
        return []
    left_out = ", ".join(names)
    return [f"{path}: terms of {left_out} are left out: not for sale in this run."]


def _warnings(result: RunResult, found: Conclusion) -> list[str]:
    if found.advice != "not_yet":
        return evidence_notices(result, found)
    return [
        f"{why_not_yet(result, found)}. A plan on this evidence is a guess.",
        *evidence_notices(result, found),
    ]
