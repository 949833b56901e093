"""What a probe reads in items without labels: how far apart their classes lie along its direction.

A probe of the target's right answers scores every choice of an item. Among choices of one item the
scores scatter by noise (`within`) and, where the item shows what the probe looks for, because the
right choice stands out (`between`). The latter two are told apart on labelled items of the target.
Of unlabelled items the scatter as a whole is known, and what is above the target's noise is what
their own right choices stand out by, whichever these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
_SCATTER, _ERROR = "scatter of ", "standard error of "


@dataclass(frozen=True)
class Reading:
    """Mean squares of one probe's scores, per free choice of an item.

    Attributes
    ----------
    within, between : of labelled items of the target that the probe was not trained on: noise,
        and how the right choice stands out
    scatter : stratum -> both together, of unlabelled items
    standard_error : stratum -> of `scatter` less `within`, by the number of items
    """

    within: float
    between: float
    scatter: Mapping[str, float]
    standard_error: Mapping[str, float]

    def as_details(self) -> dict[str, float]:
        """As the details of a trial's result; `reading_of` takes them back."""
        return {
            "within": self.within,
            "between": self.between,
            **{f"{_SCATTER}{name}": value for name, value in self.scatter.items()},
            **{f"{_ERROR}{name}": value for name, value in self.standard_error.items()},
        }


def reading_of(details: Mapping[str, float]) -> Reading:
    """The reading that stands in the details of a trial's result.

    Raises KeyError if there is none.
    """

    def by_stratum(prefix: str) -> dict[str, float]:
        return {
            key.removeprefix(prefix): value
            for key, value in details.items()
            if key.startswith(prefix)
        }

    return Reading(details["within"], details["between"], by_stratum(_SCATTER), by_stratum(_ERROR))


def read(
    scores: Array,
    mask: Mask,
    answers: NDArray[np.int64],
    unlabelled: Mapping[str, tuple[Array, Mask]],
    shared_classes: bool,
) -> Reading:
    """Compare a probe's scores of labelled items with those of unlabelled ones.

    Parameters
    ----------
    scores, mask, answers : (items, choices), (items, choices), (items,) of labelled items; what
        `mask` leaves out is not read
    unlabelled : stratum -> scores and mask of its items
    shared_classes : whether all items have the same classes; a class that is more likely than
        others says nothing of a single item then

    Raises ValueError if an item has fewer than two choices, or nothing is there to read.
    """
    if not len(scores) or not all(len(own) for own, _ in unlabelled.values()):
        raise ValueError("there should be items to read, labelled ones and of every stratum.")
    centred = _centred(scores, mask, shared_classes)
    choices = mask.sum(1)
    labelled = _scatter(centred, mask)
    right = centred[np.arange(len(answers)), answers].mean() / (1 - 1 / choices).mean()
    between = float(right**2 * (1 / choices).mean())
    by_item = {
        name: _scatter(_centred(own, there, shared_classes), there)
        for name, (own, there) in unlabelled.items()
    }
    error = labelled.var() / len(labelled)
    return Reading(
        within=float(labelled.mean()) - between,
        between=between,
        scatter={name: float(own.mean()) for name, own in by_item.items()},
        standard_error={
            name: float(np.sqrt(own.var() / len(own) + error)) for name, own in by_item.items()
        },
    )


def _centred(scores: Array, mask: Mask, shared_classes: bool) -> Array:
    """Scores less their mean over an item's choices; 0 where an item has no such choice."""
    if (mask.sum(1) < 2).any():
        raise ValueError("every item should have two choices at least.")
    known = np.where(mask, scores, 0.0)
    if shared_classes:
        known = known - known.mean(0)
    return np.asarray(np.where(mask, known - (known.sum(1) / mask.sum(1))[:, None], 0.0))


def _scatter(centred: Array, mask: Mask) -> Array:
    """Mean square per free choice of every item, (items,)."""
    return np.asarray((centred**2).sum(1) / (mask.sum(1) - 1))
