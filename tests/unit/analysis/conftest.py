"""Example results, for everything that shows a result: runs and learning curves."""

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
from analysis.run.result import ExchangeRate, ModelSummary, RunResult
from tests.unit.analysis.runs_by_hand import (
    COSTS,
    collected_from,
    estimate,
    run_result,
    unknown,
    with_planning_method,
)


@pytest.fixture
def change_planning_method() -> Callable[..., RunResult]:
    return with_planning_method


@pytest.fixture(scope="session")
def resolved_result() -> RunResult:
    """Two strata for sale, everything resolved, no warnings."""
    return run_result(["easy", "hard"], {"easy": 520, "hard": 100}, {"easy": 100, "hard": 100})


@pytest.fixture(scope="session")
def collected_result(resolved_result: RunResult) -> RunResult:
    """The same, trained on people's own judgments."""
    return collected_from(resolved_result)


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
    """No gap is resolved, and whatever was trained reaches down to no training."""
    accuracy, rules = unresolved_gap_result.accuracy, unresolved_gap_result.baselines
    low = accuracy["plan"].model_copy(update={"estimate": 0.34, "low": 0.30, "high": 0.39})
    as_low = {
        name: rule.model_copy(
            update={"accuracy": estimate(0.36, 0.04), "plan_minus_baseline": estimate(-0.02, 0.03)}
        )
        for name, rule in rules.items()
    }
    return with_planning_method(
        unresolved_gap_result, accuracy={**accuracy, "plan": low}, baselines=as_low
    )


@pytest.fixture(scope="session")
def rule_better_result(resolved_result: RunResult) -> RunResult:
    """Tested, all easy beat the plan by 1.9 points, whose interval leaves out zero."""
    rules = dict(resolved_result.baselines)
    difference = estimate(-0.019, 0.015)
    rules["all_easy"] = rules["all_easy"].model_copy(update={"plan_minus_baseline": difference})
    return with_planning_method(resolved_result, baselines=rules)


@pytest.fixture(scope="session")
def test_against_pilot_result(resolved_result: RunResult) -> RunResult:
    """The pilot calls easy labels the better buy; tested, all hard gave 56.5 %, all easy 51 %.

    The plan, which bought most of them, scored less than it should have.
    """
    accuracy, rules = dict(resolved_result.accuracy), dict(resolved_result.baselines)
    accuracy["plan"] = accuracy["plan"].model_copy(update=estimate(0.56, 0.024).model_dump())
    for name, value in (("all_easy", 0.51), ("all_hard", 0.565)):
        rules[name] = rules[name].model_copy(
            update={
                "accuracy": estimate(value, 0.03),
                "plan_minus_baseline": estimate(0.56 - value, 0.03),
            }
        )
    rates = {
        "easy": resolved_result.exchange_rate.model_copy(
            update={
                "low": 0.4,
                "better_buy_resolved": False,
                "probability_better_buy": 0.86,
            }
        )
    }
    return with_planning_method(
        resolved_result,
        accuracy=accuracy,
        baselines={name: rules[name] for name in ("all_easy", "all_hard")},
        exchange_rates=rates,
        tested_sides={"easy": estimate(-0.055, 0.03)},
    )


@pytest.fixture(scope="session")
def unresolved_rate_result(resolved_result: RunResult) -> RunResult:
    rate = ExchangeRate(
        estimate=None,
        low=None,
        high=None,
        stratum="easy",
        target="hard",
        rate_resolved=False,
        better_buy_resolved=False,
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
        crossovers=[],
        sgr=gaps,
        trials=76,
        warnings=[],
        timing={"run_seconds": 1.0},
    )


@pytest.fixture(scope="session")
def curves_result() -> CurvesResult:
    return curves()
