"""Which class people overlook, and what they take it for: mistakes that are not chance.

An error rate says how often people are wrong. Where they are wrong in one way, more judgments of an
item mend little, since the next person overlooks the same class; what they get wrong is told here.

Where at least `FEWEST` answers were given to gold questions of a class, these tell. Else the items'
posteriors do, a judgment counting for each class by the probability that it is right; of items
that several people judged. Then mistakes which most people share look like right answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array
from annotation.intervals import CONFIDENCE, Interval, Scope, clustered_mean, fewest_trials, wilson
from annotation.truth.coding import NO_GOLD, Coded

FEWEST = 10  # judgments of items of a class, below which nothing is told of it
KnownBy = Literal["gold", "agreement"]


@dataclass(frozen=True)
class ClassConfusion:
    """What some people say of items of one class in one stratum.

    Attributes
    ----------
    group : whose judgments; None where nobody is told apart
    stratum, label : which items: those whose right answer is this class
    known_by : how that is known, see the module
    judgments : of such items; where agreement tells, what they count together
    overlooked : share of them that say another class
    taken_for : the class that they say most instead; None where nobody was wrong
    """

    group: str | None
    stratum: str
    label: str
    known_by: KnownBy
    judgments: float
    overlooked: Interval
    taken_for: str | None


def confusions(
    coded: Coded,
    posteriors: Array,
    groups: Mapping[str | None, NDArray[np.bool_]],
    scope: Scope = "like_these",
    confidence: float = CONFIDENCE,
) -> tuple[ClassConfusion, ...]:
    """What every group overlooks in every stratum; nothing where items do not share classes.

    Parameters
    ----------
    coded : the judgments
    posteriors : (items, classes), as if nobody knew the answers to gold questions
    groups : name -> who belongs to it, (annotators,)
    scope, confidence : of the intervals
    """
    if coded.kind != "shared":
        return ()
    return tuple(
        found
        for name, whose in groups.items()
        for stratum in range(len(coded.strata))
        for label in range(len(coded.shared))
        for found in _of_class(coded, posteriors, name, whose, stratum, label, scope, confidence)
    )


def _of_class(
    coded: Coded,
    posteriors: Array,
    group: str | None,
    whose: NDArray[np.bool_],
    stratum: int,
    label: int,
    scope: Scope,
    confidence: float,
) -> Iterator[ClassConfusion]:
    own = whose[coded.annotator] & (coded.judged_stratum == stratum)
    gold = coded.gold[coded.item]
    on_gold = own & (gold == label)
    known_by: KnownBy = "gold" if on_gold.sum() >= FEWEST else "agreement"
    if known_by == "gold":
        chosen, weights = on_gold, on_gold.astype(np.float64)
    else:
        judged = np.bincount(coded.item, minlength=len(coded.item_ids))
        chosen = own & (judged[coded.item] > 1)
        weights = np.where(chosen, posteriors[coded.item, label], 0.0)
        known = chosen & (gold != NO_GOLD)
        weights[known] = gold[known] == label
    total = float(weights.sum())
    if total < FEWEST:
        return
    said_other = coded.label != label
    counts = np.bincount(
        coded.label[chosen], weights=(weights * said_other)[chosen], minlength=len(coded.shared)
    )
    there = chosen & (weights > 0)
    yield ClassConfusion(
        group,
        coded.strata[stratum],
        coded.shared[label],
        known_by,
        total,
        _weighted_share(coded, there, said_other, weights, scope, confidence),
        coded.shared[int(np.argmax(counts))] if counts.max() > 0 else None,
    )


def _weighted_share(
    coded: Coded,
    there: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    weights: Array,
    scope: Scope,
    confidence: float,
) -> Interval:
    """The weighted share of wrong judgments, with Wilson's interval for their effective number.

    The share is a ratio of two sums; its variance is that of the linearised ratio over clusters,
    as in `annotation.intervals.clustered_mean`.
    """
    own, weight = wrong[there].astype(np.float64), weights[there]
    item, annotator = coded.item[there], coded.annotator[there]
    total = float(weight.sum())
    share = float((weight * own).sum() / total)
    # Values whose plain mean is the share, and whose deviations are those of the ratio.
    values = share + weight * (own - share) * own.size / total
    found = clustered_mean(values, item, annotator, scope)
    if 0 < share < 1:
        effective = min(total, share * (1 - share) / found.variance) if found.variance else total
        return wilson(share, effective, found.t_quantile(confidence))
    trials = min(total, fewest_trials(item, annotator, scope))
    return wilson(share, trials, found.t_quantile(confidence))


def most_overlooked(
    found: tuple[ClassConfusion, ...], group: str | None, stratum: str
) -> ClassConfusion | None:
    """The class that this group overlooks there by more than chance and more than others, if any.

    Its interval lies wholly above that of some other class of the same group and stratum.
    """
    own = [one for one in found if (one.group, one.stratum) == (group, stratum)]
    sure = [
        one for one in own if one.overlooked.low is not None and one.overlooked.high is not None
    ]
    worst = max(sure, key=lambda one: one.overlooked.bounds[0], default=None)
    if worst is None:
        return None
    least = min(one.overlooked.bounds[1] for one in sure)
    return worst if worst.overlooked.bounds[0] > least else None
