"""`labelmix trial`: one purchase with one method, over several seeds, without planning anything."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate, Record
from analysis.item_groups import group_notes, kept_from_sale
from analysis.numbers import labels_text, percent
from analysis.over_untrained import not_above, over_untrained
from annotation.errors import InputError
from annotation.items.table import REMARKS
from annotation.locks import exclusive
from annotation.terms.cost import mix_cost
from training.engines import Watcher
from training.engines.choice import EngineChoice
from training.lab import Lab
from training.store import TrialStore
from training.trial import INDISTINCT, Method, Trial, TrialResult


class SingleTrial(Record):
    """What one purchase gave. Accuracy per stratum of the test set, mean over seeds."""

    method: str
    model: str
    labels: dict[str, int]
    cost: float
    seeds: int
    target: str
    test_items: dict[str, int]
    item_fingerprint: str
    prompt: str
    targets: str
    judgments: int
    settings: dict[str, Any]
    accuracy: dict[str, Estimate]
    simulated: bool  # whether annotators were simulated; else labels are people's own judgments
    commonest_class: dict[str, str]  # stratum -> class; none where items do not share their choices
    without_model: dict[str, Estimate]  # stratum -> always answering that class, or else guessing
    # Stratum -> the untrained model, as the method uses it; none for zero-shot itself, or of items
    # without choices.
    zero_shot: dict[str, Estimate] = Field(default_factory=dict)
    # Stratum -> "commonest_class" or "guessing", and "zero_shot" -> accuracy less theirs, paired.
    over: dict[str, dict[str, Estimate]] = Field(default_factory=dict)
    details: dict[str, float]  # mean over seeds of what the method tells beside it
    remarks: list[str]  # how items were read, their groups, and what the accuracy does not show
    seconds: float  # mean per seed

    def not_above(self, stratum: str) -> list[str]:
        """What the accuracy on a stratum is not resolved to be above, of what needs no label."""
        return not_above(self.over.get(stratum, {}))


def run_single_trial(
    lab: Lab,
    method: Method,
    mix: dict[str, int],
    seeds: int,
    out: Path,
    watcher: Watcher,
    engine: EngineChoice,
) -> SingleTrial:
    """Train on so many labels of every stratum that `mix` names and test, once per seed.

    Trials are kept in `out/trials.sqlite` and re-used.

    Raises InputError for a stratum that is not for sale, or more labels than there are.
    """
    for name, number in mix.items():
        if name not in lab.terms:
            raise InputError(
                f"--labels {name}={number}: no such stratum for sale; choose from "
                f"{', '.join(lab.terms)}."
            )
        available = lab.capacity[name]
        if number > available:
            raise InputError(
                f"--labels {name}={number}: {available:,} items of stratum '{name}' "
                f"({lab.task.strata.rule(name)}) are there to label; buy fewer."
                + kept_from_sale(lab.task.split, name, available, number)
            )
    count = seeds if mix else 1  # nothing bought, nothing drawn
    trials = [lab.trial(lab.recipes[method], mix, seed) for seed in range(count)]
    beside = [] if method == "zero_shot" or lab.task.free_form else [_untrained(lab, method)]
    with (
        exclusive(out, "labelmix trial"),
        TrialStore(out / "trials.sqlite") as store,
        engine.start(lab.task, lab.source, out / "features", store) as running,
    ):
        described = f"{method}: {labels_text(mix, lab.strata)}"
        results = running.run([*trials, *beside], watcher, described)
    untrained = results[beside[0].key].correct if beside else None
    return _summarise(lab, mix, trials, [results[trial.key] for trial in trials], untrained)


def method_that_takes(name: str, mix: dict[str, int]) -> Method:
    """A method by name, however it is spelled, which should fit what is bought.

    Raises InputError if there is none, or it buys nothing and should, or the other way round.
    """
    known = _method(name)
    if known == "zero_shot" and mix:
        raise InputError("the method zero_shot buys nothing; leave --labels out.")
    if known != "zero_shot" and known != "chain_of_thought" and not mix:
        raise InputError(f"the method {known} needs labels; give --labels, e.g. --labels easy=40.")
    return known


def _method(name: str) -> Method:
    for method in get_args(Method):
        if name.replace("-", "_") == method:
            return method  # type: ignore[no-any-return]
    raise InputError(f"--method '{name}' is unknown; choose one of {', '.join(get_args(Method))}.")


def _summarise(
    lab: Lab,
    mix: dict[str, int],
    trials: Sequence[Trial],
    results: Sequence[TrialResult],
    untrained: NDArray[np.bool_] | None,
) -> SingleTrial:
    task = lab.task
    correct = np.stack([result.correct for result in results])  # (seeds, test items)
    accuracy, without_model, commonest = {}, {}, {}
    zero_shot: dict[str, Estimate] = {}
    over: dict[str, dict[str, Estimate]] = {}
    for name in dict.fromkeys(task.test_strata.tolist()):
        of_stratum = task.test_strata == name
        own = correct[:, of_stratum]
        clusters = ItemClusters(task.test_groups[of_stratum])
        accuracy[name] = clusters.accuracy(own)
        beside: dict[str, NDArray[np.bool_]] = {}
        chance: float | None = None
        always = lab.commonest_class(name)
        if always is not None:
            commonest[name] = always.answer
            beside["commonest_class"] = always.correct[of_stratum][None]
            without_model[name] = clusters.accuracy(beside["commonest_class"])
        elif not task.free_form:
            counts = task.choice_counts[task.test_positions][of_stratum]
            chance = float((1 / counts).mean())
            without_model[name] = Estimate(estimate=chance, low=None, high=None)
        if untrained is not None:
            beside["zero_shot"] = untrained[of_stratum][None]
            zero_shot[name] = clusters.accuracy(beside["zero_shot"])
        over[name] = over_untrained(own, beside, chance, clusters)
    names = [n for n in results[0].details if all(n in result.details for result in results)]
    details = {n: float(np.mean([r.details[n] for r in results])) for n in names}
    return SingleTrial(
        method=trials[0].method,
        model=lab.source.label,
        labels=mix,
        cost=float(mix_cost(mix, lab.terms)),
        seeds=len(results),
        target=task.target,
        test_items={n: int((task.test_strata == n).sum()) for n in accuracy},
        item_fingerprint=task.fingerprint,
        prompt=trials[0].recipe.prompt,
        targets=trials[0].recipe.target_kind,
        judgments=trials[0].recipe.judgments,
        settings=dict(trials[0].recipe.settings),
        accuracy=accuracy,
        simulated=lab.collected is None,
        commonest_class=commonest,
        without_model=without_model,
        zero_shot=zero_shot,
        over=over,
        details=details,
        remarks=[
            *task.items.attrs.get(REMARKS, ()),
            *group_notes(task.groups, task.split, task.target),
            *indistinct_remarks(details),
        ],
        seconds=float(np.mean([result.seconds for result in results])),
    )


def indistinct_remarks(details: Mapping[str, float]) -> list[str]:
    """A sentence where the model scores all choices of some test items alike; none else."""
    share = details.get(INDISTINCT, 0.0)
    if not share:
        return []
    return [
        f"the model cannot tell the choices of {percent(share, 0)} of the test items apart: it "
        "scores them all alike, and one of them was drawn. Perhaps it does not know their words."
    ]


def _untrained(lab: Lab, method: Method) -> Trial:
    return lab.trial(lab.zero_shot_of(method), {}, 0)
