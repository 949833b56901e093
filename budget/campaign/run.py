"""One round of a campaign: pilot, plan, buy, train, compare."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.accuracy import CONFIDENCE
from analysis.run.result import (
    MethodResult,
    MixSummary,
    ModelSummary,
    RunResult,
    StratumSummary,
    TrialCount,
    write_result,
)
from analysis.sgr import supervision_gap_recovered
from analysis.version import labelmix_version
from annotation.terms.clean_share import wrong_share
from annotation.terms.cost import (
    affordable,
    mix_cost,
    money_left,
)
from budget.campaign.exploration import Explored, Explorer
from budget.campaign.lab_evidence import MethodTrials
from budget.campaign.summarise import EQUAL_COUNT, Measurements, summarise_method
from budget.config.prepare import Setting, prepare
from budget.config.run import RunConfig
from budget.decision.alternatives import best_plan
from budget.market.simple_rules import Mix, baseline_mixes, single_stratum
from budget.market.supply import Supply, offers_at_terms
from budget.search.plan import Plan, Planner
from training.engines import Watcher
from training.engines.choice import EngineChoice
from training.models.source import count_parameters
from training.store import TrialStore
from training.trial import Trial, TrialResult


def run_campaign(
    config: RunConfig, out: Path, watcher: Watcher, engine_choice: EngineChoice
) -> RunResult:
    """Run a configuration and write `result.json` into `out`.

    Every trial is kept in `out/trials.sqlite` the moment it is done: an interrupted run that is
    started again goes on where it was.

    Raises InputError for input that cannot be used; nothing is written then.
    """
    started = time.perf_counter()
    setting = prepare(config)
    setting.require_choices()
    methods: dict[str, MethodResult] = {}
    finished: dict[str, tuple[Trial, TrialResult]] = {}
    explored: Explored | None = None  # by the planning method, which comes first
    with (
        TrialStore(out / "trials.sqlite") as store,
        engine_choice.start(setting.task, setting.source, out / "features", store) as engine,
    ):
        for method in config.methods.names:
            trials = MethodTrials(setting, method, engine, watcher)
            methods[method], explored = evaluate_method(setting, trials, explored)
            finished.update(trials.finished)
    timing = {
        "run_seconds": time.perf_counter() - started,
        "training_seconds": sum(result.seconds for _, result in finished.values()),
    }
    trained = [trial for trial, _ in finished.values()]
    assert explored is not None
    result = _run_result(setting, methods, explored, trained, timing)
    write_result(result, out / "result.json")
    return result


def evaluate_method(
    setting: Setting, trials: MethodTrials, bought: Explored | None = None
) -> tuple[MethodResult, Explored]:
    """Exploration, surface, plan, baselines, SGR: everything one training method has to say.

    `bought` is what another method has bought to learn from; None if this one is to choose.
    """
    target = setting.task.target
    unsupervised = trials.zero_shot()
    explorer = Explorer(setting, trials, unsupervised)
    explored = explorer.explore() if bought is None else explorer.learn_from(bought)
    plan = plan_after(setting, explored)
    mixes: dict[str, Mix] = {"plan": dict(plan.used)}
    mixes.update(baseline_mixes(setting.budget, setting.terms, setting.capacity, setting.strata))
    easy, arm = setting.easiest, _equal_count(setting)
    mixes[easy + EQUAL_COUNT] = {easy: arm}
    mixes[target + EQUAL_COUNT] = {target: arm}
    correct = trials.conditions(mixes)
    gap = supervision_gap_recovered(
        correct[easy + EQUAL_COUNT],
        correct[target + EQUAL_COUNT],
        unsupervised,
        setting.resampling,
        arm,
    )
    measured = Measurements(unsupervised, explored, plan, mixes, correct, gap)
    return summarise_method(setting, trials.method, measured), explored


def plan_after(setting: Setting, explored: Explored) -> Plan:
    """The best purchase with the money that is left, at the terms of the run."""
    clean, bought = explored.surface.clean, explored.bought
    supply = Supply(
        setting.strata,
        offers_at_terms({name: setting.terms[name] for name in setting.strata}, clean),
        {name: setting.capacity[name] - bought[name] for name in setting.strata},
        bought,
        clean,
    )
    left = money_left(setting.budget, bought, setting.terms)
    return best_plan(Planner(explored.surface, supply), left)[0]


def _equal_count(setting: Setting) -> int:
    """How many labels both arms of the SGR can have: what the budget buys of either."""
    arms = (setting.task.target, setting.easiest)
    budget, terms, capacity = setting.budget, setting.terms, setting.capacity
    return min(single_stratum(name, budget, terms, capacity)[name] for name in arms)


def _run_result(
    setting: Setting,
    methods: dict[str, MethodResult],
    explored: Explored,
    trained: Sequence[Trial],
    timing: dict[str, float],
) -> RunResult:
    task, config, source = setting.task, setting.config, setting.source
    chosen = methods[config.methods.plan_with]
    return RunResult(
        name=config.name,
        labelmix_version=labelmix_version(),
        source=config.items.source,
        items=len(task.items),
        item_fingerprint=task.fingerprint,
        choices_per_item=float(task.choice_counts.mean()),
        chance_accuracy=setting.chance,
        measure=task.strata.measure,
        target=task.target,
        strata=_strata(setting),
        model=ModelSummary(
            name=source.label,
            revision=source.revision,
            kind=source.kind,
            parameters=count_parameters(source),
        ),
        planning_method=config.methods.plan_with,
        currency=config.budget.currency,
        budget=float(setting.budget),
        confidence=CONFIDENCE,
        pilot=MixSummary(
            labels=explored.bought, cost=float(mix_cost(explored.bought, setting.terms))
        ),
        rounds=list(explored.rounds),
        plan=chosen.plan,
        exchange_rate=chosen.exchange_rates[setting.easiest],
        accuracy=chosen.accuracy,
        sgr=chosen.sgr,
        sgr_per_cost=chosen.sgr_per_cost,
        baselines=chosen.baselines,
        methods=methods,
        seeds=list(range(config.evaluation.seeds)),
        trials=_trial_count(trained),
        warnings=_capacity_warnings(setting),
        timing=timing,
    )


def _strata(setting: Setting) -> dict[str, StratumSummary]:
    task = setting.task
    summaries = {}
    for name in task.strata.names:
        positions = np.flatnonzero(task.stratum_of == name)
        summary = StratumSummary(
            rule=task.strata.rule(name),
            items=int(positions.size),
            test_items=int((task.test_strata == name).sum()),
            pool_items=int(task.pools[name].size),
        )
        if (own := setting.terms.get(name)) is not None:
            counts = task.choice_counts[positions]
            summary.cost = float(own.cost)
            summary.error_rate = own.error_rate
            summary.error_kind = own.error_kind
            summary.judgments = setting.config.targets.judgments
            summary.true_flip_rate = wrong_share(
                own.error_rate, own.error_kind, counts, summary.judgments
            )
        summaries[name] = summary
    return summaries


def _trial_count(trained: Sequence[Trial]) -> TrialCount:
    by_method: dict[str, int] = {}
    for trial in trained:
        by_method[trial.method] = by_method.get(trial.method, 0) + 1
    return TrialCount(total=len(trained), by_method=by_method)


def _capacity_warnings(setting: Setting) -> list[str]:
    warnings = []
    for name in setting.strata:
        wanted = affordable(setting.budget, setting.terms[name].cost)
        if wanted > setting.capacity[name]:
            warnings.append(
                f"Stratum '{name}' has {setting.capacity[name]:,} items to label, the budget "
                f"would pay for {wanted:,}: where only {name} labels are bought, money is left."
            )
    return warnings
