"""What was measured after training on a part of what was bought."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Observation:
    """Measured target accuracy after training on one mix, seeds in rows.

    `correct` (seeds, target test items); `pilot_share` is the largest share of the labels bought
    of any stratum that a seed's subsample holds: seeds overlap by so much.
    """

    labels: Mapping[str, int]
    correct: NDArray[np.bool_]
    pilot_share: float

    @property
    def accuracy(self) -> float:
        return float(self.correct.mean())

    @property
    def total(self) -> int:
        return sum(self.labels.values())
