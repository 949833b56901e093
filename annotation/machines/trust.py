"""How likely a machine's answer is wrong, from how sure it says it is and from what it says.

Stated confidence is seldom a probability, and a machine that errs one way is wrong more often where
it says one class than where it says another. So the chance of an error is learnt from items that
people checked: a logistic regression on stated confidence, the class that was said, and the
stratum, with a penalty that keeps it near the mean where little was checked.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from annotation.arrays import Array, IntArray
from annotation.machines.labels import MachineLabels

_PENALTY = 1.0
_SUREST = 0.005  # stated chances of an error below this are taken as this


def chance_of_error(labels: MachineLabels, checked: IntArray) -> Array:
    """The chance that the machine's answer is not people's, (items,), strictly between 0 and 1.

    Learnt from the items at the places `checked`, which both have answered; at least one.
    """
    design = _design(labels)
    wrong = (labels.said[checked] != labels.people[checked]).astype(np.float64)
    # One item's worth of a toss-up: a share of 0 or 1 among few items is not taken at its word.
    share = (wrong.sum() + 0.5) / (wrong.size + 1)
    start = np.r_[special.logit(share), np.zeros(design.shape[1] - 1)]
    own = design[checked]

    def loss(weights: Array) -> tuple[float, Array]:
        scores = own @ weights
        penalised = weights[1:]
        value = np.logaddexp(0, scores).sum() - wrong @ scores
        slope = own.T @ (special.expit(scores) - wrong)
        slope[1:] += _PENALTY * penalised
        return float(value + 0.5 * _PENALTY * penalised @ penalised), slope

    if 0 < wrong.sum() < wrong.size:
        start = optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x
    return np.asarray(special.expit(design @ start).clip(1e-6, 1 - 1e-6))


def _design(labels: MachineLabels) -> Array:
    """(items, columns): a constant, doubt, what was said and which stratum, and doubt in each."""
    doubt = np.log(np.clip(1 - labels.confidence, _SUREST, 1))
    known = ~np.isnan(doubt)
    columns: list[Array] = [np.ones(len(labels))]
    if known.any():
        spread = float(doubt[known].std()) or 1.0
        scaled = np.where(known, (doubt - doubt[known].mean()) / spread, 0.0)
        columns.append(scaled)
        if not known.all():
            columns.append((~known).astype(np.float64))
        columns += [scaled * own for own in _groups(labels)]
    columns += _groups(labels)
    return np.column_stack(columns)


def _groups(labels: MachineLabels) -> list[Array]:
    found: list[NDArray[np.bool_]] = []
    if labels.classes is not None:
        found += [labels.said == place for place in range(len(labels.classes))]
    names = np.unique(labels.strata)
    if len(names) > 1:
        found += [labels.strata == name for name in names]
    return [own.astype(np.float64) for own in found]
