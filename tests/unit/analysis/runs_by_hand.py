"""Results of runs with plausible numbers, for everything that shows one.

Accuracy follows one learning curve: from zero-shot .350 towards .700, with the effective number
of target labels `sum of rate * labels`. Measured values are the curve's plus a fixed offset.
"""

from analysis.crossover import CrossoverBudget
from analysis.estimates import Estimate, SupervisionGap
from analysis.run.result import (
    Baseline,
    CollectedSummary,
    ConditionAccuracy,
    CurvePoint,
    ExchangeRate,
    FittedCurve,
    MeasuredErrorRate,
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
                rate_resolved=True,
                better_buy_resolved=RATES[name] - 0.5 > COSTS[name] / COSTS["hard"],
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
            name: estimate((value - ZERO_SHOT) / (hard - ZERO_SHOT) / spent, 0.2 / spent)
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
        crossovers={
            name: CrossoverBudget(
                **unknown().model_dump(),
                stratum=name,
                target="hard",
                least=20 * COSTS["hard"],
                most=budget,
                measured_up_to=100 * COSTS[name],
                verdict="never changes",
                better_below=None,
                probability=0.02,
                better_throughout={name: 0.98, "hard": 0.0},
            )
            for name in strata
            if name != "hard"
        },
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


def collected_from(result: RunResult, **changes: object) -> RunResult:
    """The result as if people's own judgments had been trained on, three for every label."""
    errors = {"easy": (0.094, 0.076, 0.117, 2974), "hard": (0.427, 0.375, 0.481, 1445)}
    of_three = {"easy": 0.025, "hard": 0.391}  # 3 p^2 - 2 p^3
    rates = {
        name: MeasuredErrorRate(
            estimate=value, low=low, high=high, method="gold", judgments=judgments
        )
        for name, (value, low, high, judgments) in errors.items()
    }
    strata = dict(result.strata)
    for name, (value, *_) in errors.items():
        wrong = of_three[name]
        new = {"judgments": 3, "error_rate": value, "error_kind": "flip", "true_flip_rate": wrong}
        strata[name] = strata[name].model_copy(update=new)
    summary = CollectedSummary(
        files=["judgments.csv"],
        judgments=36_214,
        annotators=470,
        items=2530,
        left_out=0,
        judgments_for_strata=5,
        aggregate="majority",
        error_rates=rates,
    )
    collected = summary.model_copy(update=changes)
    return result.model_copy(update={"strata": strata, "collected": collected})
