"""What several judgments say of an item: its majority label, and the posterior over its choices.

A judgment is taken for a redraw: with its redraw rate r it is drawn uniformly over all of the
item's m choices, else it is right. So P(judgment = j | answer = k) = (1 - r) [j = k] + r / m.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.terms.majority import NO_JUDGMENT, check_judged_choices, rates_of_judgments


def posterior_from_judgments(
    judgments: IntArray,
    choice_counts: IntArray,
    redraw_rates: ArrayLike,
    most_choices: int | None = None,
) -> Array:
    """Probability of every choice, given an item's judgments and how often such judgments err.

    Bayes' rule with a prior uniform over the item's choices and judgments that err independently
    of each other: the posterior is proportional to the product of P(judgment | answer). It is
    that of Dawid and Skene (1979, Applied Statistics 28) with known, symmetric errors.

    Parameters
    ----------
    judgments
        Choice index, (items, judges); `NO_JUDGMENT` where an item lacks one. An item without any
        keeps its prior.
    choice_counts
        Number of choices per item, (items,).
    redraw_rates
        Redraw rate in [0, 1] of every judgment; anything that broadcasts to (items, judges).
        `annotation.terms.clean_share.redraw_rates` converts other kinds of error.
    most_choices
        Columns of the result; by default the largest of `choice_counts`.

    Returns
    -------
    Probabilities, (items, most_choices); 0 where an item has fewer choices.

    Raises
    ------
    InputError
        If a rate is not in [0, 1], or judgments of rate 0 contradict each other.
    ValueError
        If shapes do not fit, or a judgment is none of its item's choices.
    """
    mask = choice_mask(choice_counts, most_choices)
    check_judged_choices(judgments, choice_counts)
    rates = rates_of_judgments(judgments, redraw_rates)
    by_chance = rates / choice_counts[:, None]  # (items, judges)
    log_likelihood = np.where(mask, 0.0, -np.inf)
    with np.errstate(divide="ignore"):  # a rate of 0 rules out all other choices
        for own, rate, chance in zip(judgments.T, rates.T, by_chance.T, strict=True):
            chosen = np.arange(mask.shape[1]) == own[:, None]
            likelihood = (1 - rate)[:, None] * chosen + chance[:, None]
            log_likelihood += np.where((own != NO_JUDGMENT)[:, None], np.log(likelihood), 0.0)
    best = log_likelihood.max(axis=1, keepdims=True)
    impossible = np.flatnonzero(~np.isfinite(best))
    if impossible.size:
        item = int(impossible[0])
        raise InputError(
            f"item {item + 1} of {len(judgments)}: its judgments {judgments[item].tolist()} "
            "contradict each other though their error rates are 0; give error rates above 0."
        )
    weights = np.exp(log_likelihood - best)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def choice_mask(choice_counts: IntArray, most_choices: int | None = None) -> NDArray[np.bool_]:
    """Which choices each item has, (items, most_choices).

    Raises ValueError if an item has no choices, or more than `most_choices`.
    """
    if choice_counts.ndim != 1 or np.any(choice_counts < 1):
        raise ValueError("'choice_counts' should be (items,), each at least 1.")
    largest = int(choice_counts.max(initial=1))
    if most_choices is not None and most_choices < largest:
        raise ValueError(f"'most_choices' should be at least {largest}; got {most_choices}.")
    return np.asarray(np.arange(most_choices or largest) < choice_counts[:, None])
