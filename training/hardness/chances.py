"""What probes say of gold answers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from annotation.arrays import Array, Features, Mask
from training.probes.probe import LinearProbe, score_probes

_VALUES_AT_ONCE = 2**22  # scores: probes x items x choices, 32 MiB


def gold_log_chances(
    probes: Sequence[LinearProbe], features: Features, mask: Mask, answers: NDArray[np.int64]
) -> Array:
    """Natural logarithm of the chance of every gold answer, (probes, items).

    `features` (items, choices or 1, width), `mask` (items, choices), `answers` (items,).
    """
    found = np.empty((len(probes), len(answers)))
    step = max(1, _VALUES_AT_ONCE // max(1, mask.size))
    for start in range(0, len(probes), step):
        scores = score_probes(probes[start : start + step], features, mask)
        chances = log_softmax(scores, axis=2)
        found[start : start + step] = chances[:, np.arange(len(answers)), answers]
    return found


def check_probed(features: Features, mask: Mask, answers: NDArray[np.int64]) -> None:
    """Raise ValueError if arrays do not fit each other, or an item has no gold choice."""
    items = len(features)
    if mask.shape[0] != items or answers.shape != (items,):
        raise ValueError(
            "'features', 'mask' and 'answers' should be of as many items; got "
            f"{items}, {mask.shape[0]} and {answers.shape}."
        )
    inside = (answers >= 0) & (answers < mask.shape[1])
    if not inside.all() or not mask[np.arange(items), answers].all():
        raise ValueError("every item should have a gold answer among its choices.")
