"""Response surfaces that are known, a finished run that rests on one, and worlds made by hand."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.estimates import Estimate, SupervisionGap
from analysis.run.result import (
    ConditionAccuracy,
    CurvePoint,
    ExchangeRate,
    MethodResult,
    MixSummary,
    ModelSummary,
    PlanSummary,
    RoundSummary,
    RunResult,
    StratumSummary,
    SurfaceSummary,
    TrialCount,
    write_result,
)
from annotation.terms.cost import LabelTerms
from budget.surface.response import ResponseSurface
from budget.worlds.world import World
from tests.unit.budget.worlds_by_hand import Build, axes_items

Draws = float | list[float] | NDArray[np.float64]
HARDNESS = ("easy", "medium", "hard")
COSTS = {"easy": 1.0, "hard": 2.0}
PILOT = {"easy": 20, "hard": 20}


def known_surface(
    rates: Mapping[str, Draws],
    target: str = "hard",
    clean: Mapping[str, float] | None = None,
    **parameters: Draws,
) -> ResponseSurface:
    """Accuracy .3 + .6 n / (n + 100) after n target labels; all labels point the same way.

    `rates` are exchange rates per stratum other than the target: a label's signal is its square
    root. Labels of one stratum alone count as rate * labels target labels. Labels of several count
    as (sum of labels * signal)^2 / (sum of labels), which is less than what they count one by one
    where their signals differ. Several values are as many draws.
    """
    strata = tuple(name for name in HARDNESS if name in rates or name == target)
    values: dict[str, Draws] = {
        "floor": 0.3,
        "ceiling": 0.9,
        "steepness": 1e-6,  # erf is a straight line there
        "half_labels": 100.0,
        "exponent": 1.0,
        "shape": 1.0,
        "noise_power": 1.0,
        "test_offset": 0.0,
        **{f"alignment_{name}": 1.0 for name in rates},
        **{f"signal_{name}": np.sqrt(rate) for name, rate in rates.items()},
        **parameters,
    }
    names = ResponseSurface(strata, target, np.empty((0, 0)), 0.0, 0.0).parameter_names
    columns = np.broadcast_arrays(*(np.asarray(values[name], dtype=float) for name in names))
    draws = np.atleast_2d(np.stack(columns, axis=-1))
    return ResponseSurface(strata, target, draws, 0.0, 0.01, clean=clean or {})


def unknown() -> Estimate:
    return Estimate(estimate=None, low=None, high=None)


def told(value: float, half_width: float) -> Estimate:
    return Estimate(estimate=value, low=value - half_width, high=value + half_width)


def finished_method(method: str, surface: ResponseSurface) -> MethodResult:
    """What `labelmix plan` reads of a method: its surface, and that labels helped in the test."""
    rate = ExchangeRate(
        **told(0.6, 0.1).model_dump(),
        stratum="easy",
        target="hard",
        rate_resolved=True,
        better_buy_resolved=False,
        cost_ratio=0.5,
        probability_better_buy=0.9,
    )
    gap = SupervisionGap(
        **told(0.9, 0.2).model_dump(),
        resolved=True,
        easy=told(0.48, 0.04),
        hard=told(0.50, 0.04),
        unsupervised=told(0.30, 0.04),
        gap=told(0.2, 0.05),
        labels=50,
    )
    tested = ConditionAccuracy(**told(0.42, 0.04).model_dump(), labels=PILOT, cost=60.0, seeds=2)
    plan = PlanSummary(
        labels=PILOT,
        trained_on=PILOT,
        cost=60.0,
        money_left=40.0,
        labels_after_pilot={"easy": 0, "hard": 0},
        expected_accuracy=unknown(),
    )
    return MethodResult(
        method=method,
        exchange_rates={"easy": rate},
        plan=plan,
        accuracy={"plan": tested},
        sgr=gap,
        sgr_per_cost=None,
        baselines={},
        pilot_curve=[
            CurvePoint(labels={name: PILOT[name]}, cost=20.0, accuracy=tested, fitted=0.4, seeds=2)
            for name in PILOT
        ],
        fitted_curves=[],
        surface=SurfaceSummary(
            strata=list(surface.strata),
            target=surface.target,
            parameters={},
            parameter_names=surface.parameter_names,
            draws=surface.draws.tolist(),
            root_mean_square_residual=0.0,
            root_mean_square_noise=0.01,
            clean=dict(surface.clean),
        ),
    )


def finished_run(methods: Mapping[str, ResponseSurface], capacity: int = 1000) -> RunResult:
    """A run with a budget of 200, easy labels at 1, hard at 2, a pilot of 20 of each."""
    results = {name: finished_method(name, surface) for name, surface in methods.items()}
    planning = next(iter(results.values()))
    strata = {
        name: StratumSummary(
            rule=f"{name} items",
            items=capacity + 100,
            test_items=100,
            pool_items=capacity,
            cost=COSTS.get(name),
            error_rate=0.1 if name in COSTS else None,
            error_kind="redraw" if name in COSTS else None,
            true_flip_rate=0.075 if name in COSTS else None,
        )
        for name in HARDNESS
    }
    return RunResult(
        name="a known surface",
        labelmix_version="0.1.0",
        source="workshop",
        items=3 * (capacity + 100),
        item_fingerprint="0" * 64,
        choices_per_item=4.0,
        chance_accuracy=0.25,
        measure="steps",
        target="hard",
        strata=strata,
        model=ModelSummary(name="pico", revision="0", kind="decoder", parameters=1),
        planning_method=planning.method,
        currency="$",
        budget=200.0,
        confidence=0.95,
        pilot=MixSummary(labels=PILOT, cost=60.0),
        rounds=[RoundSummary(labels=PILOT, cost=60.0, expected_gain=None)],
        plan=planning.plan,
        exchange_rate=planning.exchange_rates["easy"],
        accuracy={},
        sgr=planning.sgr,
        sgr_per_cost=None,
        baselines={},
        methods=results,
        seeds=[0, 1],
        trials=TrialCount(total=0, by_method={}),
        warnings=[],
        timing={},
    )


@pytest.fixture
def make_surface() -> Callable[..., ResponseSurface]:
    return known_surface


@pytest.fixture
def store_run(tmp_path: Path) -> Callable[..., Path]:
    """`store_run(probe=surface, capacity=1000)` writes a finished run and gives its folder."""

    def store(capacity: int = 1000, **methods: ResponseSurface) -> Path:
        folder = tmp_path / "run"
        write_result(finished_run(methods, capacity), folder / "result.json")
        return folder

    return store


@pytest.fixture
def axes_world() -> Build:
    """`axes_world(budget=8, easy=("1", 0.0), hard=("2", 0.0))`: cost and error rate of each."""

    def build(
        budget: str = "8",
        easy: tuple[str, float] = ("1", 0.0),
        hard: tuple[str, float] = ("2", 0.0),
    ) -> World:
        terms = {
            "easy": LabelTerms(Decimal(easy[0]), easy[1], "redraw"),
            "hard": LabelTerms(Decimal(hard[0]), hard[1], "redraw"),
        }
        return World("axes", "hand-made", terms, Decimal(budget), axes_items, {"width": 2})

    return build
