"""How strongly labels of a stratum pull towards the target, told by its unlabelled items.

In the model of the surface (docs/planner.md) a label of stratum s pulls by `signal_s` along a
direction whose cosine to the target's is `alignment_s`. Of that pull the part along the target is
their product: the distance of the stratum's classes along the target's direction, over that of the
target's own classes. A probe of the target's right answers shows it in items that nobody has
labelled (`training.probes.reading`). What it cannot show is the part that points elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.probes.reading import Reading

READING_SEEDS = 2  # halves of the test set that probes are trained on; the others are read
MOST_READ = 2000  # unlabelled items of a stratum
# A learner that stops where it is sure takes less from items far from the border than their
# distance squared would have it: what surfaces follow best is this share of it (docs/planner.md).
_LEARNT_SHARE = 0.65
_RELATIVE_DEVIATION = 0.4  # of the square, between what is read and what labels teach
_NOISE_DEVIATION = 0.07  # of the noise along the target's direction, between strata


@dataclass(frozen=True)
class Separation:
    """The square of signal times alignment, and how far off it may be (standard deviation)."""

    square: float
    deviation: float

    def at(self, deviations: float) -> float:
        """Signal times alignment so many deviations off; 0 at least."""
        return float(np.sqrt(max(self.square + deviations * self.deviation, 0.0)))


def separations(readings: Sequence[Reading]) -> dict[str, Separation]:
    """Stratum -> separation along the target's direction, from all readings together.

    None where nothing was read, or the probes tell the target's own classes not at all.
    """
    if not readings:
        return {}
    within = float(np.mean([own.within for own in readings]))
    between = float(np.mean([own.between for own in readings]))
    if between <= 0:
        return {}
    return {
        name: _separation(
            float(np.mean([own.scatter[name] for own in readings])) - within,
            float(np.mean([own.standard_error[name] for own in readings])),
            within,
            between,
        )
        for name in readings[0].scatter
    }


def _separation(above: float, error: float, within: float, between: float) -> Separation:
    square = max(above, 0.0) / between
    parts = (_NOISE_DEVIATION * within / between, _RELATIVE_DEVIATION * square, error / between)
    return Separation(_LEARNT_SHARE * square, float(np.linalg.norm(parts)) + 1e-3)


def reading_size(test_items: int) -> int:
    """How many test items' answers a reading probe is trained on: half; 0 if they are too few."""
    return test_items // 2 if test_items >= 20 else 0
