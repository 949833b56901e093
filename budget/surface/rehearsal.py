"""What rehearsed purchases say of the surface, and how far they are believed.

A rehearsal trains on items whose labels were guessed (`training.unlabelled.rehearsal`). It rests
on an assumption, that items lie in clusters by class, and nothing says that it holds. So it is
tried first where the answers are known: the target is rehearsed without a label of it, and compared
with what its lent labels taught. What it misses there is what other rehearsals are taken to miss;
where it misses much, or the guesses are surer than they are right, nothing is rehearsed at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from budget.surface.luck import luck_variance
from training.unlabelled.told import Rehearsed

_MOST_MISSED = 0.05  # accuracy
# Accuracy that lent labels must add to guessing: where they add little, bad guesses miss little.
_LEAST_LEARNT = 0.1
_MOST_OVERCONFIDENT = 0.1
_MOST_SURPRISED = 2.5  # standard deviations
# Of accuracy, what rehearsals miss where all is well (docs/method/before-buying.md); most of it
# because they are scored on halves of the test set, here of `_TEST_ITEMS`: it grows as those get
# fewer.
_DEVIATION = 0.012
_TEST_ITEMS = 1000
# Of what the control missed: classes of strata that are easier than the target are guessed better.
_SHARE_MISSED = 0.5
_ONE_LABEL = 1.0  # what guesses from one label would miss; shrinks with their number


@dataclass(frozen=True)
class Rehearsal:
    """Target accuracy that so many labels per stratum scored, rehearsed, and its deviation."""

    labels: Mapping[str, int]
    accuracy: float
    deviation: float


@dataclass(frozen=True)
class Control:
    """How a rehearsal of the target's own labels came out.

    `missed`, its accuracy less that of as many lent labels; `overconfidence` of its guesses, below
    0 where they are right more often than they claim, which does no harm; `learnt`, what lent
    labels add to the accuracy of guessing.
    """

    missed: float
    overconfidence: float
    learnt: float

    @classmethod
    def of(cls, rehearsed: Sequence[Rehearsed], lent: float, chance: float) -> "Control":
        """From the rehearsals of all seeds, and the accuracies of as many lent labels and none."""
        accuracy = float(np.mean([own.accuracy for own in rehearsed]))
        over = float(np.mean([own.overconfidence for own in rehearsed]))
        return cls(accuracy - lent, over, lent - chance)

    @property
    def telling(self) -> bool:
        """Whether there is so much to learn that bad guesses would show."""
        return self.learnt >= _LEAST_LEARNT

    @property
    def sound(self) -> bool:
        """Whether items of this task can be guessed at all."""
        near = abs(self.missed) <= _MOST_MISSED
        return self.telling and near and self.overconfidence <= _MOST_OVERCONFIDENT


@dataclass(frozen=True)
class GuessBasis:
    """What guesses of a stratum rest on.

    `labels` bought of it, `rehearsals` that share these guesses, and so their error, and the
    `test_items` whose halves taught and scored.
    """

    labels: int
    rehearsals: int
    test_items: int


def rehearsal(
    labels: Mapping[str, int],
    rehearsed: Sequence[Rehearsed],
    control: Control,
    evidence: GuessBasis,
) -> Rehearsal | None:
    """What the fit is told of one mix; None where labels that were bought contradict the guesses.

    `rehearsed` of all seeds; `evidence` of the mix's stratum other than the target.
    """
    if max(own.surprise for own in rehearsed) > _MOST_SURPRISED:
        return None
    luck = luck_variance(sum(labels.values())) / len(rehearsed)
    halves = np.sqrt(max(1.0, _TEST_ITEMS / max(evidence.test_items, 1)))
    parts = (
        _DEVIATION * halves,
        _SHARE_MISSED * control.missed,
        _ONE_LABEL / evidence.labels,
        np.sqrt(luck),
    )
    return Rehearsal(
        labels,
        float(np.mean([own.accuracy for own in rehearsed])),
        float(np.linalg.norm(parts) * np.sqrt(evidence.rehearsals)),
    )
