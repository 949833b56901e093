"""Intervals for shares and means of judgments, which neither items nor annotators make alike.

Judgments of one item resemble each other, and so do those of one annotator. The variance of a mean
is therefore taken over clusters; which ones depends on what the interval is about, see `Scope`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray

Scope = Literal["these", "like_these"]
"""Whom an interval is about: these annotators, on items like these; or annotators like these too.

Between few annotators the second is much wider: five people say little about a sixth.
"""
CONFIDENCE = 0.9
BETWEEN_PEOPLE = 0.1
"""Share of the variance of mistakes that stands between people (the intraclass correlation).

On thirteen published crowds it is .11 on average, .02 to .44.
"""


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval; None where there is nothing to go by."""

    estimate: float | None
    low: float | None
    high: float | None

    @property
    def bounds(self) -> tuple[float, float]:
        """Both ends; raises ValueError where they are not known."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self} has no known ends.")
        return self.low, self.high

    def shifted(self, amount: float) -> "Interval":
        """The interval of what is always so much more."""
        ends = (self.estimate, self.low, self.high)
        return Interval(*(None if end is None else end + amount for end in ends))


NOTHING = Interval(None, None, None)


@dataclass(frozen=True)
class ClusteredMean:
    """A mean, the variance of the mean, its degrees of freedom, and how many values there were."""

    mean: float
    variance: float
    freedom: float
    count: int

    def t_quantile(self, confidence: float = CONFIDENCE) -> float:
        from scipy import stats  # half a second to load

        return float(stats.t.ppf(0.5 + confidence / 2, max(self.freedom, 1.0)))


def clustered_mean(
    values: Array, item: IntArray, annotator: IntArray, scope: Scope
) -> ClusteredMean:
    """The mean of `values` and its variance over clusters; all (judgments,), at least one.

    For "these" annotators the clusters are items. For annotators "like these", both: the variance
    is that of Cameron, Gelbach and Miller (2011, J. Business & Economic Statistics 29), V(items) +
    V(annotators) - V(judgments), and never less than any single one of them. Each part has the
    factor G / (G - 1) for G clusters; degrees of freedom are the smaller number of clusters less
    one.
    """
    mean = float(values.mean())
    rest = (values - mean) / values.size
    parts = [_variance(rest, item)]
    freedom = parts[0][1]
    alone = _variance(rest, np.arange(values.size))[0]
    variance = max(parts[0][0], alone)
    if scope == "like_these":
        of_annotators, clusters = _variance(rest, annotator)
        variance = max(variance, of_annotators, variance + of_annotators - alone)
        freedom = min(freedom, clusters)
    return ClusteredMean(mean, variance, float(max(freedom - 1, 1)), values.size)


def _variance(rest: Array, cluster: IntArray) -> tuple[float, int]:
    """Variance of a sum over clusters, and how many clusters there are."""
    _, codes = np.unique(cluster, return_inverse=True)
    sums = np.bincount(codes, rest)
    count = sums.size
    return float((sums**2).sum() * count / max(count - 1, 1)), count


def share_interval(
    values: NDArray[np.bool_] | Array,
    item: IntArray,
    annotator: IntArray,
    scope: Scope,
    confidence: float = CONFIDENCE,
) -> Interval:
    """A share with Wilson's interval for the effective number of judgments.

    `values` (judgments,) are true or false, or shares themselves, each within 0 and 1.

    The effective number is p (1 - p) / variance, at most the judgments there are (Korn and Graubard
    1998, Survey Methodology 24, with Wilson's interval in place of Clopper and Pearson's); the
    normal quantile is that of t. Where all judgments agree there is no variance to see, and they
    are worth `fewest_trials`.
    """
    from scipy import stats

    if values.size == 0:
        return NOTHING
    found = clustered_mean(values.astype(np.float64), item, annotator, scope)
    p, count = min(max(found.mean, 0.0), 1.0), float(found.count)
    if 0 < p < 1:
        effective = min(count, p * (1 - p) / found.variance) if found.variance > 0 else count
        return wilson(p, effective, found.t_quantile(confidence))
    freedom = max(np.unique(item).size - 1, 1)
    quantile = float(stats.t.ppf(0.5 + confidence / 2, freedom))
    return wilson(p, fewest_trials(item, annotator, scope), quantile)


def fewest_trials(item: IntArray, annotator: IntArray, scope: Scope) -> float:
    """How many independent judgments some are worth at the least; both (judgments,).

    As if all judgments of an item erred together; for annotators "like these", as if people
    differed by `BETWEEN_PEOPLE`, too (design effects: Kish 1965, Survey Sampling, ch. 5).
    """
    doubt = _concentration(item)
    if scope == "like_these":
        doubt += BETWEEN_PEOPLE * _concentration(annotator)
    return 1 / doubt


def _concentration(group: IntArray) -> float:
    shares = np.unique(group, return_counts=True)[1] / group.size
    return float((shares**2).sum())


def wilson(share: float, count: float, quantile: float) -> Interval:
    """Wilson's interval of a share (1927, JASA 22) of `count` trials, not necessarily whole."""
    square = quantile**2 / count
    middle = (share + square / 2) / (1 + square)
    half = quantile * np.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return Interval(
        share,
        float(max(min(middle - half, share), 0.0)),
        float(min(max(middle + half, share), 1.0)),
    )


def mean_interval(
    values: Array,
    item: IntArray,
    annotator: IntArray,
    scope: Scope,
    confidence: float = CONFIDENCE,
) -> Interval:
    """A mean of values of at least 0, see `ratio_interval`."""
    return ratio_interval(values, np.ones(values.size), item, annotator, scope, confidence)


def ratio_interval(
    amounts: Array,
    counts: Array,
    item: IntArray,
    annotator: IntArray,
    scope: Scope,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The sum of `amounts` over the sum of `counts`, such as seconds per label; all (judgments,).

    Its variance is that of the mean of amount - ratio * count (linearisation). The interval is
    symmetric in the logarithm, so it stays positive. No counts: nothing; one judgment: no
    interval; all amounts 0: no interval but 0.
    """
    total = float(counts.sum())
    if amounts.size == 0 or total <= 0:
        return NOTHING
    ratio = float(amounts.sum()) / total
    if ratio <= 0:
        return Interval(ratio, ratio, ratio)
    if amounts.size == 1:
        return Interval(ratio, None, None)
    found = clustered_mean(amounts - ratio * counts, item, annotator, scope)
    per_count = amounts.size / total
    spread = found.t_quantile(confidence) * np.sqrt(found.variance) * per_count / ratio
    # An interval over many powers of ten tells nothing; the cut keeps numbers finite.
    factor = float(np.exp(min(spread, 50.0)))
    return Interval(ratio, ratio / factor, ratio * factor)


def median_interval(
    values: Array,
    item: IntArray,
    annotator: IntArray,
    scope: Scope,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The median; its interval inverts that of the share below it (Woodruff 1952, JASA 47)."""
    if values.size == 0:
        return NOTHING
    median = float(np.median(values))
    if values.size == 1:
        return Interval(median, None, None)
    below = share_interval(values <= median, item, annotator, scope, confidence)
    assert below.estimate is not None
    # Ties at the median shift the share from a half; only its uncertainty is wanted.
    ends = [0.5 + end - below.estimate for end in below.bounds]
    low, high = np.quantile(values, np.clip(ends, 0.0, 1.0))
    return Interval(median, float(low), float(high))
