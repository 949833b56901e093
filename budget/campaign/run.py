"""A run: explore, plan, buy, train, compare; what it found goes to `result.json`."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.accuracy import CONFIDENCE, ItemClusters
from analysis.item_groups import group_notes
from analysis.prompts_compared import compare_prompts, prompt_remarks
from analysis.run.result import (
    MethodResult,
    MixSummary,
    ModelSummary,
    PromptSummary,
    RoundSummary,
    RunResult,
    StratumSummary,
    TrialCount,
    write_result,
)
from analysis.sgr import supervision_gap_recovered
from analysis.single_trial import indistinct_remarks
from analysis.version import labelmix_version
from annotation.arrays import Correct, generator
from annotation.items.table import REMARKS
from annotation.locks import exclusive
from annotation.terms.clean_share import wrong_share
from annotation.terms.cost import affordable, mix_cost
from budget.campaign.campaign import Campaign, TestSet
from budget.campaign.lab_evidence import LabEvidence
from budget.campaign.planner import Explored, Planner, Round, run_planner
from budget.campaign.play import play
from budget.campaign.summarise import EQUAL_COUNT, Measurements, summarise_method
from budget.config.prepare import Setting, prepare
from budget.config.run import RunConfig
from budget.market.simple_rules import Mix, baseline_mixes, single_stratum
from training.engines import Watcher
from training.engines.base import StoringEngine
from training.engines.choice import EngineChoice
from training.lab import Lab
from training.models.source import count_parameters
from training.store import TrialStore
from training.trial import Trial, TrialResult

logger = logging.getLogger(__name__)


def run_campaign(
    config: RunConfig, out: Path, watcher: Watcher, engine_choice: EngineChoice
) -> RunResult:
    """Run a configuration and write `result.json` into `out`.

    Every trial is kept in `out/trials.sqlite` the moment it is done: an interrupted run that is
    started again goes on where it was.

    Raises InputError for input that cannot be used, or if another command works in `out`; nothing
    is written then.
    """
    started = time.perf_counter()
    setting = prepare(config)
    lab = setting.lab
    lab.require_choices(config.items.source)
    clusters = ItemClusters(lab.task.test_groups[lab.on_target])
    methods: dict[str, MethodResult] = {}
    finished: dict[str, tuple[Trial, TrialResult]] = {}
    explored: Explored | None = None  # by the planning method, which comes first
    with (
        exclusive(out, "labelmix run"),
        TrialStore(out / "trials.sqlite") as store,
        engine_choice.start(lab.task, lab.source, out / "features", store) as engine,
    ):
        asked = prompt_check(setting, engine, watcher)
        for method in config.methods.names:
            evidence = LabEvidence(lab, method, config.pilot.seed, engine, watcher)
            measured = evaluate_method(setting, evidence, clusters, explored)
            methods[method] = summarise_method(setting, method, measured, clusters)
            explored = explored or measured.explored
            finished.update(evidence.finished)
    timing = {
        "run_seconds": time.perf_counter() - started,
        "training_seconds": sum(result.seconds for _, result in finished.values()),
    }
    trained = [trial for trial, _ in finished.values()]
    assert explored is not None
    untrained = [
        remark
        for trial, found in finished.values()
        if trial.method == "zero_shot"
        for remark in indistinct_remarks(found.details)
    ]
    result = _run_result(setting, methods, explored, trained, timing, [*asked, *untrained])
    write_result(result, out / "result.json")
    return result


def prompt_check(setting: Setting, engine: StoringEngine, watcher: Watcher) -> list[str]:
    """What there is to say of the configured prompt, told at once and kept for the result.

    Nothing where the model is not held whole anyway: for encoders, and where only 4-bit adapters
    are trained.
    """
    lab, config = setting.lab, setting.config
    whole = lab.source.kind == "decoder" and "probe" in config.methods.names
    if not whole or not config.prompt.check:
        return []
    remarks = prompt_remarks(compare_prompts(lab, engine, watcher))
    for remark in remarks:
        logger.warning("note: %s", remark)
    return remarks


def evaluate_method(
    setting: Setting,
    evidence: LabEvidence,
    clusters: ItemClusters,
    bought: Explored | None = None,
) -> Measurements:
    """Exploration, surface, plan, baselines, SGR: everything one training method has to say.

    `bought` is what another method has bought to learn from; None if this one is to choose.
    """
    lab, method = setting.lab, evidence.method
    unsupervised = evidence.zero_shot()
    # Fine-tuning starts from what the model does anyway; a probe starts from guessing.
    campaign = campaign_of(setting, unsupervised[0] if method == "qlora" else None)
    planner, rng = planner_of(setting.config, method), campaign.generator("planner")
    if bought is None:
        playing = planner.explore(campaign, rng)
    else:
        playing = planner.learn_from(campaign, bought.rounds, rng)
    (explored,) = play([playing], [campaign], evidence)
    plan = planner.plan(campaign, explored.surface)
    mixes: dict[str, Mix] = {"plan": dict(plan.used)}
    mixes.update(baseline_mixes(setting.budget, lab.terms, lab.capacity, lab.strata))
    easy, target, arm = lab.easiest, lab.target, _equal_count(setting)
    mixes[easy + EQUAL_COUNT] = {easy: arm}
    mixes[target + EQUAL_COUNT] = {target: arm}
    correct = evidence.conditions(mixes, setting.config.evaluation.seeds)
    gap = supervision_gap_recovered(
        correct[easy + EQUAL_COUNT],
        correct[target + EQUAL_COUNT],
        unsupervised,
        clusters,
        arm,
    )
    commonest = lab.commonest_class(lab.target)
    always = None if commonest is None else commonest.correct[lab.on_target][None]
    return Measurements(unsupervised, always, explored, plan, mixes, correct, gap)


def campaign_of(setting: Setting, unsupervised: Correct | None) -> Campaign:
    """The campaign of a run before anything is bought."""
    lab, task = setting.lab, setting.lab.task

    def scored(lent: int, seed: int) -> Correct:
        return task.scored(lent, seed)[lab.on_target]

    groups = task.test_groups[lab.on_target]
    return Campaign(
        {name: lab.terms[name] for name in lab.strata},
        {name: lab.capacity[name] for name in lab.strata},
        setting.budget,
        lab.clean_shares(setting.config.targets.judgments),
        TestSet(lab.target, lab.chance, groups, scored, unsupervised, lab.lends),
        lambda purpose: generator(purpose, setting.config.pilot.seed, ""),
    )


def planner_of(config: RunConfig, method: str) -> Planner:
    """The planner that a configuration asks for."""
    pilot = config.pilot
    return run_planner(
        pilot,
        config.exploring_rounds,
        borrow=config.borrows(method),
        read=config.reads(method),
        rehearse=config.rehearses(method),
    )


def _equal_count(setting: Setting) -> int:
    """How many labels both arms of the SGR can have: what the budget buys of either."""
    lab = setting.lab
    arms = (lab.target, lab.easiest)
    budget, terms, capacity = setting.budget, lab.terms, lab.capacity
    return min(single_stratum(name, budget, terms, capacity)[name] for name in arms)


def _run_result(
    setting: Setting,
    methods: dict[str, MethodResult],
    explored: Explored,
    trained: Sequence[Trial],
    timing: dict[str, float],
    untrained: Sequence[str],
) -> RunResult:
    lab, config = setting.lab, setting.config
    task, source = lab.task, lab.source
    chosen = methods[config.methods.plan_with]
    commonest = lab.commonest_class(lab.target)
    return RunResult(
        name=config.name,
        labelmix_version=labelmix_version(),
        source=config.items.source,
        items=len(task.items),
        item_fingerprint=task.fingerprint,
        choices_per_item=float(task.choice_counts.mean()),
        chance_accuracy=lab.chance,
        commonest_class=None if commonest is None else commonest.answer,
        measure=task.strata.measure,
        target=task.target,
        strata=_strata(setting),
        model=ModelSummary(
            name=source.label,
            revision=source.revision,
            kind=source.kind,
            parameters=count_parameters(source),
        ),
        prompt=None
        if source.kind == "encoder"
        else PromptSummary(
            version=config.prompt.choices, normalisation=config.prompt.normalisation
        ),
        planning_method=config.methods.plan_with,
        currency=config.budget.currency,
        budget=float(setting.budget),
        confidence=CONFIDENCE,
        pilot=MixSummary(labels=explored.bought, cost=float(mix_cost(explored.bought, lab.terms))),
        rounds=[_round(lab, own) for own in explored.rounds],
        plan=chosen.plan,
        exchange_rate=chosen.exchange_rates[lab.easiest],
        accuracy=chosen.accuracy,
        sgr=chosen.sgr,
        sgr_per_cost=chosen.sgr_per_cost,
        baselines=chosen.baselines,
        methods=methods,
        seeds=list(range(config.evaluation.seeds)),
        trials=_trial_count(trained),
        collected=setting.collected,
        warnings=[
            *setting.config.unused_terms(),
            *_capacity_warnings(setting),
            *_judgment_warnings(setting),
            *setting.lab.task.items.attrs.get(REMARKS, ()),
            *dict.fromkeys(untrained),
            *group_notes(task.groups, task.split, task.target),
        ],
        timing=timing,
    )


def _round(lab: Lab, own: Round) -> RoundSummary:
    every = {name: own.labels.get(name, 0) for name in lab.strata}
    cost = float(mix_cost(every, lab.terms))
    return RoundSummary(labels=every, cost=cost, expected_gain=own.gain)


def _strata(setting: Setting) -> dict[str, StratumSummary]:
    task = setting.lab.task
    summaries = {}
    for name in task.strata.names:
        positions = np.flatnonzero(task.stratum_of == name)
        summary = StratumSummary(
            rule=task.strata.rule(name),
            items=int(positions.size),
            test_items=int((task.test_strata == name).sum()),
            pool_items=int(task.pools[name].size),
        )
        if (own := setting.lab.terms.get(name)) is not None:
            if setting.lab.collected is not None:
                summary.judged_items = setting.lab.capacity[name]
            counts = task.choice_counts[positions]
            summary.cost = float(own.cost)
            summary.error_rate = own.error_rate
            summary.error_kind = own.error_kind
            summary.judgments = setting.config.targets.judgments
            _tell_range(summary, setting, name)
            summary.true_flip_rate = wrong_share(
                own.error_rate, own.error_kind, counts, summary.judgments
            )
        summaries[name] = summary
    return summaries


def _tell_range(summary: StratumSummary, setting: Setting, name: str) -> None:
    """Where the error rate may be: as stated with it, or as measured from the run's judgments."""
    stated = setting.config.annotators.get(name)
    measured = setting.collected.error_rates.get(name) if setting.collected else None
    if stated is not None and stated.error_rate is not None:
        summary.error_rate_low, summary.error_rate_high = (
            stated.error_rate_low,
            stated.error_rate_high,
        )
        summary.shared_mistakes = stated.shared_mistakes
        summary.gold_items_wanted = stated.gold_items_wanted
    elif measured is not None and measured.low is not None and measured.high is not None:
        rate = summary.error_rate or 0.0  # which is above 0 where none was wrong
        summary.error_rate_low = min(measured.low, rate)
        summary.error_rate_high = max(measured.high, rate)
        summary.shared_mistakes = measured.shared_mistakes
        summary.gold_items_wanted = measured.gold_items_wanted


def _trial_count(trained: Sequence[Trial]) -> TrialCount:
    by_method: dict[str, int] = {}
    for trial in trained:
        by_method[trial.method] = by_method.get(trial.method, 0) + 1
    return TrialCount(total=len(trained), by_method=by_method)


def _capacity_warnings(setting: Setting) -> list[str]:
    lab, warnings = setting.lab, []
    for name in lab.strata:
        wanted = affordable(setting.budget, lab.terms[name].cost)
        if wanted > lab.capacity[name]:
            warnings.append(
                f"Stratum '{name}' has {lab.capacity[name]:,} items to label, the budget "
                f"would pay for {wanted:,}: a plan of {name} labels alone leaves money."
            )
    return warnings


def _judgment_warnings(setting: Setting) -> list[str]:
    """What few judgments of people cannot tell."""
    lab, warnings = setting.lab, []
    if lab.collected is None:
        return []
    if not lab.lends:
        warnings.append(
            "Some test items have fewer judgments than a label takes: nothing could be learnt from "
            "the test set before labels were drawn."
        )
    alike = {name: lab.collected.alike[name] for name in lab.strata if lab.collected.alike[name]}
    if alike:
        told = ", ".join(f"{share:.0%} of {name}" for name, share in alike.items())
        warnings.append(
            f"Of some items there are no more judgments than a label takes ({told}): every draw "
            "labels them alike, the pilot's and the plan's, so that intervals do not cover the "
            "luck of who was asked."
        )
    return warnings
