"""From the error rate of a judgment to the share of clean labels: every step between the two.

A judgment errs at an error rate of some kind (`noise`); the redraw rate at which it would err as
often is common coin for all kinds; the majority of several judgments has a redraw rate of its own
(`majority`); and 1 - redraw rate is the share of clean labels, which the response surface knows.
"""

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.terms.majority import majority_redraw_rate
from annotation.terms.noise import ErrorKind, check_choice_counts, check_error_rate

LEAST = 0.02  # labels that say nothing at all would have no place on the surface


def redraw_rates(
    error_rate: float, kind: ErrorKind, choice_counts: IntArray, judgments: int = 1
) -> Array:
    """The redraw rate of each item's label, (items,): it is wrong just as often.

    With m choices a redraw is wrong with probability (m - 1) / m, so an error rate f of kind
    "flip" equals a redraw rate of f * m / (m - 1). It is cut at 1, where a label says nothing:
    labels that are wrong more often than guesses are no redraws.

    Parameters
    ----------
    error_rate, kind
        Probability in [0, 1] that one judgment is hit, and what happens then.
    choice_counts
        Number of choices per item, (items,); at least 1, and for "flip" at least 2.
    judgments
        How many judgments a label is the majority of; all err alike.

    Raises
    ------
    InputError
        If the error rate is not in [0, 1] or the kind is unknown.
    ValueError
        If a number of choices or of judgments is impossible.
    """
    check_error_rate(error_rate)
    check_choice_counts(choice_counts, kind)
    if judgments < 1:
        raise ValueError(f"'judgments' should be at least 1; got {judgments}.")
    if kind == "redraw":
        rates = np.full(choice_counts.shape, float(error_rate))
    else:
        rates = np.minimum(error_rate * choice_counts / (choice_counts - 1), 1.0)
    if judgments == 1:
        return rates
    found = [
        majority_redraw_rate(float(rate), judgments, int(choices))
        for rate, choices in zip(rates, choice_counts, strict=True)
    ]
    return np.array(found)


def wrong_share(
    error_rate: float, kind: ErrorKind, choice_counts: IntArray, judgments: int = 1
) -> float:
    """Probability that a label is wrong, the mean over items with these numbers of choices.

    Parameters as for `redraw_rates`; raises what it does, and ValueError if there are no items.
    """
    rates = redraw_rates(error_rate, kind, choice_counts, judgments)
    if len(choice_counts) == 0:
        raise ValueError("'choice_counts' should hold at least one item.")
    if judgments > 1:
        return float((rates * (1 - 1 / choice_counts)).mean())
    if kind == "flip":
        return float(error_rate)
    return float(error_rate * np.mean(1 - 1 / choice_counts))


def common_redraw_rate(share: float, choice_counts: IntArray) -> float:
    """The redraw rate, at most 1, at which a share of labels is wrong, the same for all items.

    `wrong_share` of kind "redraw" goes the other way. `share` in [0, 1]; `choice_counts` (items,),
    some of them at least 2.
    """
    return float(min(share / np.mean(1 - 1 / choice_counts), 1.0))


def clean_share(
    error_rate: float, kind: ErrorKind, choices: float | IntArray, judgments: int = 1
) -> float:
    """1 - redraw rate of a label, the mean over items; at least `LEAST`.

    Parameters
    ----------
    error_rate, kind
        Of one judgment, see `redraw_rates`.
    choices
        Number of choices per item, (items,); or the chance of guessing right, in (0, 1], which is
        taken for that of items with 1 / chance choices, rounded.
    judgments
        How many judgments a label is the majority of.

    Raises
    ------
    InputError
        If the error rate is not in [0, 1] or the kind is unknown.
    ValueError
        If there are no items, or a number of choices, of judgments or a chance is impossible.
    """
    counts = _choice_counts(choices) if isinstance(choices, float) else choices
    if counts.size == 0:
        raise ValueError("'choices' should hold at least one item.")
    return max(1 - float(redraw_rates(error_rate, kind, counts, judgments).mean()), LEAST)


def _choice_counts(chance: float) -> IntArray:
    if not 0 < chance <= 1:  # also true for NaN
        raise ValueError(f"the chance of guessing right should be in (0, 1]; got {chance}.")
    return np.array([round(1 / chance)])
