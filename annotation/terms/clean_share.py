"""The share of clean labels that terms of sale state: what the response surface knows of errors."""

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.terms.cost import LabelTerms
from annotation.terms.majority import majority_redraw_rate
from annotation.terms.noise import redraw_rates

LEAST = 0.02  # labels that say nothing at all would have no place on the surface


def clean_share(terms: LabelTerms, choices: float | IntArray, judgments: int = 1) -> float:
    """1 - redraw rate of a label, the mean over items; at least `LEAST`.

    Parameters
    ----------
    terms : error rate and kind of one judgment
    choices : (items,) numbers of choices; or the chance of guessing right, in (0, 1], which is
        taken for that of items with 1 / chance choices, rounded
    judgments : per label, which is their majority

    Raises ValueError if a number of choices or a chance is impossible.
    """
    counts = _choice_counts(choices) if isinstance(choices, float) else choices
    if counts.size == 0:
        raise ValueError("'choices' should hold at least one item.")
    return max(1 - float(label_redraw_rates(terms, counts, judgments).mean()), LEAST)


def label_redraw_rates(terms: LabelTerms, choice_counts: IntArray, judgments: int = 1) -> Array:
    """The redraw rate of each item's label, the majority of so many judgments: (items,).

    `choice_counts` (items,). Raises as `clean_share` does.
    """
    rates = redraw_rates(terms.error_rate, terms.error_kind, choice_counts)
    if judgments == 1:
        return rates
    if judgments < 1:
        raise ValueError(f"'judgments' should be at least 1; got {judgments}.")
    found = [
        majority_redraw_rate(float(rate), judgments, int(choices))
        for rate, choices in zip(rates, choice_counts, strict=True)
    ]
    return np.array(found)


def _choice_counts(chance: float) -> IntArray:
    if not 0 < chance <= 1:  # also true for NaN
        raise ValueError(f"the chance of guessing right should be in (0, 1]; got {chance}.")
    return np.array([round(1 / chance)])
