"""What rehearsed purchases say of the surface, and how far they are believed.

A rehearsal trains on items whose labels were guessed (`training.probes.rehearsing`). Guesses rest
on an assumption, that items lie in clusters by class, and nothing says that it holds. So it is
tried first where the answers are known: the target is rehearsed without a label of it, and compared
with what its lent labels taught. What it misses there is what other rehearsals are taken to miss;
where it misses much, or the guesses are surer than they are right, nothing is rehearsed at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from budget.surface.luck import LUCK
from training.probes.rehearsing import Rehearsed

REHEARSAL_SEEDS = 2  # parts of the test set that are taught; the rest is scored
_MOST_MISSED = 0.05  # accuracy
_MOST_OVERCONFIDENT = 0.1
_MOST_SURPRISED = 2.5  # standard deviations
_DEVIATION = 0.012  # of accuracy, that rehearsals miss where all is well (docs/planner.md)
_SHARE_MISSED = 0.5  # of what the control missed: others than the target lie farther apart
_ONE_LABEL = 1.0  # what guesses from one label would miss; shrinks with their number
_LUCK_OFFSET = 32.0


@dataclass(frozen=True)
class Rehearsal:
    """Target accuracy that so many labels per stratum scored, rehearsed, and its deviation."""

    labels: Mapping[str, int]
    accuracy: float
    deviation: float


@dataclass(frozen=True)
class Control:
    """How a rehearsal of the target's own labels came out.

    `missed`, its accuracy less that of as many lent labels; `overconfidence` of its guesses.
    """

    missed: float
    overconfidence: float

    @classmethod
    def of(cls, rehearsed: Sequence[Rehearsed], lent: float) -> "Control":
        """From the rehearsals of all seeds, and the accuracy that as many lent labels gave."""
        accuracy = float(np.mean([own.accuracy for own in rehearsed]))
        return cls(accuracy - lent, float(np.mean([own.overconfidence for own in rehearsed])))

    @property
    def sound(self) -> bool:
        """Whether items of this task can be guessed at all."""
        return abs(self.missed) <= _MOST_MISSED and self.overconfidence <= _MOST_OVERCONFIDENT


def rehearsal(
    labels: Mapping[str, int],
    rehearsed: Sequence[Rehearsed],
    control: Control,
    known: int,
    of_one_stratum: int,
) -> Rehearsal | None:
    """What the fit is told of one mix; None where labels that were bought contradict the guesses.

    `rehearsed` of all seeds; `known`, the fewest labels that guesses of a stratum other than the
    target rest on; `of_one_stratum`, how many rehearsals share these guesses, and so their error.
    """
    if max(own.surprise for own in rehearsed) > _MOST_SURPRISED:
        return None
    luck = LUCK**2 / (sum(labels.values()) + _LUCK_OFFSET) / len(rehearsed)
    parts = (_DEVIATION, _SHARE_MISSED * control.missed, _ONE_LABEL / known, np.sqrt(luck))
    return Rehearsal(
        labels,
        float(np.mean([own.accuracy for own in rehearsed])),
        float(np.linalg.norm(parts) * np.sqrt(of_one_stratum)),
    )
