"""A trial that rehearses: a probe trained on guessed labels (`training.probes.rehearsing`)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from annotation.cost import LabelTerms
from training.probe_fits import fit_with
from training.probes.probe import ProbeJob
from training.probes.reading import MOST_READ
from training.probes.rehearsing import Guesser, Known, imagined_purchase
from training.probes.rows import Features, Mask
from training.task import Positions, Purchase, Task, generator
from training.trials import Trial


def rehearse_trial(
    task: Task,
    trial: Trial,
    purchase: Purchase,
    terms: Mapping[str, LabelTerms],
    positions: Positions,
    features: Features,
    mask: Mask,
) -> tuple[NDArray[np.bool_], dict[str, float]]:
    """Whether each test item is answered right, (test items,), and what tells of the guesses.

    `purchase` has the labels that were bought. `positions` (items,) of `features` and `mask`, in
    order. Details are `surprise` and `overconfidence`, see `Rehearsed`.
    """
    settings = dict(trial.settings)
    classes = np.eye(mask.shape[1])

    def rows(items: Positions) -> NDArray[np.int64]:
        return np.asarray(np.searchsorted(positions, items))

    taught = task.lent(trial.borrowed, trial.seed)
    job = ProbeJob(rows(taught), classes[task.answers[taught]])
    guesser = Guesser(
        features,
        mask,
        rows(taught),
        task.answers[taught],
        fit_with(settings, features, mask, [job])[0],
        rows(task.unlabelled(task.target, MOST_READ)),
    )
    stratum = task.stratum_of[purchase.positions]
    guessed = {}
    for name in dict(trial.rehearses):
        own = np.flatnonzero(stratum == name)
        own = own[np.argsort(purchase.positions[own])]
        known = Known(
            rows(purchase.positions[own]), purchase.labels[own], purchase.redraw_rates[own]
        )
        guessed[name] = guesser.guess(rows(task.unlabelled(name, MOST_READ)), known)
    imagined, labels = imagined_purchase(
        guessed,
        dict(trial.rehearses),
        terms,
        task.choice_counts[positions],
        lambda name: generator("rehearse", trial.seed, name),
    )
    probe = fit_with(settings, features, mask, [ProbeJob(imagined, classes[labels])])[0]
    tested = rows(task.test_positions)
    answered = probe.scores(features[tested], mask[tested]).argmax(1)
    details = {
        "penalty": probe.penalty,
        "surprise": max(own.surprise for own in guessed.values()),
        "overconfidence": 0.0,
    }
    if task.target in guessed:
        scored = task.scored(trial.borrowed, trial.seed) & (task.test_strata == task.target)
        others = task.test_positions[scored]
        details["overconfidence"] = guesser.overconfidence(
            guessed[task.target], rows(others), task.answers[others]
        )
    return answered == task.answers[task.test_positions], details
