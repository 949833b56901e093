"""What several judgments say of an item: its majority label, and the posterior over its choices.

A judgment is taken for a redraw: with its redraw rate r it is drawn uniformly over all of the
item's m choices, else it is right. So P(judgment = j | answer = k) = (1 - r) [j = k] + r / m.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.errors import InputError
from annotation.majority import majority_redraw_rate

IntArray = NDArray[np.int64]
Array = NDArray[np.float64]

NO_JUDGMENT = -1
_MOST_OUTCOMES = 1_000_000  # of all judges of one item together


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
        `annotation.noise.redraw_rates` converts other kinds of error.
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
    _check_judgments(judgments, choice_counts)
    rates = _rates_of(judgments, redraw_rates)
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


def majority_label(judgments: IntArray) -> IntArray:
    """The most frequent judgment of every item, (items,); of equals, the one given first.

    `judgments` (items, judges), `NO_JUDGMENT` where an item lacks one.

    Raises InputError if an item has no judgment at all, ValueError if the shape does not fit.
    """
    if judgments.ndim != 2:
        raise ValueError(f"'judgments' should be (items, judges); got shape {judgments.shape}.")
    given = judgments != NO_JUDGMENT
    empty = np.flatnonzero(~given.any(axis=1))
    if empty.size:
        raise InputError(
            f"item {int(empty[0]) + 1} of {len(judgments)} has no judgment; leave it out or have "
            "it judged."
        )
    agreeing = np.zeros(judgments.shape, dtype=np.int64)  # with each judgment, itself included
    for own in judgments.T:
        agreeing += judgments == own[:, None]
    first = np.where(given, agreeing, 0).argmax(axis=1)
    return np.asarray(judgments[np.arange(len(judgments)), first])


def majority_redraw_rates(
    judgments: IntArray, choice_counts: IntArray, redraw_rates: ArrayLike
) -> Array:
    """The redraw rate of every item's majority label, (items,), before its judgments are read.

    It depends on how many judgments an item has and on their rates, not on what they say: all
    outcomes are counted out, each with its probability. A majority label that is right with
    probability q errs as a redraw of rate (1 - q) m / (m - 1), because the rule treats all wrong
    choices alike.

    Parameters as for `posterior_from_judgments`; raises what it does, and InputError if an item
    has no judgment or too many to count out.
    """
    _check_judgments(judgments, choice_counts)
    majority_label(judgments)  # for its errors
    rates = _rates_of(judgments, redraw_rates)
    known = np.where(judgments != NO_JUDGMENT, rates, -1.0)
    cases = np.column_stack([choice_counts, known])
    cases, case_of = np.unique(cases, axis=0, return_inverse=True)
    of_case = [_majority_rate(int(case[0]), case[1:][case[1:] >= 0]) for case in cases]
    of_item: Array = np.asarray(of_case, dtype=np.float64)[case_of.ravel()]
    return of_item


def _majority_rate(choices: int, rates: Array) -> float:
    """Redraw rate of the majority of judgments with these rates, (judges,)."""
    if choices == 1:
        return 0.0
    if (rates == rates[0]).all():
        return majority_redraw_rate(float(rates[0]), rates.size, choices)
    if choices**rates.size > _MOST_OUTCOMES:
        raise InputError(
            f"{rates.size} judgments of {choices} choices have too many outcomes to count out; "
            "use the target kind 'posterior', which needs no majority."
        )
    # By symmetry the answer may as well be choice 0.
    outcomes = np.indices((choices,) * rates.size).reshape(rates.size, -1).T  # (outcomes, judges)
    probability = np.prod((1 - rates) * (outcomes == 0) + rates / choices, axis=1)
    right = float(probability[majority_label(outcomes) == 0].sum())
    return min(max((1 - right) * choices / (choices - 1), 0.0), 1.0)


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


def _check_judgments(judgments: IntArray, choice_counts: IntArray) -> None:
    if judgments.ndim != 2 or judgments.shape[0] != choice_counts.size:
        raise ValueError(
            "'judgments' should be (items, judges) and 'choice_counts' (items,); "
            f"got {judgments.shape} and {choice_counts.shape}."
        )
    if np.any((judgments < NO_JUDGMENT) | (judgments >= choice_counts[:, None])):
        raise ValueError("every judgment should be one of its item's choices, or NO_JUDGMENT.")


def _rates_of(judgments: IntArray, redraw_rates: ArrayLike) -> Array:
    rates = np.broadcast_to(np.asarray(redraw_rates, dtype=np.float64), judgments.shape)
    unusable = ~((rates >= 0) & (rates <= 1))  # also true for NaN
    if np.any(unusable):
        raise InputError(f"error rate should be within 0 and 1; got {rates[unusable][0]}.")
    return rates
