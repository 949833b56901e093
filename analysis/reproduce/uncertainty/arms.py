"""What items with judgments are trained towards: hard, smoothed in three ways, or soft labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.terms.majority import majority_label
from training.targets.make import UncertaintyMap, make_targets, smooth_labels

ArmKind = Literal["hard labels", "constant", "own uncertainty", "shuffled", "soft labels"]


@dataclass(frozen=True)
class Arm:
    """One way to make targets; `source` says whose uncertainty smooths, "" where nothing does.

    - "hard labels": the majority of the judgments.
    - "constant": the majority, all items smoothed by the mean of "own uncertainty".
    - "own uncertainty": the majority, each item smoothed by its own uncertainty (UAL).
    - "shuffled": the same smoothings, each on another item, drawn: a placebo.
    - "soft labels": each choice's share of the judgments.
    """

    kind: ArmKind
    source: str = ""

    @property
    def words(self) -> str:
        """The arm for people."""
        return f"{self.kind} ({self.source})" if self.source else self.kind


HARD, SOFT = Arm("hard labels"), Arm("soft labels")


def arms(sources: tuple[str, ...]) -> tuple[Arm, ...]:
    """All arms, with uncertainty from each of these sources."""
    smoothed: tuple[ArmKind, ...] = ("constant", "own uncertainty", "shuffled")
    return (HARD, *(Arm(kind, source) for source in sources for kind in smoothed), SOFT)


def targets_of_arms(
    judgments: IntArray,
    choice_counts: IntArray,
    most_choices: int,
    uncertainties: Mapping[str, Array],
    uncertainty_map: UncertaintyMap,
    rng: np.random.Generator,
) -> dict[Arm, Array]:
    """The targets (items, most choices) of every arm.

    Parameters
    ----------
    judgments : (items, judges), `NO_JUDGMENT` where an item has fewer
    choice_counts : (items,)
    uncertainties : source -> uncertainty of every item, 0 to 1, (items,)
    uncertainty_map : from uncertainty to label smoothing
    rng : draws what is shuffled
    """
    labels = majority_label(judgments)
    found = {HARD: make_targets("hard_labels", judgments, choice_counts, most_choices=most_choices)}
    smoothed: dict[Arm, Array] = {}
    for source, uncertainty in uncertainties.items():
        own = uncertainty_map.smoothing(uncertainty)
        amounts: dict[ArmKind, Array] = {
            "constant": np.full(own.size, own.mean()),
            "own uncertainty": own,
            "shuffled": rng.permutation(own),
        }
        for kind, amount in amounts.items():
            smoothed[Arm(kind, source)] = smooth_labels(labels, choice_counts, amount, most_choices)
    found[SOFT] = make_targets("soft_labels", judgments, choice_counts, most_choices=most_choices)
    return {
        arm: smoothed[arm] if arm in smoothed else found[arm].probabilities
        for arm in arms(tuple(uncertainties))
    }
