"""Supervision gap recovered (Hase et al. 2024, section 2).

SGR = (Easy - Unsupervised) / (Hard - Unsupervised), all three on the hard test items, Easy and
Hard trained on the same number of labels, Unsupervised the zero-shot prompt. The ratio means
nothing where its denominator may be zero: then it is not resolved and no number is given.
"""

from analysis.accuracy import ItemClusters, difference_table
from analysis.estimates import SupervisionGap
from annotation.arrays import Correct


def supervision_gap_recovered(
    easy: Correct, hard: Correct, unsupervised: Correct, clusters: ItemClusters, labels: int
) -> SupervisionGap:
    """SGR with its three terms and intervals.

    `easy`, `hard` and `unsupervised` are (seeds, items); seeds of easy and hard are matched.
    Resolved means that the interval of (hard - unsupervised) lies above zero.
    """
    below = difference_table(hard, unsupervised)
    gap = clusters.mean(below)
    ratio = clusters.ratio(difference_table(easy, unsupervised), below)
    return SupervisionGap(
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        resolved=ratio.estimate is not None,
        easy=clusters.accuracy(easy),
        hard=clusters.accuracy(hard),
        unsupervised=clusters.accuracy(unsupervised),
        gap=gap,
        labels=labels,
    )
