"""Items that people judged, for experiments on how far they agree."""

from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, IntArray, Mask, Positions
from annotation.terms.majority import NO_JUDGMENT
from training.lab import Lab
from training.targets.make import UncertaintyMap, entropy_uncertainty, judgment_shares

FEWEST_JUDGMENTS = 2  # of an item, below which nobody can disagree
# The slope is not public; half of the entropy is near the share of the minority of two choices.
HALF_OF_ENTROPY = UncertaintyMap(0.0, 0.5, 1.0)


@dataclass(frozen=True)
class JudgedLab:
    """A lab with all judgments of its items.

    Attributes
    ----------
    lab : task, model, and how labels become answers
    judgments : (items, most judgments), as `annotation.labelling.judgment_table` has them
    uncertainty_map : from an item's uncertainty to its label smoothing
    """

    lab: Lab
    judgments: IntArray
    uncertainty_map: UncertaintyMap = HALF_OF_ENTROPY

    @property
    def pool(self) -> Positions:
        """Items that can be trained on: no test items, judged often enough, in order."""
        pools = [self.lab.task.pools[name] for name in self.lab.strata]
        own = np.sort(np.concatenate(pools))
        return np.asarray(own[self.judged_often[own]])

    @property
    def judged_often(self) -> Mask:
        """Which items have as many judgments as it takes to disagree, (items,)."""
        return np.asarray((self.judgments != NO_JUDGMENT).sum(1) >= FEWEST_JUDGMENTS)

    def disagreement(self, positions: Positions) -> Array:
        """Entropy of the judgments of these items over its maximum, (positions,); 0 to 1."""
        counts = self.lab.task.choice_counts[positions]
        return entropy_uncertainty(judgment_shares(self.judgments[positions], counts), counts)
