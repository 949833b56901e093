"""What is bought, with which errors, and what is trained towards, in comparisons of targets."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from _noise_worlds import World
from annotation.terms.noise import draw_judgments
from training.targets.make import (
    TargetKind,
    Targets,
    UncertaintyMap,
    make_targets,
)

STRATA = ("easy", "hard")
PURCHASES = (*STRATA, "mixed")
SINGLE_RATES = {1: (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), 3: (0.2, 0.4, 0.6)}  # by judges
MIXED_RATES = {1: (0.1, 0.2, 0.3, 0.4), 3: (0.1, 0.2, 0.3)}
Arm = TargetKind | Literal["one rate", "half rates"]
ENTROPY_MAP = UncertaintyMap(slope=0.5)  # a model's entropy is no error rate

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Condition:
    """What is bought: `judges` judgments of each of `items` items, redrawn at `rate`.

    A mixed purchase is half easy items, redrawn at `rate`, and half hard ones, at twice that.
    """

    purchase: str
    items: int
    rate: float
    judges: int = 1

    def strata(self) -> dict[str, tuple[int, float]]:
        """Stratum -> number of items, redraw rate."""
        if self.purchase != "mixed":
            return {self.purchase: (self.items, self.rate)}
        return {"easy": (self.items // 2, self.rate), "hard": (self.items // 2, 2 * self.rate)}

    def arms(self) -> tuple[Arm, ...]:
        """Kinds of target that differ here from hard labels and from each other.

        And two controls: "one rate" smooths all strata by their mean rate, "half rates" each by
        half of its own.
        """
        if self.rate == 0:
            return ("uncertainty",)
        if self.judges > 1:
            return ("smoothed", "uncertainty", "posterior", "forward")
        # The posterior of one judgment is label smoothing.
        if self.purchase != "mixed":
            return ("smoothed", "uncertainty", "forward")
        return ("smoothed", "uncertainty", "forward", "one rate", "half rates")


def conditions_of(purchase: str, items: int) -> list[Condition]:
    """All rates of a purchase, single judgments before several."""
    rates = MIXED_RATES if purchase == "mixed" else SINGLE_RATES
    return [Condition(purchase, items, rate, judges) for judges in rates for rate in rates[judges]]


@dataclass(frozen=True)
class Purchase:
    """`rows` (items,), `judgments` (items, judges), `rates` (items,) of each single judgment."""

    rows: Whole
    judgments: Whole
    rates: Real


def buy(world: World, condition: Condition, seed: int) -> Purchase:
    """One seed's purchase: the same items for all rates, errors nested, a beginning of larger."""
    rows, judgments, rates = [], [], []
    for name, (count, rate) in condition.strata().items():
        rng = np.random.default_rng([seed, STRATA.index(name)])
        own = rng.permutation(world.pools[name])[:count]
        answers, counts = world.answers[own], world.choice_counts[own]
        rows.append(own)
        judgments.append(draw_judgments(answers, counts, rate, "redraw", condition.judges, rng))
        rates.append(np.full(count, rate))
    return Purchase(np.concatenate(rows), np.concatenate(judgments), np.concatenate(rates))


def targets_of(
    world: World, arm: Arm, bought: Purchase, uncertainties: Real | None = None
) -> Targets:
    """What an arm trains towards; `uncertainties` (items,) are a model's, for "uncertainty"."""
    judgments, counts = bought.judgments, world.choice_counts[bought.rows]
    most = world.mask.shape[1]
    if arm == "one rate":
        mean = np.full_like(bought.rates, bought.rates.mean())
        return make_targets("smoothed", judgments, counts, mean, most_choices=most)
    if arm == "half rates":
        return make_targets("smoothed", judgments, counts, bought.rates / 2, most_choices=most)
    if arm == "uncertainty" and uncertainties is not None:
        return make_targets(
            arm, judgments, counts, None, uncertainties, ENTROPY_MAP, most_choices=most
        )
    return make_targets(arm, judgments, counts, bought.rates, most_choices=most)
