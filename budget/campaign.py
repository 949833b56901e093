"""One round of a campaign: pilot, plan, buy, train, compare."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.accuracy import CONFIDENCE, Resampling, interval
from analysis.efficiency import sgr_per_cost
from analysis.result import (
    Baseline,
    ConditionAccuracy,
    CurvePoint,
    Estimate,
    FittedCurve,
    MethodResult,
    MixSummary,
    ModelSummary,
    PlanSummary,
    RunResult,
    StratumSummary,
    SurfaceSummary,
    TrialCount,
    write_result,
)
from analysis.sgr import supervision_gap_recovered
from annotation.cost import LabelTerms, mix_cost
from annotation.errors import InputError
from annotation.noise import true_flip_rate
from annotation.sources import load_items
from annotation.strata import Strata
from budget.config import MethodName, RunConfig
from budget.planner import Plan, exchange_rate, expected_accuracy, plan_purchase
from budget.policies import Mix, baseline_mixes, describe, single_stratum
from budget.response import Observation, ResponseSurface, fit_surface
from training.engines import LocalEngine, Watcher, local_engine
from training.models import ModelSource, Quantisation, count_parameters, find_model
from training.store import TrialStore
from training.task import Pilot, Task, TestSizes
from training.trials import Trial, TrialResult, make_trial

Correct = NDArray[np.bool_]
_CURVE_POINTS = 40
# The surface is called a bad fit where it misses the points by this many times their noise.
_BAD_FIT = 2.0


@dataclass(frozen=True)
class Setting:
    """What a run works on: the task, the model, the terms of sale."""

    config: RunConfig
    task: Task
    source: ModelSource
    terms: dict[str, LabelTerms]
    capacity: dict[str, int]
    resampling: Resampling  # of the target's test items

    @property
    def budget(self) -> Decimal:
        return self.config.budget.total

    @property
    def strata(self) -> tuple[str, ...]:
        """Strata for sale, in order of hardness."""
        return tuple(name for name in self.task.strata.names if name in self.terms)

    @property
    def pilot_mix(self) -> Mix:
        return dict.fromkeys(self.strata, self.config.pilot.labels)

    @property
    def on_target(self) -> NDArray[np.bool_]:
        """Which test items are of the target stratum, (test items,)."""
        return np.asarray(self.task.test_strata == self.task.target)

    @property
    def chance(self) -> float:
        """Accuracy of guessing on the target's test items."""
        counts = self.task.choice_counts[self.task.test_positions][self.on_target]
        return float((1 / counts).mean())


def run_campaign(config: RunConfig, out: Path, watcher: Watcher, workers: int = 1) -> RunResult:
    """Run a configuration and write `result.json` into `out`.

    Every trial is kept in `out/trials.sqlite` the moment it is done: an interrupted run that is
    started again goes on where it was.

    Raises InputError for input that cannot be used.
    """
    started = time.perf_counter()
    setting = prepare(config)
    with (
        TrialStore(out / "trials.sqlite") as store,
        local_engine(setting.task, setting.source, out / "features", store, workers) as engine,
    ):
        campaign = _Campaign(setting, engine, watcher)
        methods = {method: campaign.evaluate(method) for method in config.methods.names}
        result = campaign.summarise(methods)
    result = result.model_copy(
        update={
            "timing": {
                "run_seconds": time.perf_counter() - started,
                "training_seconds": campaign.training_seconds,
            }
        }
    )
    write_result(result, out / "result.json")
    return result


def prepare(config: RunConfig) -> Setting:
    """Load items, cut strata, draw the test set and check that the run is possible.

    Raises InputError if it is not.
    """
    source = find_model(config.model.path)
    if source.kind == "encoder" and "qlora" in config.methods.names:
        raise InputError(
            f"model '{source.name}' is an encoder: qlora needs a decoder (causal) language model; "
            "leave qlora out of [methods], or name another model."
        )
    items = load_items(config.items.source, **config.items.options())
    strata = Strata(
        config.strata.measure, config.strata.easy_at_most, config.strata.hard_at_least
    )
    sizes = TestSizes(target=config.test.items, others=config.test.other_items)
    task = Task(items, strata, config.strata.target, sizes, config.test.seed)
    terms = config.terms()
    capacity = {name: int(task.pools[name].size) for name in terms}
    for name, available in capacity.items():
        if available < config.pilot.labels:
            raise InputError(
                f"stratum '{name}' ({strata.rule(name)}) has {available} items left to label "
                f"after the test set, too few for a pilot of {config.pilot.labels}; lower "
                "[pilot] labels or [test] items, or move the cut."
            )
    on_target = task.test_strata == task.target
    return Setting(config, task, source, terms, capacity, Resampling(task.test_groups[on_target]))


class _Campaign:
    """Runs the trials of one setting and turns them into a result."""

    def __init__(self, setting: Setting, engine: LocalEngine, watcher: Watcher) -> None:
        self.setting = setting
        self.training_seconds = 0.0
        self._engine = engine
        self._watcher = watcher
        self._trials: dict[str, Trial] = {}
        self._warnings: list[str] = []

    # -- trials ----------------------------------------------------------------------------

    def _trial(self, method: str, mix: Mix, seed: int, pilot: Pilot | None = None) -> Trial:
        s = self.setting
        quantisation: Quantisation = "nf4" if method == "qlora" else "none"
        assert method in ("probe", "qlora")
        name: MethodName = "qlora" if method == "qlora" else "probe"
        settings = s.config.method_settings(name)
        return make_trial(
            s.task, s.source, name, settings, mix, s.terms, seed, pilot, quantisation
        )

    def _zero_shot_trial(self, method: str) -> Trial:
        """The base model as `method` uses it, untrained."""
        quantisation: Quantisation = "nf4" if method == "qlora" else "none"
        s = self.setting
        return make_trial(
            s.task, s.source, "zero_shot", {}, {}, s.terms, seed=0, quantisation=quantisation
        )

    def _run(self, trials: Sequence[Trial], description: str) -> dict[str, TrialResult]:
        results = self._engine.run(trials, self._watcher, description)
        new = {t.key: t for t in trials if t.key not in self._trials}
        self.training_seconds += sum(results[key].seconds for key in new)
        self._trials.update(new)
        return results

    def _target_correct(self, results: Sequence[TrialResult]) -> Correct:
        """(seeds, target test items) of trials that differ in the seed alone."""
        return np.stack([r.correct[self.setting.on_target] for r in results])

    # -- one method --------------------------------------------------------------------------

    def evaluate(self, method: str) -> MethodResult:
        """Pilot, surface, plan, baselines, SGR: everything one training method has to say."""
        s = self.setting
        zero_shot_trial = self._zero_shot_trial(method)
        unsupervised = self._target_correct(
            [self._run([zero_shot_trial], f"{method}: zero-shot")[zero_shot_trial.key]]
        )
        observations = self._pilot(method)
        surface = fit_surface(
            observations,
            s.strata,
            s.task.target,
            unsupervised[0] if method == "qlora" else None,
            s.chance,
            s.task.test_groups[s.on_target],
        )
        self._check_fit(method, surface)
        plan = plan_purchase(surface, s.terms, s.budget, s.capacity, s.pilot_mix)
        mixes = {"plan": plan.mix}
        mixes.update(baseline_mixes(s.budget, s.terms, s.capacity, s.strata))
        easy, arm = self._equal_count()
        mixes[f"{easy}_equal_count"] = {easy: arm}
        mixes[f"{s.task.target}_equal_count"] = {s.task.target: arm}
        correct = self._train_conditions(method, mixes)
        gap = supervision_gap_recovered(
            correct[f"{easy}_equal_count"],
            correct[f"{s.task.target}_equal_count"],
            unsupervised,
            s.resampling,
            arm,
        )
        accuracy = {"zero_shot": self._condition({}, unsupervised)}
        accuracy.update({name: self._condition(mixes[name], correct[name]) for name in mixes})
        return MethodResult(
            method=method,
            exchange_rates={
                name: exchange_rate(surface, name, s.terms) for name in surface.others
            },
            plan=self._plan_summary(plan),
            accuracy=accuracy,
            sgr=gap,
            sgr_per_cost=sgr_per_cost(
                {name: float(correct[name].mean()) for name in mixes},
                {name: float(mix_cost(mixes[name], s.terms)) for name in mixes},
                gap,
            ),
            baselines={
                name: self._baseline(name, mixes[name], surface, correct)
                for name in mixes
                if name != "plan" and not name.endswith("_equal_count")
            },
            pilot_curve=[self._curve_point(o, surface) for o in observations],
            fitted_curves=self._fitted_curves(surface, plan),
            surface=_surface_summary(surface),
        )

    def _pilot(self, method: str) -> list[Observation]:
        """Train on subsamples of the pilot: every stratum alone, and all together."""
        s, config = self.setting, self.setting.config.pilot
        pilot = Pilot(tuple(s.pilot_mix.items()), config.seed)
        cells: list[tuple[Mix, float]] = []
        for fraction in sorted(set(config.fractions)):
            size = max(2, round(fraction * config.labels))
            cells += [({name: size}, size / config.labels) for name in s.strata]
            cells.append((dict.fromkeys(s.strata, size), size / config.labels))
        trials = {
            index: [self._trial(method, mix, seed, pilot) for seed in range(config.seeds)]
            for index, (mix, _) in enumerate(cells)
        }
        flat = [trial for group in trials.values() for trial in group]
        results = self._run(flat, f"{method}: pilot")
        return [
            Observation(
                labels=mix,
                correct=self._target_correct([results[t.key] for t in trials[index]]),
                pilot_share=share,
            )
            for index, (mix, share) in enumerate(cells)
        ]

    def _equal_count(self) -> tuple[str, int]:
        """The easiest stratum for sale, and how many labels both arms of the SGR can have."""
        s = self.setting
        easy = next(name for name in s.strata if name != s.task.target)
        hard = single_stratum(s.task.target, s.budget, s.terms, s.capacity)[s.task.target]
        return easy, min(hard, s.capacity[easy])

    def _train_conditions(self, method: str, mixes: Mapping[str, Mix]) -> dict[str, Correct]:
        """(seeds, target test items) of every condition, each seed a fresh purchase."""
        seeds = range(self.setting.config.evaluation.seeds)
        trials = {
            name: [self._trial(method, mix, seed) for seed in seeds] for name, mix in mixes.items()
        }
        flat = [trial for group in trials.values() for trial in group]
        results = self._run(flat, f"{method}: plan and baselines")
        return {
            name: self._target_correct([results[t.key] for t in group])
            for name, group in trials.items()
        }

    # -- summaries ---------------------------------------------------------------------------

    def _estimate(self, correct: Correct) -> Estimate:
        return interval(float(correct.mean()), self.setting.resampling.accuracy(correct))

    def _condition(self, mix: Mix, correct: Correct) -> ConditionAccuracy:
        return ConditionAccuracy(
            labels=mix,
            cost=float(mix_cost(mix, self.setting.terms)),
            seeds=correct.shape[0],
            **self._estimate(correct).model_dump(),
        )

    def _plan_summary(self, plan: Plan) -> PlanSummary:
        return PlanSummary(
            labels=plan.mix,
            cost=float(plan.cost),
            money_left=float(plan.money_left),
            labels_after_pilot=plan.after_pilot,
            expected_accuracy=plan.expected_accuracy,
        )

    def _baseline(
        self, name: str, mix: Mix, surface: ResponseSurface, correct: Mapping[str, Correct]
    ) -> Baseline:
        resampling = self.setting.resampling
        difference = float(correct["plan"].mean() - correct[name].mean())
        draws = resampling.accuracy(correct["plan"]) - resampling.accuracy(correct[name])
        return Baseline(
            labels=mix,
            cost=float(mix_cost(mix, self.setting.terms)),
            description=describe(name),
            expected_accuracy=expected_accuracy(surface, mix),
            accuracy=self._estimate(correct[name]),
            plan_minus_baseline=interval(difference, draws),
        )

    def _curve_point(self, observation: Observation, surface: ResponseSurface) -> CurvePoint:
        mix = dict(observation.labels)
        return CurvePoint(
            labels=mix,
            cost=float(mix_cost(mix, self.setting.terms)),
            accuracy=self._estimate(observation.correct),
            fitted=float(surface.predict([mix]).mean()),
            seeds=observation.correct.shape[0],
        )

    def _fitted_curves(self, surface: ResponseSurface, plan: Plan) -> list[FittedCurve]:
        """The surface along the money: one stratum alone, and the plan's proportions."""
        s = self.setting
        whole: dict[str, Mix] = {
            f"all {name}": single_stratum(name, s.budget, s.terms, s.capacity) for name in s.strata
        }
        whole["plan's mix"] = plan.mix
        return [self._fitted_curve(name, mix, surface) for name, mix in whole.items()]

    def _fitted_curve(self, name: str, whole: Mix, surface: ResponseSurface) -> FittedCurve:
        terms = self.setting.terms
        shares = np.linspace(0, 1, _CURVE_POINTS) ** 1.5  # denser where curves bend
        mixes = [{k: int(n * share) for k, n in whole.items()} for share in shares]
        draws = surface.predict(mixes)
        low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
        return FittedCurve(
            name=name,
            costs=[float(mix_cost(mix, terms)) for mix in mixes],
            estimate=draws.mean(0).tolist(),
            low=low.tolist(),
            high=high.tolist(),
        )

    def _check_fit(self, method: str, surface: ResponseSurface) -> None:
        ratio = surface.root_mean_square_residual / surface.root_mean_square_noise
        if ratio > _BAD_FIT:
            self._warnings.append(
                f"{method}: the response surface misses the pilot's accuracies by "
                f"{ratio:.1f} times their noise; take its expectations with care."
            )

    def summarise(self, methods: dict[str, MethodResult]) -> RunResult:
        s, config = self.setting, self.setting.config
        chosen = methods[config.methods.plan_with]
        easy, _ = self._equal_count()
        return RunResult(
            name=config.name,
            labelmix_version=labelmix_version(),
            source=config.items.source,
            items=len(s.task.items),
            item_fingerprint=s.task.fingerprint,
            choices_per_item=float(s.task.choice_counts.mean()),
            chance_accuracy=s.chance,
            measure=s.task.strata.measure,
            target=s.task.target,
            strata=self._strata(),
            model=self._model(),
            planning_method=config.methods.plan_with,
            currency=config.budget.currency,
            budget=float(s.budget),
            confidence=CONFIDENCE,
            pilot=MixSummary(
                labels=s.pilot_mix, cost=float(mix_cost(s.pilot_mix, s.terms))
            ),
            plan=chosen.plan,
            exchange_rate=chosen.exchange_rates[easy],
            accuracy=chosen.accuracy,
            sgr=chosen.sgr,
            sgr_per_cost=chosen.sgr_per_cost,
            baselines=chosen.baselines,
            methods=methods,
            seeds=list(range(config.evaluation.seeds)),
            trials=self._trial_count(),
            warnings=self._all_warnings(methods),
            timing={},
        )

    def _strata(self) -> dict[str, StratumSummary]:
        task, terms = self.setting.task, self.setting.terms
        summaries = {}
        for name in task.strata.names:
            positions = np.flatnonzero(task.stratum_of == name)
            own = terms.get(name)
            summaries[name] = StratumSummary(
                rule=task.strata.rule(name),
                items=int(positions.size),
                test_items=int((task.test_strata == name).sum()),
                pool_items=int(task.pools[name].size),
                cost=float(own.cost) if own else None,
                error_rate=own.error_rate if own else None,
                error_kind=own.error_kind if own else None,
                true_flip_rate=true_flip_rate(
                    own.error_rate, own.error_kind, task.choice_counts[positions]
                )
                if own
                else None,
            )
        return summaries

    def _model(self) -> ModelSummary:
        source = self.setting.source
        return ModelSummary(
            name=source.name,
            revision=source.revision,
            kind=source.kind,
            parameters=count_parameters(source),
        )

    def _trial_count(self) -> TrialCount:
        by_method: dict[str, int] = {}
        for trial in self._trials.values():
            by_method[trial.method] = by_method.get(trial.method, 0) + 1
        return TrialCount(total=len(self._trials), by_method=by_method)

    def _all_warnings(self, methods: Mapping[str, MethodResult]) -> list[str]:
        s = self.setting
        warnings = list(self._warnings)
        for name in s.strata:
            wanted = int(s.budget / s.terms[name].cost)
            if wanted > s.capacity[name]:
                warnings.append(
                    f"stratum '{name}' has {s.capacity[name]} items to label; the budget would "
                    f"pay for {wanted}: part of it stays unspent where only {name} labels are "
                    "bought."
                )
        for method, result in methods.items():
            if not result.sgr.resolved:
                warnings.append(
                    f"{method}: the supervision gap is not resolved; no SGR is given."
                )
            for name, rate in result.exchange_rates.items():
                if not rate.resolved:
                    warnings.append(
                        f"{method}: the exchange rate of {name} labels is not resolved; a larger "
                        "pilot is needed to tell which labels are the better buy."
                    )
        return warnings


def labelmix_version() -> str:
    try:
        return version("labelmix")
    except PackageNotFoundError:
        return "0+unknown"


def _surface_summary(surface: ResponseSurface) -> SurfaceSummary:
    medians = np.median(surface.draws, axis=0)
    names = surface.parameter_names
    return SurfaceSummary(
        strata=list(surface.strata),
        target=surface.target,
        parameters=dict(zip(names, medians.tolist(), strict=True)),
        parameter_names=names,
        draws=surface.draws.tolist(),
        root_mean_square_residual=surface.root_mean_square_residual,
        root_mean_square_noise=surface.root_mean_square_noise,
    )
