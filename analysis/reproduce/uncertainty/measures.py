"""How good probabilities are, cell by cell of a table (seeds, items): means of it are the measure.

So accuracies, log losses and calibration errors, and their differences, have the same intervals
over items and seeds as everything else (`analysis.accuracy`).
"""

from typing import Literal, get_args

import numpy as np

from annotation.arrays import Array, IntArray

ProbabilityMeasure = Literal["accuracy", "log loss", "calibration error"]
MEASURES: tuple[ProbabilityMeasure, ...] = get_args(ProbabilityMeasure)
BINS = 10  # of the largest probability, equally wide, from 0 to 1
_LEAST = 1e-12  # a probability that is told as less counts as this


def measured(measure: ProbabilityMeasure, probabilities: Array, answers: IntArray) -> Array:
    """The table (seeds, items) whose mean is the measure.

    Parameters
    ----------
    probabilities : (seeds, items, choices)
    answers : (items,), the right choice of each
    """
    match measure:
        case "accuracy":
            return right(probabilities, answers)
        case "log loss":
            return log_loss(probabilities, answers)
        case "calibration error":
            return calibration_error(probabilities, answers)


def right(probabilities: Array, answers: IntArray) -> Array:
    """1 where the largest probability is that of the right choice, else 0."""
    return np.asarray(probabilities.argmax(-1) == answers, dtype=np.float64)


def log_loss(probabilities: Array, answers: IntArray) -> Array:
    """Minus the natural logarithm of the right choice's probability."""
    own = np.take_along_axis(probabilities, answers[None, :, None], axis=-1)[..., 0]
    return np.asarray(-np.log(np.maximum(own, _LEAST)))


def calibration_error(probabilities: Array, answers: IntArray, bins: int = BINS) -> Array:
    """What each item adds to the expected calibration error of its seed (Guo et al. 2017).

    Items of a seed fall into bins by their largest probability. The error is the sum over bins of
    the share of items in it times | mean probability - share right |. With the sign of its bin, an
    item's (probability - right) is its part of it, and the mean of the parts is the error. A bin
    that is right but for chance has an error above zero too, the more the fewer items there are:
    compare only what was measured on the same items.
    """
    largest = probabilities.max(-1)
    off = largest - right(probabilities, answers)
    place = np.minimum((largest * bins).astype(np.int64), bins - 1)
    parts = np.zeros(off.shape)
    for row, own, where in zip(parts, off, place, strict=True):
        signs = np.sign(np.bincount(where, own, minlength=bins))
        row[:] = signs[where] * own
    return parts
