"""Whether strata look as if they were cut from the very judgments that are to measure errors.

Where nothing says from which judgments a measure comes, two signs tell. The measure is what these
judgments disagree, item by item. Or the strata part them as no honest measure could: with a few
judgments an item, the luck of who was asked puts some items of a hard stratum among those where
all agree, and some of an easy one among the disputed. If people were asked anew, with each item's
answers in the shares that were seen, so many items would change sides; if none did, the edge was
drawn by these answers themselves.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from annotation.arrays import Array, IntArray
from annotation.truth.coding import Coded

_FEWEST_TELLING = 10  # items that somebody disputes
_NEARLY_ALL = 0.95
_CLOSE = 1e-3  # tables are written with some decimals
_DRAWS = 40
_MOST_ITEMS = 4000  # that are looked at for an edge; of more, as many drawn ones
_FEWEST_CROSSING = 10.0  # items that should have changed sides
_MOST_CROSSED = 0.05  # of those that should have


def of_same_judgments(
    coded: Coded, items: pd.DataFrame | None = None, measure: str | None = None
) -> str | None:
    """What speaks for it, as a clause; None if nothing does.

    `coded` are the judgments with their strata; `items` the item table and `measure` its measure
    that was cut, where that is known.
    """
    if items is not None and measure is not None and measure in items:
        known = pd.Series(items[measure].to_numpy(), index=items["item_id"].to_numpy())
        values = known.reindex(coded.item_ids).to_numpy(dtype=np.float64)
        equal = equals_disagreement(coded, values)
        if equal is not None:
            return f"'{measure}' equals {equal} at nearly all items"
    strata = parts_by_disagreement(coded)
    if strata is None:
        return None
    easier, harder = strata
    return (
        f"nearly every item of '{harder}' is more disputed than any of '{easier}', which the luck "
        "of few judgments would not allow"
    )


def equals_disagreement(coded: Coded, measure: Array) -> str | None:
    """What of these judgments a measure equals at nearly all items, in words; None for nothing.

    `measure` (coded items,), NaN where it is unknown.
    """
    counts = _answers(coded)
    judged = (counts.sum(1) >= 2) & ~np.isnan(measure)
    for name, values in _disagreements(counts[judged]).items():
        own = measure[judged]
        telling = (np.abs(values) > _CLOSE) | (np.abs(own) > _CLOSE)
        if telling.sum() < _FEWEST_TELLING:
            continue
        if (np.abs(values - own)[telling] <= _CLOSE).mean() >= _NEARLY_ALL:
            return name
    return None


def parts_by_disagreement(coded: Coded) -> tuple[str, str] | None:
    """Two neighbouring strata between which these judgments draw too sharp an edge; None for none.

    The easier one is first. Items with two judgments and more count.
    """
    counts = _answers(coded)
    several = np.flatnonzero(counts.sum(1) >= 2)
    if several.size > _MOST_ITEMS:
        several = np.random.default_rng(0).choice(several, _MOST_ITEMS, replace=False)
    counts, stratum = counts[several], coded.stratum[several]
    disagreement = _pairwise(counts)
    there = [code for code in range(len(coded.strata)) if (stratum == code).any()]
    order = sorted(there, key=lambda code: float(disagreement[stratum == code].mean()))
    drawn = _asked_anew(counts)
    for easier, harder in pairwise(order):
        low, high = stratum == easier, stratum == harder
        edge, crossed = _best_edge(disagreement[low], disagreement[high])
        expected = float(((drawn[:, low] > edge).sum(1) + (drawn[:, high] <= edge).sum(1)).mean())
        if expected >= _FEWEST_CROSSING and crossed <= _MOST_CROSSED * expected:
            return coded.strata[easier], coded.strata[harder]
    return None


def _answers(coded: Coded) -> IntArray:
    """How often each answer was given to each item, (items, most answers), commonest first."""
    items = len(coded.item_ids)
    width = int(coded.label.max()) + 1
    pairs, times = np.unique(coded.item * width + coded.label, return_counts=True)
    item = pairs // width
    order = np.lexsort([-times, item])
    item, times = item[order], times[order]
    starts = np.searchsorted(item, np.arange(items))
    place = np.arange(item.size) - starts[item]
    counts = np.zeros((items, int(place.max()) + 1), dtype=np.int64)
    counts[item, place] = times
    return counts


def _disagreements(counts: IntArray) -> dict[str, Array]:
    """Ways to say how far an item's judgments disagree, (items,) each; `counts` as `_answers`."""
    total = counts.sum(1, keepdims=True)
    share = counts / np.maximum(total, 1)
    logarithm = np.log2(np.where(share > 0, share, 1.0))
    entropy = -(share * logarithm).sum(1)
    return {
        "the entropy of their answers": entropy,
        "the entropy of their answers in nats": entropy * np.log(2),
        "the chance that two of them differ": _pairwise(counts),
        "the chance that two draws of them differ": 1 - (share**2).sum(1),
        "the share of answers that are not the commonest": 1 - share.max(1, initial=0.0),
    }


def _pairwise(counts: IntArray) -> Array:
    total = counts.sum(-1)
    pairs = (counts * (counts - 1)).sum(-1)
    return np.asarray(1 - pairs / np.maximum(total * (total - 1), 1))


def _asked_anew(counts: IntArray) -> Array:
    """Disagreement of every item, (draws, items), if its answers were drawn anew."""
    total = counts.sum(1)
    draws = np.random.default_rng(0).multinomial(
        total, counts / total[:, None], size=(_DRAWS, len(counts))
    )
    return _pairwise(draws)


def _best_edge(low: Array, high: Array) -> tuple[float, int]:
    """The edge that parts two strata best, and how many items lie on its wrong side."""
    edges = np.unique(np.concatenate([low, high]))
    above = low.size - np.searchsorted(np.sort(low), edges, side="right")
    below = np.searchsorted(np.sort(high), edges, side="right")
    wrong = above + below
    best = int(np.argmin(wrong))
    return float(edges[best]), int(wrong[best])
