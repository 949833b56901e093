"""Supervision gap recovered (Hase et al. 2024, section 2).

SGR = (Easy - Unsupervised) / (Hard - Unsupervised), all three on the hard test items, Easy and
Hard trained on the same number of labels, Unsupervised the zero-shot prompt. The ratio means
nothing where its denominator may be zero: then it is not resolved and no number is given.
"""

import numpy as np

from analysis.accuracy import Resampling, interval
from analysis.estimates import Estimate, SupervisionGap
from annotation.arrays import Correct


def supervision_gap_recovered(
    easy: Correct, hard: Correct, unsupervised: Correct, resampling: Resampling, labels: int
) -> SupervisionGap:
    """SGR with its three terms and intervals.

    `easy`, `hard` and `unsupervised` are (seeds, items); seeds of easy and hard are matched.
    Resolved means that the interval of (hard - unsupervised) lies above zero.
    """
    terms = {"easy": easy, "hard": hard, "unsupervised": unsupervised}
    means = {name: float(correct.mean()) for name, correct in terms.items()}
    draws = {name: resampling.accuracy(correct) for name, correct in terms.items()}
    gap_draws = draws["hard"] - draws["unsupervised"]
    gap = interval(means["hard"] - means["unsupervised"], gap_draws)
    resolved = gap.low is not None and gap.low > 0
    ratio = Estimate(estimate=None, low=None, high=None)
    if resolved:
        # A few draws may still come near zero; quantiles of the ratio do not mind them.
        safe = np.where(np.abs(gap_draws) < 1e-9, 1e-9, gap_draws)
        recovered = (draws["easy"] - draws["unsupervised"]) / safe
        point = (means["easy"] - means["unsupervised"]) / (means["hard"] - means["unsupervised"])
        ratio = interval(point, recovered)
    return SupervisionGap(
        estimate=ratio.estimate,
        low=ratio.low,
        high=ratio.high,
        resolved=resolved,
        easy=interval(means["easy"], draws["easy"]),
        hard=interval(means["hard"], draws["hard"]),
        unsupervised=interval(means["unsupervised"], draws["unsupervised"]),
        gap=gap,
        labels=labels,
    )
