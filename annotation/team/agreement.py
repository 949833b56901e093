"""How far annotators agree, beyond chance, with bootstrap intervals over items.

An item enters a statistic only by how often it got each label. Items with the same counts are one
pattern, and a bootstrap of items is a multinomial draw over patterns: exact, and hardly slower for
a million judgments than for a thousand.

Agreement by chance is that of the labels' frequencies. Where items have answers of their own that
nobody listed (`LabelKind` "open"), labels count as equally frequent, which makes chance agreement
too large and agreement beyond it too small for free answers.
"""

from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.intervals import CONFIDENCE, NOTHING, Interval
from annotation.truth.coding import Coded

DRAWS = 1000


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
    counts = label_counts(coded)
    rng = np.random.default_rng(seed)
    found: dict[str | None, Agreement] = {}
    drawn_sums, all_sums, items = None, None, 0
    for code, name in enumerate(coded.strata):
        own = counts[coded.stratum == code]
        own = own[own.sum(axis=1) >= 2]
        patterns, frequency = np.unique(own, axis=0, return_counts=True)
        per_pattern = _per_item(patterns)
        sums = frequency @ per_pattern
        drawn = np.zeros((draws, sums.size))
        if len(own):
            drawn = rng.multinomial(len(own), frequency / len(own), size=draws) @ per_pattern
        found[name] = _agreement(len(own), sums, drawn, confidence)
        drawn_sums = drawn if drawn_sums is None else drawn_sums + drawn
        all_sums = sums if all_sums is None else all_sums + sums
        items += len(own)
    assert all_sums is not None
    assert drawn_sums is not None
    found[None] = _agreement(items, all_sums, drawn_sums, confidence)
    return found


def _agreement(items: int, sums: Array, drawn: Array, confidence: float) -> Agreement:
    return Agreement(
        items,
        *(
            _interval(float(statistic(sums[None])[0]), statistic(drawn), confidence)
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
# that agree, and its count of every label. All statistics are functions of the sums of these.
_HEAD = 4


def _per_item(counts: IntArray) -> Array:
    judgments = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1)
    others = np.maximum(judgments - 1, 1)
    head = [np.ones(len(counts)), judgments, agreeing / others]
    return np.column_stack([*head, agreeing / others / np.maximum(judgments, 1), counts])


def _sums(counts: IntArray) -> Array:
    return np.asarray(_per_item(counts[counts.sum(axis=1) >= 2]).sum(axis=0))


def _raws(sums: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[:, 3] / sums[:, 0])


def _kappas(sums: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = ((sums[:, _HEAD:] / sums[:, 1:2]) ** 2).sum(axis=1)
        kappa = (sums[:, 3] / sums[:, 0] - by_chance) / (1 - by_chance)
    return np.where(by_chance < 1 - 1e-12, kappa, np.nan)


def _alphas(sums: Array) -> Array:
    total = sums[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = 1 - sums[:, 2] / total
        pairs = total * (total - 1)
        expected = 1 - (sums[:, _HEAD:] * (sums[:, _HEAD:] - 1)).sum(axis=1) / pairs
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
    most = int(coded.choice_counts.max())
    labels = np.full((2, len(coded.item_ids)), -1, dtype=np.int64)
    for place, annotator in enumerate((first, second)):
        own = coded.annotator == annotator
        labels[place, coded.item[own]] = coded.label[own]
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
    labels = np.arange(most)
    by_first, by_second = (shares @ (each[:, None] == labels) for each in divmod(pairs, most))
    observed = shares[:, pairs // most == pairs % most].sum(axis=1)
    by_chance = (by_first * by_second).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = (observed - by_chance) / (1 - by_chance)
    return np.where(by_chance < 1 - 1e-12, kappa, np.nan)


def agreement_with_others(coded: Coded) -> Array:
    """Of every judgment, the share of the item's other judgments that say the same, (judgments,).

    NaN where there is no other.
    """
    counts = label_counts(coded)
    same = counts[coded.item, coded.label] - 1
    others = counts.sum(axis=1)[coded.item] - 1
    return np.where(others > 0, same / np.maximum(others, 1), np.nan)
