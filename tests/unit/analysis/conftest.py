"""Example results with plausible numbers, for everything that shows a result.

Accuracy follows one learning curve: from zero-shot .350 towards .700, with the effective number
of target labels `sum of rate * labels`. Measured values are the curve's plus a fixed offset.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis.curves.result import (
    CostDifference,
    CountDifference,
    CurvesResult,
    MeasuredPoint,
)
from analysis.estimates import Estimate, SupervisionGap
from analysis.run.result import (
    Baseline,
    ConditionAccuracy,
    CurvePoint,
    ExchangeRate,
    FittedCurve,
    MethodResult,
    MixSummary,
    ModelSummary,
    PlanSummary,
    RoundSummary,
    RunResult,
    StratumSummary,
    SurfaceSummary,
    TrialCount,
)

ZERO_SHOT = 0.350
RATES = {"easy": 1.4, "medium": 1.2, "hard": 1.0}
COSTS = {"easy": 1.0, "medium": 1.5, "hard": 2.0}
RULES = {"easy": "steps <= 2", "medium": "3 <= steps <= 4", "hard": "steps >= 5"}
OFFSETS = (0.004, -0.009, 0.012, -0.006, 0.010, -0.003, 0.007, -0.011)


def estimate(value: float, half_width: float) -> Estimate:
    return Estimate(estimate=value, low=value - half_width, high=value + half_width)


def unknown() -> Estimate:
    return Estimate(estimate=None, low=None, high=None)


def curve(labels: dict[str, int]) -> float:
    effective = sum(RATES[name] * number for name, number in labels.items())
    return float(ZERO_SHOT + 0.35 * (1 - (1 + effective / 150) ** -0.8))


def cost(labels: dict[str, int]) -> float:
    return sum(COSTS[name] * number for name, number in labels.items())


def mixes(strata: list[str], budget: float) -> dict[str, dict[str, int]]:
    """The simple rules' purchases."""
    share = budget / len(strata)
    proportional = int(budget / sum(COSTS[name] for name in strata))
    return {
        "all_easy": {"easy": int(budget / COSTS["easy"])},
        "all_hard": {"hard": int(budget / COSTS["hard"])},
        "equal_spend": {name: int(share / COSTS[name]) for name in strata},
        "proportional": dict.fromkeys(strata, proportional),
    }


DESCRIPTIONS = {
    "all_easy": "the whole budget on easy labels",
    "all_hard": "the whole budget on hard labels",
    "equal_spend": "the same money for each stratum",
    "proportional": "labels in proportion to the items",
}


def method_result(
    method: str, strata: list[str], plan: dict[str, int], pilot: dict[str, int], budget: float
) -> MethodResult:
    lift = 0.0 if method == "probe" else 0.018
    measured_plan = curve(plan) - 0.004 + lift
    baselines = {
        name: Baseline(
            labels=labels,
            cost=cost(labels),
            description=DESCRIPTIONS[name],
            expected_accuracy=estimate(curve(labels), 0.034),
            accuracy=estimate(curve(labels) + lift + OFFSETS[index], 0.036),
            plan_minus_baseline=estimate(
                measured_plan - curve(labels) - lift - OFFSETS[index], 0.022
            ),
        )
        for index, (name, labels) in enumerate(mixes(strata, budget).items())
    }
    accuracy = {
        "zero_shot": ConditionAccuracy(
            estimate=ZERO_SHOT, low=0.302, high=0.398, labels={}, cost=0.0, seeds=1
        ),
        "plan": ConditionAccuracy(
            estimate=measured_plan,
            low=measured_plan - 0.034,
            high=measured_plan + 0.034,
            labels=plan,
            cost=cost(plan),
            seeds=5,
        ),
    }
    pilot_mixes = [{name: number} for number in (20, 40, 80, 100) for name in strata]
    pilot_mixes += [dict.fromkeys(strata, number) for number in (20, 50, 100)]
    points = [
        CurvePoint(
            labels=labels,
            cost=cost(labels),
            accuracy=estimate(curve(labels) + lift + OFFSETS[index % 8], 0.04),
            fitted=curve(labels) + lift,
            seeds=5,
        )
        for index, labels in enumerate(pilot_mixes)
    ]
    spends = [budget * part / 40 for part in range(1, 41)]
    ways: dict[str, dict[str, float]] = {f"all {name}": {name: 1 / COSTS[name]} for name in strata}
    ways["plan's mix"] = {name: number / cost(plan) for name, number in plan.items()}
    curves = []
    for name, per_dollar in ways.items():
        values = [
            curve({stratum: round(spend * number) for stratum, number in per_dollar.items()}) + lift
            for spend in spends
        ]
        widths = [0.018 + 0.00004 * spend for spend in spends]
        curves.append(
            FittedCurve(
                name=name,
                costs=spends,
                estimate=values,
                low=[value - width for value, width in zip(values, widths, strict=True)],
                high=[value + width for value, width in zip(values, widths, strict=True)],
            )
        )
    easy, hard = 0.493 + lift, 0.452 + lift
    recovered = (easy - ZERO_SHOT) / (hard - ZERO_SHOT)
    return MethodResult(
        method=method,
        exchange_rates={
            name: ExchangeRate(
                estimate=RATES[name],
                low=RATES[name] - 0.5,
                high=RATES[name] + 0.8,
                stratum=name,
                target="hard",
                resolved=True,
                cost_ratio=COSTS[name] / COSTS["hard"],
                probability_better_buy=0.98 if name == "easy" else 0.93,
            )
            for name in strata
            if name != "hard"
        },
        plan=PlanSummary(
            labels=plan,
            trained_on=plan,
            cost=cost(plan),
            money_left=budget - cost(plan),
            labels_after_pilot={name: plan[name] - pilot[name] for name in plan},
            expected_accuracy=estimate(curve(plan), 0.036),
        ),
        accuracy=accuracy,
        sgr=SupervisionGap(
            estimate=recovered,
            low=recovered - 0.41,
            high=recovered + 0.83,
            resolved=True,
            easy=estimate(easy, 0.035),
            hard=estimate(hard, 0.036),
            unsupervised=estimate(ZERO_SHOT, 0.048),
            gap=estimate(hard - ZERO_SHOT, 0.046),
            labels=160,
        ),
        sgr_per_cost={
            name: (value - ZERO_SHOT) / (hard - ZERO_SHOT) / spent
            for name, value, spent in [
                ("plan", measured_plan, cost(plan)),
                *(
                    (name, rule.accuracy.estimate or 0, rule.cost)
                    for name, rule in baselines.items()
                ),
            ]
        },
        baselines=baselines,
        pilot_curve=points,
        fitted_curves=curves,
        surface=SurfaceSummary(
            strata=strata,
            target="hard",
            parameters={"floor": 0.35, "gain": 0.35, "rate_easy": 1.4},
            parameter_names=["floor", "gain", "rate_easy"],
            draws=[[0.35, 0.35, 1.4]],
            root_mean_square_residual=0.0123,
            root_mean_square_noise=0.0147,
        ),
    )


def run_result(strata: list[str], plan: dict[str, int], pilot: dict[str, int]) -> RunResult:
    budget = 740.0
    methods = {
        method: method_result(method, strata, plan, pilot, budget) for method in ("probe", "qlora")
    }
    planning = methods["probe"]
    return RunResult(
        name="Workshop word problems",
        labelmix_version="0.1.0",
        source="workshop (3,000 generated items, seed 7)",
        items=3000,
        item_fingerprint="b7a1c44e5d0f92e3",
        choices_per_item=4.0,
        chance_accuracy=0.25,
        measure="steps",
        target="hard",
        strata={
            name: StratumSummary(
                rule=RULES[name],
                items=1000,
                test_items=400 if name == "hard" else 200,
                pool_items=600 if name == "hard" else 800,
                cost=COSTS[name] if name in strata else None,
                error_rate=(0.4 if name == "hard" else 0.2) if name in strata else None,
                error_kind="redraw" if name in strata else None,
                true_flip_rate=(0.3 if name == "hard" else 0.15) if name in strata else None,
            )
            for name in ("easy", "medium", "hard")
        },
        model=ModelSummary(name="pico", revision="9f3c2d1", kind="decoder", parameters=452_736),
        planning_method="probe",
        currency="$",
        budget=budget,
        confidence=0.95,
        pilot=MixSummary(labels=pilot, cost=cost(pilot)),
        rounds=[RoundSummary(labels=pilot, cost=cost(pilot), expected_gain=None)],
        plan=planning.plan,
        exchange_rate=planning.exchange_rates["easy"],
        accuracy=planning.accuracy,
        sgr=planning.sgr,
        sgr_per_cost=planning.sgr_per_cost,
        baselines=planning.baselines,
        methods=methods,
        seeds=[0, 1, 2, 3, 4],
        trials=TrialCount(total=212, by_method={"zero_shot": 1, "probe": 186, "qlora": 25}),
        warnings=[],
        timing={"seconds": 241.7},
    )


def with_planning_method(result: RunResult, **changes: object) -> RunResult:
    """The result with other fields of its planning method, kept the same at the top."""
    planning = result.methods[result.planning_method].model_copy(update=changes)
    shared = {name: value for name, value in changes.items() if name in RunResult.model_fields}
    if "exchange_rates" in changes:
        shared["exchange_rate"] = planning.exchange_rates[result.exchange_rate.stratum]
    methods = result.methods | {result.planning_method: planning}
    return result.model_copy(update={**shared, "methods": methods})


@pytest.fixture
def change_planning_method() -> Callable[..., RunResult]:
    return with_planning_method


@pytest.fixture(scope="session")
def resolved_result() -> RunResult:
    """Two strata for sale, everything resolved, no warnings."""
    return run_result(["easy", "hard"], {"easy": 520, "hard": 100}, {"easy": 100, "hard": 100})


@pytest.fixture(scope="session")
def three_strata_result() -> RunResult:
    plan = {"easy": 360, "medium": 120, "hard": 100}
    return run_result(["easy", "medium", "hard"], plan, {"easy": 100, "medium": 60, "hard": 100})


@pytest.fixture(scope="session")
def unresolved_gap_result(resolved_result: RunResult) -> RunResult:
    """No method's gap is resolved; the arms would give an SGR of 1.25, which must not be shown."""
    gap = SupervisionGap(
        estimate=None,
        low=None,
        high=None,
        resolved=False,
        easy=estimate(0.365, 0.035),
        hard=estimate(0.362, 0.036),
        unsupervised=estimate(0.350, 0.048),
        gap=Estimate(estimate=0.012, low=-0.010, high=0.034),
        labels=160,
    )
    changes = {"sgr": gap, "sgr_per_cost": None}
    methods = {
        key: method.model_copy(update=changes) for key, method in resolved_result.methods.items()
    }
    return resolved_result.model_copy(update={**changes, "methods": methods})


@pytest.fixture(scope="session")
def without_benefit_result(unresolved_gap_result: RunResult) -> RunResult:
    """No gap is resolved, and the plan's interval reaches down to no training."""
    accuracy = unresolved_gap_result.accuracy
    low = accuracy["plan"].model_copy(update={"estimate": 0.34, "low": 0.30, "high": 0.39})
    return with_planning_method(unresolved_gap_result, accuracy={**accuracy, "plan": low})


@pytest.fixture(scope="session")
def unresolved_rate_result(resolved_result: RunResult) -> RunResult:
    rate = ExchangeRate(
        estimate=None,
        low=None,
        high=None,
        stratum="easy",
        target="hard",
        resolved=False,
        cost_ratio=0.5,
        probability_better_buy=None,
    )
    return with_planning_method(resolved_result, exchange_rates={"easy": rate})


# -- learning curves: easy labels at 1, hard ones at 2, sizes 10, 40 and 160 -----------------------

CURVE_SIZES = [10, 40, 160]
CURVE_HEIGHTS = {
    ("easy", 0.0): [0.50, 0.62, 0.68],
    ("easy", 0.2): [0.49, 0.58, 0.66],
    ("hard", 0.0): [0.51, 0.58, 0.69],
    ("hard", 0.2): [0.48, 0.55, 0.64],
    ("hard", 0.4): [0.47, 0.50, 0.54],
}


def curves() -> CurvesResult:
    """Easy labels clean and at .2, hard ones clean, at .2 and .4; intervals of +- 1.5 points."""

    def difference(easy: float, hard: float, **more: Any) -> dict[str, Any]:
        value = round(easy - hard, 4)
        ends = estimate(value, 0.015).model_dump()
        return {**ends, "resolved": abs(value) > 0.015, **more}

    def at_size(easy_rate: float, hard_rate: float) -> list[CountDifference]:
        rates: dict[str, Any] = {"easy_error_rate": easy_rate, "hard_error_rate": hard_rate}
        heights = zip(
            CURVE_HEIGHTS["easy", easy_rate], CURVE_HEIGHTS["hard", hard_rate], strict=True
        )
        return [
            CountDifference(**difference(*pair), **rates, labels=size)
            for size, pair in zip(CURVE_SIZES, heights, strict=True)
        ]

    def at_cost(easy_rate: float, hard_rate: float) -> list[CostDifference]:
        rates: dict[str, Any] = {"easy_error_rate": easy_rate, "hard_error_rate": hard_rate}
        easy, hard = CURVE_HEIGHTS["easy", easy_rate], CURVE_HEIGHTS["hard", hard_rate]
        return [
            CostDifference(
                **difference(
                    float(np.interp(money, CURVE_SIZES, easy)),
                    float(np.interp(money / 2, CURVE_SIZES, hard)),
                ),
                **rates,
                cost=money,
                easy_labels=money,
                hard_labels=money / 2,
            )
            for money in (20.0, 40.0, 80.0, 160.0)
        ]

    points = [
        MeasuredPoint(
            **estimate(height, 0.03).model_dump(),
            stratum=stratum,
            error_rate=rate,
            true_flip_rate=0.75 * rate,
            labels=size,
            cost=COSTS[stratum] * size,
            seeds=5,
        )
        for (stratum, rate), heights in CURVE_HEIGHTS.items()
        for size, height in zip(CURVE_SIZES, heights, strict=True)
    ]
    gaps = [
        SupervisionGap(
            **(estimate(0.9, 0.2) if size == 160 else unknown()).model_dump(),
            resolved=size == 160,
            easy=estimate(easy, 0.03),
            hard=estimate(hard, 0.03),
            unsupervised=estimate(0.55, 0.03),
            gap=estimate(hard - 0.55, 0.05),
            labels=size,
        )
        for size, easy, hard in zip(
            CURVE_SIZES, CURVE_HEIGHTS["easy", 0.0], CURVE_HEIGHTS["hard", 0.0], strict=True
        )
    ]
    return CurvesResult(
        name="made",
        labelmix_version="0.1.0",
        source="workshop",
        items=3000,
        item_fingerprint="0" * 64,
        choices_per_item=4.0,
        chance_accuracy=0.25,
        measure="steps",
        easy="easy",
        target="hard",
        strata={},
        model=ModelSummary(name="pico", revision="0", kind="decoder", parameters=1),
        method="probe",
        currency="$",
        confidence=0.95,
        sizes=CURVE_SIZES,
        error_rates=[0.0, 0.2],
        hard_factor=2.0,
        hard_error_rates=[0.0, 0.4],
        seeds=[0, 1, 2, 3, 4],
        zero_shot=estimate(0.55, 0.03),
        points=points,
        equal_count=at_size(0.0, 0.0) + at_size(0.2, 0.4),
        equal_noise=at_size(0.0, 0.0) + at_size(0.2, 0.2),
        equal_cost=at_cost(0.0, 0.0) + at_cost(0.2, 0.4),
        crossings=[],
        sgr=gaps,
        trials=76,
        warnings=[],
        timing={"run_seconds": 1.0},
    )


@pytest.fixture(scope="session")
def curves_result() -> CurvesResult:
    return curves()
