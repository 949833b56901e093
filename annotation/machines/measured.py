"""How often a machine is wrong, where, and in which direction: from items that people checked.

Only items that were drawn at random tell it, and people must not see what the machine said.
Intervals are of these items, not of others like them: Wilson's with the correction for a finite
number of items, so that an interval shrinks to nothing where all were checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from annotation.arrays import Array, IntArray
from annotation.intervals import CONFIDENCE, NOTHING, Interval, wilson
from annotation.machines.labels import MachineLabels
from annotation.machines.routing import drawing_order

_BANDS = 4  # of stated confidence, of about as many items each
_POINTS = 0.05  # half-width that a number of checks is told for


@dataclass(frozen=True)
class MeasuredErrors:
    """Errors of the machine among some of the items.

    Attributes
    ----------
    name : the stratum, the band of confidence, or "all items"
    items, checked : how many the machine answered, and how many of those were checked
    wrong : share of the machine's answers that people do not give
    stated : mean confidence that the machine states; None where it states none
    more_checks : how many more would tell the share to within five points, either way
    """

    name: str
    items: int
    checked: int
    wrong: Interval
    stated: float | None
    more_checks: int


@dataclass(frozen=True)
class ClassErrors:
    """What the machine makes of one class.

    Attributes
    ----------
    name : the class
    said : share of all items of which the machine says it
    true : share of all items that are of it, by people
    missed : share of the items of this class of which the machine says another
    false : share of the items of which the machine says it, and that are of another
    taken_for : the class that it says most often in place of this one; None where it never errs
    """

    name: str
    said: float
    true: Interval
    missed: Interval
    false: Interval
    taken_for: str | None


@dataclass(frozen=True)
class MachineErrors:
    """What a sample says of a machine.

    Attributes
    ----------
    overall, strata, bands : errors of all items, by stratum, by stated confidence
    classes : empty where items have choices of their own
    confusion : (classes, classes) of counts among checked items: people's class, the machine's
    unused : answers of people that were not drawn at random, and are left out
    """

    overall: MeasuredErrors
    strata: tuple[MeasuredErrors, ...]
    bands: tuple[MeasuredErrors, ...]
    classes: tuple[ClassErrors, ...]
    confusion: IntArray
    unused: int


def measured_errors(
    labels: MachineLabels, seed: int = 0, drawn_by_user: bool = False
) -> MachineErrors:
    """Measure the machine on the items that were drawn at random and answered by people.

    Those are the longest beginning of the order in which `seed` draws items that people have
    answered; all that they answered where `drawn_by_user`. Nothing is known of a part of which
    nothing was checked.
    """
    checked = labels.checked if drawn_by_user else _drawn(labels, seed)
    parts = [(str(name), labels.strata == name) for name in dict.fromkeys(labels.strata.tolist())]
    every = np.ones(len(labels), dtype=bool)
    return MachineErrors(
        overall=_errors(labels, "all items", every, checked),
        strata=tuple(_errors(labels, name, own, checked) for name, own in parts),
        bands=tuple(_errors(labels, name, own, checked) for name, own in _bands(labels)),
        classes=tuple(_classes(labels, checked)),
        confusion=_confusion(labels, checked),
        unused=int((labels.checked & ~checked).sum()),
    )


def to_check(labels: MachineLabels, number: int, seed: int = 0) -> IntArray:
    """Places of the items that people have to answer so that `number` drawn ones are answered."""
    order = drawing_order(labels, seed)[:number]
    return order[labels.people[order] < 0]


def _drawn(labels: MachineLabels, seed: int) -> NDArray[np.bool_]:
    order = drawing_order(labels, seed)
    unanswered = np.flatnonzero(labels.people[order] < 0)
    end = int(unanswered[0]) if unanswered.size else order.size
    found = np.zeros(len(labels), dtype=bool)
    found[order[:end]] = True
    return found


def _errors(
    labels: MachineLabels, name: str, among: NDArray[np.bool_], checked: NDArray[np.bool_]
) -> MeasuredErrors:
    of_machine = among & labels.answered
    own = of_machine & checked
    items, count = int(of_machine.sum()), int(own.sum())
    wrong = share_interval(labels.said[own] != labels.people[own], items)
    stated = labels.confidence[of_machine]
    stated = stated[~np.isnan(stated)]
    return MeasuredErrors(
        name=name,
        items=items,
        checked=count,
        wrong=wrong,
        stated=float(stated.mean()) if stated.size else None,
        more_checks=max(0, _checks_wanted(wrong.estimate, items) - count),
    )


def share_interval(
    happened: NDArray[np.bool_], items: int, confidence: float = CONFIDENCE
) -> Interval:
    """The share of `items` of which something holds, from those drawn of them, (drawn,).

    Wilson's interval at the number of draws that would tell as much were items without end.
    """
    count = happened.size
    if not count:
        return NOTHING
    share = float(happened.mean())
    if count >= items:
        return Interval(share, share, share)
    as_many = count * (items - 1) / (items - count)
    return wilson(share, as_many, float(stats.norm.ppf(0.5 + confidence / 2)))


def _checks_wanted(share: float | None, items: int) -> int:
    """Checks that give an interval of five points either way; by the worst share if none."""
    guess = 0.5 if share is None else min(max(share, 0.05), 0.95)
    quantile = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
    endless = guess * (1 - guess) * (quantile / _POINTS) ** 2
    return min(items, int(np.ceil(endless / (1 + (endless - 1) / max(items, 1)))))


def _bands(labels: MachineLabels) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Bands of stated confidence, lowest first; equal ones are never parted."""
    stated: Array = labels.confidence
    known = stated[labels.answered & ~np.isnan(stated)]
    if not known.size:
        return
    ends = np.unique(known)
    if ends.size > _BANDS:
        ends = np.unique(np.quantile(known, np.linspace(0, 1, _BANDS + 1)[1:], method="higher"))
    lower = -np.inf
    for end in ends.tolist():
        own = (stated > lower) & (stated <= end)
        first, last = float(stated[own].min()), float(stated[own].max())
        name = f"{first:.2f}" if first == last else f"{first:.2f} to {last:.2f}"
        yield name, np.asarray(own)
        lower = end
    silent = labels.answered & np.isnan(stated)
    if silent.any():
        yield "not stated", np.asarray(silent)


def _classes(labels: MachineLabels, checked: NDArray[np.bool_]) -> Iterator[ClassErrors]:
    names: Sequence[str] = labels.classes or ()
    said, people = labels.said[checked], labels.people[checked]
    items = int(labels.answered.sum())
    for place, name in enumerate(names):
        of_class, as_class = people == place, said == place
        taken = np.bincount(said[of_class & ~as_class], minlength=len(names))
        in_all = round(items * float(of_class.mean())) if of_class.size else 0
        yield ClassErrors(
            name=str(name),
            said=float((labels.said[labels.answered] == place).mean()) if items else 0.0,
            true=share_interval(of_class, items),
            missed=share_interval(~as_class[of_class], max(in_all, int(of_class.sum()))),
            false=share_interval(~of_class[as_class], int((labels.said == place).sum())),
            taken_for=str(names[int(taken.argmax())]) if taken.any() else None,
        )


def _confusion(labels: MachineLabels, checked: NDArray[np.bool_]) -> IntArray:
    size = len(labels.classes or ())
    found = np.zeros((size, size), dtype=np.int64)
    if size:
        np.add.at(found, (labels.people[checked], labels.said[checked]), 1)
    return found
