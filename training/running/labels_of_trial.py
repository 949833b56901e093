"""The labels that a trial trains on: drawn from simulated annotators, or given by people."""

from collections.abc import Mapping

import numpy as np

from annotation.arrays import IntArray, Positions, generator
from annotation.errors import InputError
from annotation.labelling.labels import Labels, joined
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.terms.cost import LabelTerms, money
from annotation.terms.noise import ErrorKind
from training.task import Pilot, Task
from training.trial import Trial


def labels_of(trial: Trial, task: Task) -> Labels:
    """The labels of a trial, those that the test set lends at the end.

    Raises InputError if a stratum has too few items, or free-form answers an error rate.
    """
    if trial.given is not None:
        return trial.given
    if trial.reads:  # what reads is taught right answers, whoever labels
        return right_answers(task, task.lent(trial.borrowed, trial.seed))
    # A rehearsal is taught by right answers: none of those is bought or errs.
    borrowed = 0 if trial.rehearses else trial.borrowed
    return simulated_labels(
        task,
        trial.labels(),
        terms_of(trial),
        trial.seed,
        trial.pilot,
        trial.recipe.judgments,
        borrowed,
    )


def simulated_labels(
    task: Task,
    mix: Mapping[str, int],
    terms: Mapping[str, LabelTerms],
    seed: int,
    pilot: Pilot | None = None,
    judgments: int = 1,
    borrowed: int = 0,
) -> Labels:
    """Labels of `mix` by simulated annotators, from the whole pools or from within a pilot.

    Every item gets so many `judgments`. So many of the target's test items are `borrowed` and stand
    at the end, their labels erring as the target's terms have it. A pilot has streams of its own:
    no later purchase is the one that the plan was made on.

    For one seed, a smaller purchase is the beginning of a larger one, and a lower error rate errs
    on a subset of the items of a higher one, so that conditions compare in pairs.

    Raises InputError if a stratum has too few items, or free-form answers an error rate.
    """
    annotators = SimulatedAnnotators(
        task.answers,
        task.choice_counts,
        task.pools,
        terms,
        judgments,
        stream="pilot " if pilot else "",
    )
    parts: list[Labels] = []
    for name in task.strata.names:
        count = mix.get(name, 0)
        if count == 0:
            continue
        if pilot is None:
            parts.append(annotators.labels(name, count, seed))
            continue
        bought = annotators.labels(name, dict(pilot.labels)[name], pilot.seed)
        parts.append(bought.chosen(subsample(name, count, len(bought), seed)))
    if borrowed:
        task.require_choices("probe")
        lent, target = task.lent(borrowed, seed), task.target
        parts.append(annotators.judged(lent, target, "lent errors", seed, target))
    return joined(parts, judgments)


def right_answers(task: Task, positions: Positions) -> Labels:
    """The known answers to items, as labels that nobody gave."""
    task.require_choices("probe")
    return Labels(positions, task.answers[positions][:, None], np.zeros(positions.size))


def subsample(stratum: str, count: int, of: int, seed: int) -> IntArray:
    """Which of so many labels a trial trains on, (count,); fewer are the beginning of more.

    Raises InputError if there are not so many.
    """
    if count > of:
        raise InputError(
            f"stratum '{stratum}': {count} labels wanted, {of} items there to label; "
            "buy fewer, or bring more items."
        )
    return generator("subsample", seed, stratum).permutation(of)[:count]


def terms_of(trial: Trial) -> dict[str, LabelTerms]:
    """Error rates of a trial's annotators by stratum; without prices, which change no result."""
    kinds: dict[str, ErrorKind] = {"redraw": "redraw", "flip": "flip"}
    return {name: LabelTerms(money(0), rate, kinds[kind]) for name, rate, kind in trial.terms}
