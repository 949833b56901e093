"""How simulated annotators err: labels that are wrong at a set rate."""

from typing import Literal, get_args

import numpy as np

from annotation.arrays import IntArray
from annotation.errors import InputError

ErrorKind = Literal["redraw", "flip"]
"""What happens to a label that is hit, with probability `error_rate`:

- "redraw": it is drawn anew, uniformly over ALL choices, so it can come out right. With m choices
  a share error_rate * (m - 1) / m of the labels is wrong (Hase et al. 2024, arXiv:2401.06751).
- "flip": it is replaced by a wrong choice, drawn uniformly. A share error_rate is wrong.
"""


def draw_labels(
    answers: IntArray,
    choice_counts: IntArray,
    error_rate: float,
    kind: ErrorKind,
    rng: np.random.Generator,
) -> IntArray:
    """Draw the labels of one simulated annotator.

    The generator is used in the same way whatever the error rate and kind: with the same state,
    the labels that are wrong at a low rate are wrong, and the same, at a higher one; and the
    labels of the first items do not depend on how many items follow. So conditions that differ in
    the error rate or in size compare in pairs.

    Parameters
    ----------
    answers
        Gold choice index per item, (items).
    choice_counts
        Number of choices per item, (items); at least 1, and for "flip" at least 2.
    error_rate
        Probability in [0, 1] that a label is hit.
    kind
        What happens to a label that is hit, see `ErrorKind`.
    rng
        Source of randomness; two numbers per item are drawn.

    Returns
    -------
    Label (choice index) per item, (items).

    Raises
    ------
    InputError
        If the error rate is not in [0, 1] or the kind is unknown.
    ValueError
        If the arrays differ in shape, or an answer or a number of choices is impossible.
    """
    check_error_rate(error_rate)
    check_choice_counts(choice_counts, kind)
    if answers.shape != choice_counts.shape or answers.ndim != 1:
        raise ValueError(
            "'answers' and 'choice_counts' should be of one shape (items,); "
            f"got {answers.shape} and {choice_counts.shape}."
        )
    if np.any((answers < 0) | (answers >= choice_counts)):
        raise ValueError("every answer should be at least 0 and below its number of choices.")
    # One row per item, so that a longer draw begins with the shorter one.
    hit, place = rng.random((len(answers), 2)).T
    if kind == "redraw":
        replacements = np.floor(place * choice_counts).astype(np.int64)
    else:
        replacements = np.floor(place * (choice_counts - 1)).astype(np.int64)
        replacements += replacements >= answers  # skip the right choice
    return np.where(hit < error_rate, replacements, answers).astype(np.int64)


def draw_judgments(
    answers: IntArray,
    choice_counts: IntArray,
    error_rate: float,
    kind: ErrorKind,
    judgments: int,
    rng: np.random.Generator,
) -> IntArray:
    """Draw several independent judgments of every item, from annotators who err alike.

    Conditions compare in pairs as those of `draw_labels` do, judgment by judgment. Beyond that,
    the first judgment is the label that `draw_labels` draws with the same generator, and further
    judgments change none of those before them, nor what `rng` draws afterwards.

    Parameters
    ----------
    answers, choice_counts, error_rate, kind
        As for `draw_labels`.
    judgments
        How many judgments each item gets, at least 1.
    rng
        Source of randomness: two numbers per item are drawn, and one generator is spawned.

    Returns
    -------
    Judgment (choice index), (items, judgments).

    Raises
    ------
    InputError
        As `draw_labels` does, and if `judgments` is below 1.
    ValueError
        As `draw_labels` does.
    """
    if judgments < 1:
        raise InputError(f"the number of judgments per item should be at least 1; got {judgments}.")
    # Spawned streams depend on neither the number of items nor that of judgments.
    others = rng.spawn(1)[0].spawn(judgments - 1)
    drawn = [draw_labels(answers, choice_counts, error_rate, kind, each) for each in (rng, *others)]
    return np.stack(drawn, axis=1)


def check_error_rate(error_rate: float) -> None:
    """Raise InputError if an error rate is not a probability."""
    if not 0 <= error_rate <= 1:  # also false for NaN
        raise InputError(f"error rate should be within 0 and 1; got {error_rate}.")


def check_error_kind(kind: str) -> None:
    """Raise InputError if `kind` is no kind of error."""
    if kind not in get_args(ErrorKind):
        raise InputError(
            f"error kind '{kind}' is unknown; choose one of {', '.join(get_args(ErrorKind))}."
        )


def check_choice_counts(choice_counts: IntArray, kind: str) -> None:
    """Raise InputError if `kind` is no kind of error, ValueError if an item has too few choices.

    `choice_counts` (items,).
    """
    check_error_kind(kind)
    fewest = 2 if kind == "flip" else 1
    if np.any(choice_counts < fewest):
        raise ValueError(
            f"every item should have at least {fewest} choices for error kind '{kind}'; "
            f"got {int(np.min(choice_counts))}."
        )
