"""How strongly labels of a stratum pull towards the target, told by its unlabelled items.

In the model of the surface (docs/method/response-surface.md) a label of stratum s pulls by
`signal_s` along a direction whose cosine to the target's is `alignment_s`. Of that pull the part
along the target is their product: the distance of the stratum's classes along the target's
direction, over that of the target's own classes. A probe of the target's right answers shows it in
items that nobody has labelled (`training.unlabelled.reading`; docs/method/before-buying.md). What
it cannot show is the part that points elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.unlabelled.reading import Reading

# What surfaces fitted to learning curves have of the square that is read, in the median: a learner
# that is sure of an item takes little from it (docs/method/before-buying.md). A stratum just like
# the target would have all of it, which is within one deviation.
_LEARNT_SHARE = 0.65
_RELATIVE_DEVIATION = 0.4  # of the square that is read, between that and what labels teach
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

    None where nothing was read, or the probes do not tell the target's own classes.
    """
    lift = float(np.mean([own.lift for own in readings])) if readings else 0.0
    if lift <= 0:
        return {}
    return {name: _separation(readings, name, lift) for name in readings[0].scatter}


def _separation(readings: Sequence[Reading], name: str, lift: float) -> Separation:
    # What a lift as large as the target's would add to the stratum's scatter.
    unit = lift**2 * float(np.mean([own.answer_scatter[name] for own in readings]))
    noise = float(np.mean([own.noise for own in readings]))
    above = float(np.mean([own.scatter[name] for own in readings])) - noise
    error = float(np.mean([own.error[name] for own in readings]))
    square = max(above / unit, 0.0)
    parts = (_NOISE_DEVIATION * noise / unit, _RELATIVE_DEVIATION * square, error / unit)
    return Separation(_LEARNT_SHARE * square, float(np.linalg.norm(parts)) + 1e-3)
