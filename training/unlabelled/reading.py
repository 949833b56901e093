"""What a probe reads in items without labels: how far apart their classes lie along its direction.

A probe of the target's right answers scores every choice of an item. The scores of one item's
choices scatter by noise and, where the item shows what the probe looks for, because the right
choice is lifted above the others. On labelled items of the target the two are told apart. Of
unlabelled items the scatter as a whole is known, and what is above the target's noise is what their
own right choices are lifted by, whichever these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Mask

MOST_READ = 1000  # unlabelled items of a stratum that are looked at
_BY_STRATUM = {"scatter": "scatter of ", "answer_scatter": "answers of ", "error": "error of "}


@dataclass(frozen=True)
class Reading:
    """One probe's scores; scatters are mean squares per free choice of an item.

    Attributes
    ----------
    noise : scatter of labelled items of the target, which the probe was not trained on, less what
        the lift of their right choices gives
    lift : of the right choice over the others of an item, there; negative where the probe is wrong
    scatter : stratum -> of unlabelled items, noise and lift together
    answer_scatter : stratum -> what a lift of 1 would add to it
    error : stratum -> standard error of `scatter` less `noise`, by the number of items
    """

    noise: float
    lift: float
    scatter: Mapping[str, float]
    answer_scatter: Mapping[str, float]
    error: Mapping[str, float]

    def as_details(self) -> dict[str, float]:
        """As the details of a trial's result; `reading_of` takes them back."""
        by_stratum = {
            f"{prefix}{name}": value
            for field, prefix in _BY_STRATUM.items()
            for name, value in getattr(self, field).items()
        }
        return {"noise": self.noise, "lift": self.lift, **by_stratum}


def reading_of(details: Mapping[str, float]) -> Reading:
    """The reading that stands in the details of a trial's result.

    Raises KeyError if there is none.
    """
    by_stratum = {
        field: {k.removeprefix(prefix): v for k, v in details.items() if k.startswith(prefix)}
        for field, prefix in _BY_STRATUM.items()
    }
    return Reading(details["noise"], details["lift"], **by_stratum)


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
    shared_classes : whether all items have the same classes. A class that is likelier than others
        says nothing of a single item then; unlabelled items are taken to have each class as often
        as labelled ones do.

    Raises ValueError if an item has fewer than two choices, or nothing is there to read.
    """
    if not len(scores) or not all(len(own) for own, _ in unlabelled.values()):
        raise ValueError("there should be items to read, labelled ones and of every stratum.")
    centred = _centred(scores, mask, shared_classes)
    one_hot = np.zeros(mask.shape)
    one_hot[np.arange(len(answers)), answers] = 1.0
    right = _centred(one_hot, mask, shared_classes)
    lift = float((centred * right).sum() / max((right**2).sum(), 1e-12))
    labelled, of_answers = _scatter(centred, mask), float(_scatter(right, mask).mean())
    by_item = {
        name: _scatter(_centred(own, there, shared_classes), there)
        for name, (own, there) in unlabelled.items()
    }
    error = labelled.var() / len(labelled)
    return Reading(
        noise=float(labelled.mean()) - lift**2 * of_answers,
        lift=lift,
        scatter={name: float(own.mean()) for name, own in by_item.items()},
        answer_scatter={
            name: of_answers if shared_classes else float((1 / there.sum(1)).mean())
            for name, (_, there) in unlabelled.items()
        },
        error={name: float(np.sqrt(own.var() / len(own) + error)) for name, own in by_item.items()},
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
