"""How common classes are among test items, against what people say of items for sale.

Where the two differ by more than chance, either people overlook a class, or the test items are not
like those for sale. Gold questions are test items that the same people judged: where they say of
them what they say of items for sale, it is the people, and labels are made so that their classes
are as common as the test items have them (`annotation.truth.known_shares`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from annotation.items.table import gold_texts
from annotation.truth.aggregation import Aggregate
from annotation.truth.coding import Coded
from annotation.truth.fitted_models import votes
from annotation.truth.known_shares import with_shares
from training.task import Task

_FEWEST = 20  # labels, and test items, below which shares say nothing
_BY_CHANCE = 0.01  # a difference that is as rare as this by chance is none of chance


@dataclass(frozen=True)
class ClassShares:
    """The shares of classes in one stratum.

    Attributes
    ----------
    classes : their texts
    tested, labelled : share of each among the test items, and among the labels as judged
    test_items, labels : how many these are of
    corrected : whether labels were made as the test items have it
    why_not : the reason, where shares differ and labels stay as judged
    """

    stratum: str
    classes: tuple[str, ...]
    tested: tuple[float, ...]
    labelled: tuple[float, ...]
    test_items: int
    labels: int
    corrected: bool
    why_not: str | None

    def facts(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}


def as_tested(
    found: Aggregate,
    coded: Coded,
    task: Task,
    for_sale: NDArray[np.bool_],
    redraws: Array,
    most_wrong: Mapping[str, float],
) -> tuple[Aggregate, list[ClassShares]]:
    """Labels whose classes are as common as test items of their stratum have them.

    Only where they are not by more than chance, and people's mistakes explain it.

    Parameters
    ----------
    found : what is made of the judgments
    coded, task : the judgments; items and test set
    for_sale : (items,), whose labels can be trained on
    redraws : (items,), redraw rate of each item's label
    most_wrong : stratum -> share of wrong judgments at most, as measured

    Returns
    -------
    The labels, and the shares of every stratum where they differ.
    """
    if coded.kind != "shared":
        return found, []
    posteriors, told = found.posteriors.copy(), []
    said = votes(coded) / votes(coded).sum(axis=1, keepdims=True)
    for code, stratum in enumerate(coded.strata):
        here = coded.stratum == code
        own, tested = np.flatnonzero(here & for_sale), _tested(task, stratum, coded.shared)
        labelled = np.bincount(found.labels(coded)[own], minlength=len(coded.shared)).astype(float)
        if min(own.size, tested.sum()) < _FEWEST or not _differ(labelled, tested):
            continue
        shares = tested / tested.sum()
        gold = np.flatnonzero(here & ~for_sale)
        most = most_wrong.get(stratum, 1.0)
        why_not = _why_not(stratum, shares, said[own], said[gold], most)
        if why_not is None:
            posteriors[own] = with_shares(_doubted(found, own, redraws), shares)
        told.append(
            ClassShares(
                stratum,
                coded.shared,
                tuple(shares.tolist()),
                tuple((labelled / labelled.sum()).tolist()),
                int(tested.sum()),
                int(own.size),
                why_not is None,
                why_not,
            )
        )
    return replace(found, posteriors=posteriors), told


def shares_sentence(own: ClassShares) -> str:
    """What the shares of a stratum say, for people."""
    place = int(np.argmax(np.subtract(own.tested, own.labelled)))
    name = own.classes[place]
    differ = (
        f"Of the {own.stratum} test items {100 * own.tested[place]:.0f} % are '{name}', and "
        f"{100 * own.labelled[place]:.0f} % of the {own.stratum} labels say so"
    )
    if own.corrected:
        return (
            f"{differ}: people overlook it, so labels are made as common as the test items have "
            'them. If test items are not like those for sale, set buying.class_shares = "judged".'
        )
    return f"{differ}: {own.why_not}"


def _why_not(
    stratum: str, shares: Array, said: Array, of_gold: Array, most_wrong: float
) -> str | None:
    """Why people's mistakes do not explain the difference; None where they may.

    `said` (items, classes) and `of_gold` (gold items, classes) are shares of an item's judgments.
    """
    apart = 0.5 * float(np.abs(shares - said.mean(axis=0)).sum())
    if apart > most_wrong:
        return (
            f"people err too seldom for that, so the {stratum} test items are not like those for "
            "sale; labels stay as judged."
        )
    if len(of_gold) and _differ(of_gold.sum(axis=0), said.sum(axis=0)):
        return (
            f"people answer {stratum} test items otherwise than those for sale, so these are not "
            "alike; labels stay as judged."
        )
    return None


def _doubted(found: Aggregate, places: NDArray[np.int64], redraws: Array) -> Array:
    """Posteriors of items; shares of a majority are doubted as often as such labels are redrawn."""
    own = found.posteriors[places]
    if found.method != "majority":
        return own
    doubt = redraws[places, None]
    return np.asarray((1 - doubt) * own + doubt / own.shape[1])


def _tested(task: Task, stratum: str, classes: tuple[str, ...]) -> Array:
    """Test items of a stratum by class, (classes,)."""
    texts = gold_texts(task.items)
    place = {name: code for code, name in enumerate(classes)}
    own = task.test_positions[task.test_strata == stratum]
    codes = [place[str(texts[item]).strip()] for item in own if _is_one_of(texts[item], place)]
    return np.bincount(np.array(codes, dtype=np.int64), minlength=len(classes)).astype(float)


def _is_one_of(text: object, place: Mapping[str, int]) -> bool:
    return text is not None and str(text).strip() in place


def _differ(one: Array, other: Array) -> bool:
    """Whether counts (classes,) of two samples differ by more than chance (chi-squared test)."""
    from scipy.stats import chi2_contingency

    there = one + other > 0
    if there.sum() < 2:
        return False
    table = np.stack([one[there], other[there]])
    return bool(chi2_contingency(table, correction=True).pvalue < _BY_CHANCE)
