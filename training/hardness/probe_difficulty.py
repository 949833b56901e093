"""Item response difficulty with probes for respondents: which probes answer an item right.

Respondents are probes of several sizes, each trained on a random sample of other items; the
one-parameter model (Rasch 1960, `annotation.hardness.irt`) is fitted to who was right. Kordi et al.
2025 (arXiv:2511.21692) take thousands of language models for respondents; probes are what one model
can give. So the measure says what is hard for probes on this model, and where the same probes are
then trained and tested, what they find hard is no news.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Features, Mask
from annotation.hardness.irt import fit_item_response
from annotation.ties import OF_PROBES, share_right
from training.hardness.error_confidence import ErrorConfidenceDesign, fold_probes
from training.probes.probe import score_probes
from training.progress import Progress

SAMPLES = 10  # of every size: some 50 respondents


def probe_difficulty(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object] | None = None,
    design: ErrorConfidenceDesign | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Array:
    """Difficulty of every item, (items,), in standard deviations of the respondents' ability.

    Probes of one size and sample, one a fold, are one respondent. Parameters and errors are those
    of `training.hardness.error_confidence.error_confidence`.
    """
    design = design or ErrorConfidenceDesign(samples=SAMPLES)
    parts = fold_probes(features, mask, answers, groups, design, progress=progress)
    right = np.full((max(len(own) for _, own in parts), len(answers)), np.nan)
    for scored, own in parts:
        for place, probe in enumerate(own):
            scores = score_probes([probe], features[scored], mask[scored])[0]
            right[place, scored] = share_right(scores, answers[scored], OF_PROBES) > 0.5
    return fit_item_response(right, "1PL").difficulty
