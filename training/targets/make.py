"""Noise-aware targets: what a model is trained towards when labels may be wrong.

Every kind turns judgments, of one annotator per item or of several, into probabilities over the
item's choices. Probe and adapter minimise the cross-entropy to them; "forward" leaves the labels
as they are and corrects the model's probabilities instead.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.terms.majority import (
    NO_JUDGMENT,
    check_judged_choices,
    majority_label,
    majority_redraw_rates,
)
from training.targets.posteriors import choice_mask, posterior_from_judgments

TargetKind = Literal[
    "hard_labels", "smoothed", "uncertainty", "posterior", "forward", "soft_labels"
]
"""How labels become targets; the label of several judgments is their majority.

- "hard_labels": all probability on the label.
- "smoothed": label smoothing by the redraw rate of the item's label, see `smooth_labels`.
- "uncertainty": label smoothing by the item's own uncertainty, see `UncertaintyMap`.
- "posterior": the posterior given all judgments, see `posterior_from_judgments`.
- "forward": hard labels, with the loss -log((1 - r) p + r / m) of the label's probability p
  under the model, for redraw rate r and m choices: forward correction (Patrini et al. 2017,
  arXiv:1609.03683) with the transition matrix of redraws.
- "soft_labels": each choice's share of the judgments (Peterson et al. 2019, arXiv:1908.07086);
  what people disagree about counts as it is, and no error rate is asked for.

With one judgment per item, "posterior" is "smoothed" and "soft_labels" is "hard_labels".
"""


@dataclass(frozen=True)
class Targets:
    """`probabilities` (items, most choices), rows sum to 1, 0 where an item has fewer choices.

    `redraw_rates` (items,), or None where the loss is the plain cross-entropy.
    """

    probabilities: Array
    redraw_rates: Array | None = None


@dataclass(frozen=True)
class UncertaintyMap:
    """From an item's uncertainty, 0 to 1, to its label smoothing, linearly.

    Smoothing is intercept + slope * uncertainty, cut to 0..largest (Wang et al. 2024,
    arXiv:2406.04854; their slope is not public). With the uncertainty of one judgment's posterior
    the default is right in Bayes' sense; a model's entropy is no error rate and calls for a
    smaller slope.

    Raises InputError if a value is not finite or `largest` not in [0, 1].
    """

    intercept: float = 0.0
    slope: float = 1.0
    largest: float = 1.0

    def __post_init__(self) -> None:
        for name in ("intercept", "slope", "largest"):
            value = getattr(self, name)
            if not np.isfinite(value):
                raise InputError(f"uncertainty map: {name} is {value}; give a finite number.")
        if not 0 <= self.largest <= 1:
            raise InputError(
                f"uncertainty map: largest is {self.largest}; give a smoothing within 0 and 1."
            )

    def smoothing(self, uncertainties: Array) -> Array:
        """Label smoothing of items with these uncertainties, (items,)."""
        return np.clip(self.intercept + self.slope * uncertainties, 0.0, self.largest)


def make_targets(
    kind: TargetKind,
    judgments: IntArray,
    choice_counts: IntArray,
    redraw_rates: ArrayLike | None = None,
    uncertainties: Array | None = None,
    uncertainty_map: UncertaintyMap = UncertaintyMap(),
    most_choices: int | None = None,
) -> Targets:
    """Turn judgments into targets of a kind.

    Parameters
    ----------
    kind
        See `TargetKind`.
    judgments
        One label per item, (items,), or several judgments, (items, judges).
    choice_counts
        Number of choices per item, (items,).
    redraw_rates
        How often a single judgment is redrawn: one number, one per item (items,), or one per
        judgment (items, judges). Needed by all kinds but "hard_labels" and "soft_labels", and by
        "uncertainty" only where `uncertainties` are not given.
    uncertainties
        Uncertainty of every item, 0 to 1, (items,), for "uncertainty"; by default that of its
        judgments' posterior.
    uncertainty_map
        From uncertainty to label smoothing.
    most_choices
        Columns of the targets; by default the largest of `choice_counts`.

    Raises
    ------
    InputError
        If the kind is unknown, a rate or uncertainty not in [0, 1], an item has no judgment, or
        judgments that never err contradict each other.
    ValueError
        If shapes do not fit, a judgment is none of its item's choices, or rates are missing.
    """
    check_target_kind(kind)
    table = judgments[:, None] if judgments.ndim == 1 else judgments
    if kind == "posterior":
        rates = _rates(kind, redraw_rates)
        return Targets(posterior_from_judgments(table, choice_counts, rates, most_choices))
    if kind == "soft_labels":
        return Targets(judgment_shares(table, choice_counts, most_choices))
    labels = majority_label(table)
    one_hot = smooth_labels(labels, choice_counts, 0.0, most_choices)
    if kind == "hard_labels":
        return Targets(one_hot)
    if kind == "uncertainty":
        if uncertainties is None:
            posterior = posterior_from_judgments(table, choice_counts, _rates(kind, redraw_rates))
            uncertainties = posterior_uncertainty(posterior, choice_counts)
        _check_uncertainties(uncertainties, labels)
        smoothing = uncertainty_map.smoothing(uncertainties)
        return Targets(smooth_labels(labels, choice_counts, smoothing, most_choices))
    own = majority_redraw_rates(table, choice_counts, _rates(kind, redraw_rates))
    if kind == "forward":
        return Targets(one_hot, own)
    return Targets(smooth_labels(labels, choice_counts, own, most_choices))


def smooth_labels(
    labels: IntArray,
    choice_counts: IntArray,
    smoothing: ArrayLike,
    most_choices: int | None = None,
) -> Array:
    """(1 - a) on the label plus a / m on each of the item's own m choices, (items, most choices).

    For labels that are redrawn uniformly with probability a this is the posterior of the answer.
    If the answer is k, the label is y with probability (1 - a) [y = k] + a / m. With a uniform
    prior, P(answer = k | label = y) is proportional to that, as a function of k; it sums to
    (1 - a) + m * a / m = 1 over the choices, so it is the posterior as it stands.

    `labels`, `choice_counts` (items,); `smoothing` a number or (items,), within 0 and 1.

    Raises InputError if a smoothing is not in [0, 1], ValueError if shapes do not fit or a label
    is none of its item's choices.
    """
    mask = choice_mask(choice_counts, most_choices)
    if labels.shape != choice_counts.shape or np.any((labels < 0) | (labels >= choice_counts)):
        raise ValueError("'labels' should be (items,), each one of its item's choices.")
    amount = np.broadcast_to(np.asarray(smoothing, dtype=np.float64), labels.shape)
    unusable = ~((amount >= 0) & (amount <= 1))  # also true for NaN
    if np.any(unusable):
        raise InputError(f"label smoothing should be within 0 and 1; got {amount[unusable][0]}.")
    targets = np.where(mask, (amount / choice_counts)[:, None], 0.0)
    targets[np.arange(labels.size), labels] += 1 - amount
    return targets


def judgment_shares(
    judgments: IntArray, choice_counts: IntArray, most_choices: int | None = None
) -> Array:
    """Each choice's share of the judgments of its item, (items, most choices).

    `judgments` (items, judges), `NO_JUDGMENT` where an item has fewer; `choice_counts` (items,).

    Raises InputError if an item has no judgment, ValueError if shapes do not fit or a judgment is
    none of its item's choices.
    """
    mask = choice_mask(choice_counts, most_choices)
    check_judged_choices(judgments, choice_counts)
    given = judgments != NO_JUDGMENT
    unjudged = np.flatnonzero(~given.any(1))
    if unjudged.size:
        raise InputError(
            f"item {unjudged[0] + 1} of {len(judgments)} has no judgment; leave it out or "
            "have it judged."
        )
    shares = np.zeros(mask.shape)
    for judged, there in zip(judgments.T, given.T, strict=True):
        shares[np.flatnonzero(there), judged[there]] += 1
    return np.asarray(shares / given.sum(1, keepdims=True))


def posterior_uncertainty(probabilities: Array, choice_counts: IntArray) -> Array:
    """How far an item's largest probability is from 1, scaled to 0 (sure) .. 1 (even), (items,).

    (1 - largest) * m / (m - 1) for m choices, 0 where there is one choice. For the posterior of
    one judgment it is that judgment's redraw rate.

    `probabilities` (items, most choices), 0 where an item has fewer; `choice_counts` (items,).
    """
    several = choice_counts > 1
    scale = np.where(several, choice_counts / np.maximum(choice_counts - 1, 1), 0.0)
    uncertainties: Array = (1 - probabilities.max(axis=1)) * scale
    return uncertainties.clip(0.0, 1.0)


def entropy_uncertainty(probabilities: Array, choice_counts: IntArray) -> Array:
    """Entropy of a model's probabilities over an item's choices, over its maximum log m, (items,).

    0 where there is one choice. Arguments as for `posterior_uncertainty`. Use probabilities of a
    model that has not been trained on the items' labels, or it is sure of wrong ones too.
    """
    entropy = -xlogy(probabilities, probabilities).sum(axis=1)
    largest = np.log(np.maximum(choice_counts, 2))
    share: Array = np.where(choice_counts > 1, entropy / largest, 0.0)
    return share.clip(0.0, 1.0)


def check_target_kind(kind: str) -> None:
    """Raise InputError if `kind` is no kind of target."""
    if kind not in get_args(TargetKind):
        raise InputError(
            f"target kind '{kind}' is unknown; choose one of {', '.join(get_args(TargetKind))}."
        )


def _rates(kind: str, redraw_rates: ArrayLike | None) -> Array:
    """Rates that broadcast to (items, judges)."""
    if redraw_rates is None:
        raise ValueError(f"targets of kind '{kind}' need 'redraw_rates'; got none.")
    rates = np.asarray(redraw_rates, dtype=np.float64)
    return rates[:, None] if rates.ndim == 1 else rates


def _check_uncertainties(uncertainties: Array, labels: IntArray) -> None:
    if uncertainties.shape != labels.shape:
        raise ValueError(
            f"'uncertainties' should be (items,) like the labels {labels.shape}; "
            f"got {uncertainties.shape}."
        )
    unusable = ~((uncertainties >= 0) & (uncertainties <= 1))
    if np.any(unusable):
        raise InputError(f"uncertainty should be within 0 and 1; got {uncertainties[unusable][0]}.")
