"""Turn one method's measurements into its part of the result."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.accuracy import CONFIDENCE, ItemClusters
from analysis.crossover import CrossoverBudget
from analysis.efficiency import sgr_per_cost
from analysis.estimates import SupervisionGap
from analysis.over_untrained import over_untrained
from analysis.run.result import (
    Baseline,
    ConditionAccuracy,
    CurvePoint,
    FittedCurve,
    LentPoint,
    MethodResult,
    PlanSummary,
    Pull,
    Rehearsals,
    RehearsedPurchase,
)
from annotation.arrays import Correct
from annotation.terms.cost import mix_cost
from budget.campaign.planner import Explored
from budget.config.prepare import Setting
from budget.decision.alternatives import described
from budget.market.simple_rules import Mix, describe, single_stratum
from budget.search.plan import Plan, expected_accuracy
from budget.surface.crossover import surface_crossover
from budget.surface.exchange_rate import exchange_rate
from budget.surface.observation import Observation
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation
from budget.surface.stored import surface_summary

EQUAL_COUNT = "_equal_count"  # conditions of the SGR, which no budget rule stands behind
_CURVE_POINTS = 40


@dataclass(frozen=True)
class Measurements:
    """What one method's trials gave; arrays are (seeds, target test items)."""

    unsupervised: Correct
    commonest: Correct | None  # of always answering the commonest class; None: there are no classes
    explored: Explored
    plan: Plan  # of what to buy after that
    mixes: Mapping[str, Mix]  # condition -> labels trained on
    correct: Mapping[str, Correct]  # condition -> correctness
    gap: SupervisionGap


def summarise_method(
    setting: Setting, method: str, measured: Measurements, clusters: ItemClusters
) -> MethodResult:
    """Accuracies with intervals, exchange rates, baselines and curves of one method."""
    explored, mixes, correct = measured.explored, measured.mixes, measured.correct
    surface, plan = explored.surface, _plan_summary(setting, measured)
    paid = {**mixes, "plan": plan.labels}  # labels may be paid for and then left out of training
    untrained = {"zero_shot": measured.unsupervised}
    if measured.commonest is not None:
        untrained["commonest_class"] = measured.commonest
    accuracy = {name: _condition(setting, {}, own, clusters) for name, own in untrained.items()}
    if measured.commonest is None:
        accuracy["guessing"] = _guessing(setting.lab.chance)
    accuracy.update(
        {name: _condition(setting, paid[name], correct[name], clusters) for name in mixes}
    )
    return MethodResult(
        method=method,
        exchange_rates={
            name: exchange_rate(surface, name, setting.lab.terms, explored.bought, plan.trained_on)
            for name in surface.others
        },
        plan=plan,
        accuracy=accuracy,
        sgr=measured.gap,
        sgr_per_cost=sgr_per_cost(
            {name: correct[name] for name in mixes},
            {name: _cost(setting, paid[name]) for name in mixes},
            correct[setting.lab.target + EQUAL_COUNT],
            measured.unsupervised,
            clusters,
        ),
        baselines={
            name: _baseline(setting, name, mixes[name], surface, correct, clusters)
            for name in mixes
            if name != "plan" and not name.endswith(EQUAL_COUNT)
        },
        over_untrained={
            name: over_untrained(correct[name], untrained, setting.lab.chance, clusters)
            for name in mixes
        },
        tested_sides={
            name: clusters.difference(correct[f"all_{name}"], correct[f"all_{setting.lab.target}"])
            for name in surface.others
        },
        pilot_curve=[
            _curve_point(setting, o, surface, clusters)
            for o in explored.observations
            if not o.borrowed
        ],
        lent_curve=[
            _lent_point(setting, own, surface) for own in explored.observations if own.borrowed
        ],
        pulls={name: _pull(setting, name, own) for name, own in explored.separations.items()},
        rehearsals=_rehearsals(explored),
        fitted_curves=_fitted_curves(setting, surface, plan),
        crossovers=_crossovers(setting, explored),
        surface=surface_summary(surface),
    )


def _plan_summary(setting: Setting, measured: Measurements) -> PlanSummary:
    """What was bought already, and the plan for the rest."""
    bought, plan = measured.explored.bought, measured.plan
    purchase = described(plan, measured.explored.surface)
    labels = {name: bought[name] + plan.labels[name] for name in setting.lab.strata}
    return PlanSummary(
        labels=labels,
        trained_on=purchase.trained_on,
        cost=_cost(setting, labels),
        money_left=purchase.money_left,
        labels_after_pilot=purchase.labels,
        expected_accuracy=purchase.expected_accuracy,
    )


def _cost(setting: Setting, mix: Mapping[str, int]) -> float:
    return float(mix_cost(mix, setting.lab.terms))


def _guessing(chance: float) -> ConditionAccuracy:
    """What guessing gives: known without a test."""
    return ConditionAccuracy(estimate=chance, low=chance, high=chance, labels={}, cost=0.0, seeds=0)


def _condition(
    setting: Setting, mix: Mix, correct: Correct, clusters: ItemClusters
) -> ConditionAccuracy:
    return ConditionAccuracy(
        labels=mix,
        cost=_cost(setting, mix),
        seeds=correct.shape[0],
        **clusters.accuracy(correct).model_dump(),
    )


def _baseline(
    setting: Setting,
    name: str,
    mix: Mix,
    surface: ResponseSurface,
    correct: Mapping[str, Correct],
    clusters: ItemClusters,
) -> Baseline:
    return Baseline(
        labels=mix,
        cost=_cost(setting, mix),
        description=describe(name),
        expected_accuracy=expected_accuracy(surface, mix),
        accuracy=clusters.accuracy(correct[name]),
        plan_minus_baseline=clusters.difference(correct["plan"], correct[name]),
    )


def _lent_point(setting: Setting, observation: Observation, surface: ResponseSurface) -> LentPoint:
    mix = {setting.lab.task.target: observation.borrowed}
    return LentPoint(
        labels=observation.borrowed,
        cost=float(mix_cost(mix, setting.lab.terms)),
        accuracy=observation.accuracy,
        fitted=float(surface.predict([mix]).mean()),
        seeds=observation.correct.shape[0],
    )


def _pull(setting: Setting, stratum: str, separation: Separation) -> Pull:
    return Pull(
        estimate=separation.at(0),
        low=separation.at(-1),
        high=separation.at(1),
        items=setting.lab.items_read(stratum),
    )


def _rehearsals(explored: Explored) -> Rehearsals | None:
    control = explored.control
    if control is None:
        return None
    return Rehearsals(
        missed=control.missed,
        overconfidence=control.overconfidence,
        telling=control.telling,
        sound=control.sound,
        purchases=[
            RehearsedPurchase(
                labels=dict(own.labels),
                accuracy=own.accuracy,
                deviation=own.deviation,
                fitted=float(explored.surface.predict([own.labels], offset=False).mean()),
            )
            for own in explored.rehearsals
        ],
    )


def _curve_point(
    setting: Setting, observation: Observation, surface: ResponseSurface, clusters: ItemClusters
) -> CurvePoint:
    mix = dict(observation.labels)
    return CurvePoint(
        labels=mix,
        cost=_cost(setting, mix),
        accuracy=clusters.accuracy(observation.correct),
        fitted=float(surface.predict([mix]).mean()),
        seeds=observation.correct.shape[0],
    )


def _crossovers(setting: Setting, explored: Explored) -> dict[str, CrossoverBudget]:
    surface, lab = explored.surface, setting.lab
    measured = [own.labels for own in explored.observations if not own.borrowed]
    found = {
        name: surface_crossover(
            surface, name, lab.terms, measured, float(setting.budget), lab.capacity
        )
        for name in surface.others
    }
    return {name: own for name, own in found.items() if own is not None}


def _fitted_curves(
    setting: Setting, surface: ResponseSurface, plan: PlanSummary
) -> list[FittedCurve]:
    """The surface along the money: one stratum alone, and the plan's proportions."""
    whole: dict[str, Mix] = {
        f"all {name}": single_stratum(name, setting.budget, setting.lab.terms, setting.lab.capacity)
        for name in setting.lab.strata
    }
    whole["plan's mix"] = plan.trained_on
    return [_fitted_curve(setting, name, mix, surface) for name, mix in whole.items()]


def _fitted_curve(setting: Setting, name: str, whole: Mix, surface: ResponseSurface) -> FittedCurve:
    shares = np.linspace(0, 1, _CURVE_POINTS) ** 1.5  # denser where curves bend
    mixes = [{k: int(n * share) for k, n in whole.items()} for share in shares]
    draws = surface.predict(mixes)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return FittedCurve(
        name=name,
        costs=[_cost(setting, mix) for mix in mixes],
        estimate=draws.mean(0).tolist(),
        low=low.tolist(),
        high=high.tolist(),
    )
