"""How far annotators agree, beyond chance, with bootstrap intervals over items.

An item enters a statistic only by how often it got each label. Items with the same counts are one
pattern, and a bootstrap of items is a multinomial draw over patterns: exact, and hardly slower for
a million judgments than for a thousand.

Agreement by chance is that of the labels' frequencies. Where items have choices of their own, a
label is its position; where nobody listed the answers (`LabelKind` "open"), it is its text, so that
free answers hardly ever agree by chance.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.intervals import CONFIDENCE, NOTHING, Interval
from annotation.truth.coding import Coded

DRAWS = 1000
# Of answers that nobody listed, so many have their frequency drawn anew by the bootstrap. What the
# rarer ones add to agreement by chance is next to nothing, and is held at its estimate.
_MOST_DRAWN = 50


@dataclass(frozen=True)
class Agreement:
    """Agreement on a set of items: raw, Fleiss' kappa and Krippendorff's alpha.

    `items` are those with at least two judgments; others say nothing. A statistic is None where
    it is not defined: nobody judged an item twice, or all labels are the same.
    """

    items: int
    raw: Interval  # of two judgments of an item, how often they agree
    fleiss_kappa: Interval
    krippendorff_alpha: Interval


def label_counts(coded: Coded) -> IntArray:
    """How often every item got every label, (items, most choices)."""
    most = int(coded.choice_counts.max())
    size = len(coded.item_ids) * most
    return np.bincount(coded.item * most + coded.label, minlength=size).reshape(-1, most)


def krippendorff_alpha(counts: IntArray) -> float:
    """Nominal alpha of counts (items, labels); missing judgments are allowed; NaN: not defined.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: 1 - observed / expected
    disagreement, over all pairs of judgments of an item, each item's pairs weighted by
    1 / (judgments - 1).
    """
    return float(_alphas(_sums(counts)[None])[0])


def fleiss_kappa(counts: IntArray) -> float:
    """Fleiss' kappa (1971, Psychological Bulletin 76) of counts (items, labels); NaN: not defined.

    Items may have different numbers of judgments, as in Fleiss, Levin and Paik (2003, section
    18.3): every item's agreement is that of its own pairs. Items with one judgment are left out.
    """
    return float(_kappas(_sums(counts)[None])[0])


def agreement(
    coded: Coded, draws: int = DRAWS, seed: int = 0, confidence: float = CONFIDENCE
) -> dict[str | None, Agreement]:
    """Agreement per stratum, and under None over all items.

    Items are drawn within their strata.
    """
    categories = _categories(coded)
    judged_twice = np.bincount(coded.item, minlength=len(coded.item_ids)) >= 2
    rng = np.random.default_rng(seed)
    found: dict[str | None, Agreement] = {}
    drawn_sums, all_sums, items = None, None, 0
    for code, name in enumerate(coded.strata):
        chosen = judged_twice & (coded.stratum == code)
        patterns, frequency = np.unique(categories.per_item[chosen], axis=0, return_counts=True)
        many = int(chosen.sum())
        per_pattern = _per_pattern(patterns)
        sums = frequency @ per_pattern
        drawn = np.zeros((draws, sums.size))
        if many:
            drawn = rng.multinomial(many, frequency / many, size=draws) @ per_pattern
        found[name] = _agreement(many, sums, drawn, confidence, categories.rare(chosen))
        drawn_sums = drawn if drawn_sums is None else drawn_sums + drawn
        all_sums = sums if all_sums is None else all_sums + sums
        items += many
    assert all_sums is not None
    assert drawn_sums is not None
    found[None] = _agreement(items, all_sums, drawn_sums, confidence, categories.rare(judged_twice))
    return found


@dataclass(frozen=True)
class _Rare:
    """What categories without a column add to agreement by chance.

    `squares` is the sum over them of squared shares of all judgments, `pairs` that of the shares of
    all pairs of judgments.
    """

    squares: float = 0.0
    pairs: float = 0.0


@dataclass(frozen=True)
class _Categories:
    """What every item got.

    `per_item` (items, columns + 2): how often it got each category that has a column, its
    judgments, and its agreeing pairs. `item`, `category` and `count` are of the categories without
    one.
    """

    per_item: IntArray
    item: IntArray
    category: IntArray
    count: IntArray

    def rare(self, chosen: NDArray[np.bool_]) -> _Rare:
        """Of chosen items, (items,)."""
        own = chosen[self.item]
        total = float(self.per_item[chosen, -2].sum())
        if not own.any() or total < 2:
            return _Rare()
        often = np.bincount(self.category[own], weights=self.count[own])
        pairs = (often * (often - 1)).sum() / (total * (total - 1))
        return _Rare(float((often**2).sum() / total**2), float(pairs))


def _categories(coded: Coded) -> _Categories:
    nothing = np.empty(0, dtype=np.int64)
    if coded.kind != "open":
        counts = label_counts(coded)
        return _Categories(_with_totals(counts, counts), nothing, nothing, nothing)
    category, many = text_categories(coded)
    pair, count = np.unique(coded.item * many + category, return_counts=True)
    item, of_pair = np.divmod(pair, many)
    often = np.bincount(category, minlength=many)
    # Equally frequent ones by how many items got them, then by text: no order of rows decides.
    spread = np.bincount(of_pair, minlength=many)
    frequent = np.lexsort((-spread, -often))[:_MOST_DRAWN]
    column = np.full(many, -1, dtype=np.int64)
    column[frequent] = np.arange(frequent.size)
    counts = np.zeros((len(coded.item_ids), frequent.size), dtype=np.int64)
    has_column = column[of_pair] >= 0
    counts[item[has_column], column[of_pair[has_column]]] = count[has_column]
    agreeing = np.zeros((len(coded.item_ids), 1), dtype=np.int64)
    np.add.at(agreeing[:, 0], item, count * (count - 1))
    judgments = np.bincount(coded.item, minlength=len(coded.item_ids))[:, None]
    per_item = np.hstack([counts, judgments, agreeing])
    rare = ~has_column
    return _Categories(per_item, item[rare], of_pair[rare], count[rare])


def text_categories(coded: Coded) -> tuple[IntArray, int]:
    """The text of every judgment's label as a code over all items, and how many texts there are.

    For labels of the kind "open", whose own codes mean nothing beyond their item.
    """
    own = np.asarray(coded.own, dtype=object)
    of_code, texts = pd.factorize(own.ravel(), sort=True)  # in no order of rows
    table = of_code.reshape(own.shape).astype(np.int64)
    return table[coded.item, coded.label], len(texts)


def _agreement(items: int, sums: Array, drawn: Array, confidence: float, rare: _Rare) -> Agreement:
    return Agreement(
        items,
        *(
            _interval(float(statistic(sums[None], rare)[0]), statistic(drawn, rare), confidence)
            for statistic in (_raws, _kappas, _alphas)
        ),
    )


def _interval(estimate: float, draws: Array, confidence: float) -> Interval:
    if not np.isfinite(estimate):
        return NOTHING
    draws = draws[np.isfinite(draws)]
    if not draws.size:
        return Interval(estimate, None, None)
    low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(estimate, float(low), float(high))


# Of every item: 1, its judgments, its agreeing pairs over (judgments - 1), the share of its pairs
# that agree, and its count of every label. All statistics are functions of the sums of these, and
# of what labels without a count add to agreement by chance.
_HEAD = 4


def _with_totals(counts: IntArray, all_counts: IntArray) -> IntArray:
    """Judgments and agreeing pairs of every item behind its counts, (items, labels + 2)."""
    judgments = all_counts.sum(axis=1)
    agreeing = (all_counts * (all_counts - 1)).sum(axis=1)
    return np.column_stack([counts, judgments, agreeing])


def _per_pattern(patterns: IntArray) -> Array:
    counts, judgments, agreeing = patterns[:, :-2], patterns[:, -2], patterns[:, -1]
    of_others = agreeing / np.maximum(judgments - 1, 1)
    head = [np.ones(len(patterns)), judgments, of_others]
    return np.column_stack([*head, of_others / np.maximum(judgments, 1), counts])


def _sums(counts: IntArray) -> Array:
    several = counts[counts.sum(axis=1) >= 2]
    return np.asarray(_per_pattern(_with_totals(several, several)).sum(axis=0))


def _raws(sums: Array, _rare: _Rare = _Rare()) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[:, 3] / sums[:, 0])


def _kappas(sums: Array, rare: _Rare = _Rare()) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = ((sums[:, _HEAD:] / sums[:, 1:2]) ** 2).sum(axis=1) + rare.squares
        kappa = (sums[:, 3] / sums[:, 0] - by_chance) / (1 - by_chance)
    return np.where(by_chance < 1 - 1e-12, kappa, np.nan)


def _alphas(sums: Array, rare: _Rare = _Rare()) -> Array:
    total = sums[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = 1 - sums[:, 2] / total
        pairs = total * (total - 1)
        agreeing = (sums[:, _HEAD:] * (sums[:, _HEAD:] - 1)).sum(axis=1) / pairs
        expected = 1 - agreeing - rare.pairs
        alpha = 1 - observed / expected
    return np.where(expected > 1e-12, alpha, np.nan)


def cohen_kappa(
    coded: Coded,
    first: int,
    second: int,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> tuple[int, Interval]:
    """Cohen's kappa of two annotators on the items that both judged, and how many these are.

    Cohen (1960, Educational and Psychological Measurement 20). Nothing where they share no item,
    or each used but one and the same label.
    """
    said, most = coded.label, int(coded.choice_counts.max())
    if coded.kind == "open":
        said, most = text_categories(coded)
    labels = np.full((2, len(coded.item_ids)), -1, dtype=np.int64)
    for place, annotator in enumerate((first, second)):
        own = coded.annotator == annotator
        labels[place, coded.item[own]] = said[own]
    both = labels[:, (labels >= 0).all(axis=0)]
    shared = both.shape[1]
    if not shared:
        return 0, NOTHING
    # Pairs of labels that occur: the whole table would be large where there are many labels.
    pairs, frequency = np.unique(both[0] * most + both[1], return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(shared, frequency / shared, size=draws)
    estimate = float(_cohens(frequency[None], pairs, most)[0])
    return shared, _interval(estimate, _cohens(drawn, pairs, most), confidence)


def _cohens(counts: IntArray, pairs: IntArray, most: int) -> Array:
    """Kappas, (draws,), of how often pairs of labels occur, (draws, pairs)."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    firsts, seconds = np.divmod(pairs, most)
    # A label that only one of the two gave adds nothing to agreement by chance.
    both = np.intersect1d(firsts, seconds)
    by_first, by_second = (_summed(shares, labels, both) for labels in (firsts, seconds))
    by_chance = (by_first * by_second).sum(axis=1)
    observed = shares[:, firsts == seconds].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = (observed - by_chance) / (1 - by_chance)
    return np.where(by_chance < 1 - 1e-12, kappa, np.nan)


def _summed(shares: Array, labels: IntArray, chosen: IntArray) -> Array:
    """Sums of the columns of `shares`, (draws, pairs), by label, (draws, chosen)."""
    order = np.argsort(labels, kind="stable")
    order = order[np.isin(labels[order], chosen)]
    if not order.size:
        return np.zeros((len(shares), 0))
    start = np.flatnonzero(np.r_[True, np.diff(labels[order]) != 0])
    return np.asarray(np.add.reduceat(shares[:, order], start, axis=1))


def agreement_with_others(coded: Coded) -> Array:
    """Of every judgment, the share of the item's other judgments that say the same, (judgments,).

    NaN where there is no other.
    """
    counts = label_counts(coded)
    same = counts[coded.item, coded.label] - 1
    others = counts.sum(axis=1)[coded.item] - 1
    return np.where(others > 0, same / np.maximum(others, 1), np.nan)
