"""How common classes are among test items, against what people say of items for sale.

Where the two differ by more than chance, either people overlook a class, or the test items are not
like those for sale. Either way a model that is trained on the labels takes the class to be too rare
for the test items, however many labels there are; so it is told how common classes are there
(`training.running.class_shares`). Which of the two it is, gold questions tell: they are test items
that the same people judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from annotation.items.table import gold_texts
from annotation.truth.aggregation import Aggregate
from annotation.truth.coding import Coded
from annotation.truth.fitted_models import votes
from training.task import Task

FEWEST = 20  # labels, or test items, below which shares say nothing
_BY_CHANCE = 0.01  # a difference that is as rare as this by chance is none of chance

Reason = Literal["overlooked", "seldom wrong", "answered otherwise"]
"""What explains that labels have a class more seldom than test items.

- "overlooked": people overlook it, as far as the judgments tell.
- "seldom wrong": people err too seldom for that, as 20 gold items tell; test items differ.
- "answered otherwise": people answer gold questions otherwise than items for sale; test items
  differ.
"""


@dataclass(frozen=True)
class ClassShares:
    """The shares of classes in one stratum whose labels and test items differ.

    Attributes
    ----------
    classes : their texts
    tested, labelled : share of each among the test items, and among the labels
    test_items, labels : how many these are of
    reason : see `Reason`
    """

    stratum: str
    classes: tuple[str, ...]
    tested: tuple[float, ...]
    labelled: tuple[float, ...]
    test_items: int
    labels: int
    reason: Reason

    def facts(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    def sentence(self) -> str:
        """What it says, for people: of the class that labels lack most."""
        place = int(np.argmax(np.subtract(self.tested, self.labelled)))
        name = self.classes[place]
        why = {
            "overlooked": "people overlook it",
            "seldom wrong": "people err too seldom for that, so test items are not like those "
            "for sale",
            "answered otherwise": "people answer test items otherwise, so these are not like "
            "those for sale",
        }
        return (
            f"Of the {self.stratum} test items {100 * self.tested[place]:.0f} % are '{name}', and "
            f"{100 * self.labelled[place]:.0f} % of the {self.stratum} labels say so: "
            f"{why[self.reason]}."
        )


def shares_of_tested(task: Task) -> tuple[float, ...] | None:
    """Share of every class among the target's test items, in the order of the choices.

    Every class counts half an item more. None where items do not share their choices, or there are
    too few test items.
    """
    if task.shared_choices is None:
        return None
    counts = _tested(task, task.target, tuple(text.strip() for text in task.shared_choices))
    if counts.sum() < FEWEST:
        return None
    smooth = counts + 0.5
    return tuple((smooth / smooth.sum()).tolist())


def commonest_of_tested(task: Task) -> float | None:
    """Share of the target's test items that are of their commonest class; None without classes."""
    if task.shared_choices is None:
        return None
    counts = _tested(task, task.target, tuple(text.strip() for text in task.shared_choices))
    return float(counts.max() / counts.sum())


def differing_shares(
    found: Aggregate,
    coded: Coded,
    task: Task,
    for_sale: NDArray[np.bool_],
    most_wrong: Mapping[str, float],
) -> tuple[ClassShares, ...]:
    """The shares of every stratum whose labels and test items differ by more than chance.

    Parameters
    ----------
    found : what is made of the judgments
    coded, task : the judgments; items and test set
    for_sale : (items,), whose labels can be trained on
    most_wrong : stratum -> share of wrong judgments at most, as gold questions tell; strata that
        are not named may err as often as they like
    """
    if coded.kind != "shared":
        return ()
    told = []
    said = votes(coded) / votes(coded).sum(axis=1, keepdims=True)
    answers = found.labels(coded)
    for code, stratum in enumerate(coded.strata):
        here = coded.stratum == code
        own, gold = np.flatnonzero(here & for_sale), np.flatnonzero(here & ~for_sale)
        tested = _tested(task, stratum, coded.shared)
        labelled = np.bincount(answers[own], minlength=len(coded.shared)).astype(float)
        if min(own.size, tested.sum()) < FEWEST or not _differ(labelled, tested):
            continue
        shares = tested / tested.sum()
        told.append(
            ClassShares(
                stratum,
                coded.shared,
                tuple(shares.tolist()),
                tuple((labelled / labelled.sum()).tolist()),
                int(tested.sum()),
                int(own.size),
                _reason(shares, said[own], said[gold], most_wrong.get(stratum, 1.0)),
            )
        )
    return tuple(told)


def _reason(shares: Array, said: Array, of_gold: Array, most_wrong: float) -> Reason:
    """`said` (items, classes), `of_gold` (gold items, classes): shares of an item's judgments."""
    if 0.5 * np.abs(shares - said.mean(axis=0)).sum() > most_wrong:
        return "seldom wrong"
    if len(of_gold) and _differ(of_gold.sum(axis=0), said.sum(axis=0)):
        return "answered otherwise"
    return "overlooked"


def _tested(task: Task, stratum: str, classes: tuple[str, ...]) -> Array:
    """Test items of a stratum by class, (classes,)."""
    texts = gold_texts(task.items)
    place = {name: code for code, name in enumerate(classes)}
    own = [texts[item] for item in task.test_positions[task.test_strata == stratum]]
    codes = [place[text.strip()] for text in own if text is not None and text.strip() in place]
    return np.bincount(np.array(codes, dtype=np.int64), minlength=len(classes)).astype(float)


def _differ(one: Array, other: Array) -> bool:
    """Whether counts (classes,) of two samples differ by more than chance (chi-squared test)."""
    from scipy.stats import chi2_contingency

    there = one + other > 0
    if there.sum() < 2:
        return False
    return bool(chi2_contingency(np.stack([one[there], other[there]])).pvalue < _BY_CHANCE)
