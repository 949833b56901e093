"""What was measured after training on a part of what was bought."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Observation:
    """Measured target accuracy after training on one mix, seeds in rows.

    Attributes
    ----------
    labels : stratum -> labels of what was bought
    correct : (seeds, target test items)
    pilot_share : the largest share of the labels bought of any stratum that a seed's subsample
        holds: seeds overlap by so much
    borrowed : labels of test items that were trained on beside (`budget.campaign.lent_curve`)
    scored : (seeds, target test items), which answers count; None for all. Those of borrowed
        items do not.
    """

    labels: Mapping[str, int]
    correct: NDArray[np.bool_]
    pilot_share: float
    borrowed: int = 0
    scored: NDArray[np.bool_] | None = None

    @property
    def test_items(self) -> int:
        """Target test items."""
        return int(self.correct.shape[1])

    @property
    def accuracy(self) -> float:
        """Mean over seeds and items that count."""
        if self.scored is None:
            return float(self.correct.mean())
        return float(self.correct[self.scored].mean())

    @property
    def by_item(self) -> NDArray[np.float64]:
        """Accuracy of each test item over seeds, (items,); the mean where no seed counts."""
        if self.scored is None:
            return np.asarray(self.correct.mean(0))
        times = self.scored.sum(0)
        right = (self.correct & self.scored).sum(0)
        return np.where(times > 0, right / np.maximum(times, 1), self.accuracy)

    @property
    def total(self) -> int:
        """Labels trained on."""
        return sum(self.labels.values()) + self.borrowed
