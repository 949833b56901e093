"""How often a majority label errs, counted out exactly.

All outcomes are counted: how many judgments are right, and how the others fall on the wrong
choices. Of equally frequent choices one is drawn; to take the one that was judged first is the
same, as long as judgments stand in an order that tells nothing of their answers. Those of simulated
annotators and of collected judgments stand in an order that a seed draws.
"""

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from annotation.arrays import Array, IntArray
from annotation.errors import InputError

NO_JUDGMENT = -1
_MOST_OUTCOMES = 1_000_000  # of all judges of one item together


@lru_cache(maxsize=4096)
def majority_redraw_rate(redraw_rate: float, judgments: int, choices: int) -> float:
    """The redraw rate of the majority of judgments that err alike.

    A majority label that is right with probability q errs as a redraw of rate (1 - q) m / (m - 1)
    over m choices, because the rule treats all wrong choices alike. 0 where there is one choice.
    The most probable choice of a posterior is the most frequent one too, where judgments err
    alike, so the rate is that of both.

    Parameters
    ----------
    redraw_rate
        Of each judgment, in [0, 1].
    judgments, choices
        Of an item; at least 1.

    Raises
    ------
    ValueError
        If there is no judgment or no choice.
    """
    if judgments < 1 or choices < 1:
        raise ValueError(
            f"there should be at least 1 judgment and 1 choice; got {judgments} and {choices}."
        )
    if choices == 1:
        return 0.0
    wrong = redraw_rate * (choices - 1) / choices
    right = 0.0
    for votes in range(1, judgments + 1):
        probability = (
            math.comb(judgments, votes) * (1 - wrong) ** votes * wrong ** (judgments - votes)
        )
        right += probability * _wins(votes, judgments - votes, choices - 1)
    return min(max((1 - right) * choices / (choices - 1), 0.0), 1.0)


def _wins(votes: int, others: int, wrong_choices: int) -> float:
    """Probability that `votes` beat `others` that fall on the wrong choices evenly."""
    total = Fraction(0)
    for parts in _partitions(others, others):
        if len(parts) > wrong_choices:
            continue
        ways = math.factorial(others) * math.perm(wrong_choices, len(parts))
        for part in parts:
            ways //= math.factorial(part)
        for repeated in Counter(parts).values():
            ways //= math.factorial(repeated)
        rivals = parts.count(votes)
        if not parts or parts[0] <= votes:
            total += Fraction(ways, rivals + 1)
    return float(total / wrong_choices**others)


def _partitions(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    """Ways to write a number as a sum, the largest part first."""
    if total == 0:
        yield ()
        return
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield (part, *rest)


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
    outcomes are counted out, each with its probability. `majority_redraw_rate` says what the rate
    of a majority is, and is the shorter way where all judgments err alike.

    Parameters
    ----------
    judgments
        Choice index, (items, judges); `NO_JUDGMENT` where an item lacks one.
    choice_counts
        Number of choices per item, (items,).
    redraw_rates
        Redraw rate in [0, 1] of every judgment; anything that broadcasts to (items, judges).

    Raises
    ------
    InputError
        If a rate is not in [0, 1], or an item has no judgment or too many to count out.
    ValueError
        If shapes do not fit, or a judgment is none of its item's choices.
    """
    check_judged_choices(judgments, choice_counts)
    majority_label(judgments)  # for its errors
    rates = rates_of_judgments(judgments, redraw_rates)
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


def check_judged_choices(judgments: IntArray, choice_counts: IntArray) -> None:
    """Raise ValueError if judgments (items, judges) do not fit numbers of choices (items,)."""
    if judgments.ndim != 2 or judgments.shape[0] != choice_counts.size:
        raise ValueError(
            "'judgments' should be (items, judges) and 'choice_counts' (items,); "
            f"got {judgments.shape} and {choice_counts.shape}."
        )
    if np.any((judgments < NO_JUDGMENT) | (judgments >= choice_counts[:, None])):
        raise ValueError("every judgment should be one of its item's choices, or NO_JUDGMENT.")


def rates_of_judgments(judgments: IntArray, redraw_rates: ArrayLike) -> Array:
    """A redraw rate for every judgment, (items, judges).

    Raises InputError if a rate is outside [0, 1], ValueError if the shapes do not fit.
    """
    rates = np.broadcast_to(np.asarray(redraw_rates, dtype=np.float64), judgments.shape)
    unusable = ~((rates >= 0) & (rates <= 1))  # also true for NaN
    if np.any(unusable):
        raise InputError(f"error rate should be within 0 and 1; got {rates[unusable][0]}.")
    return rates
