"""A pilot paid from the budget: as many labels of every stratum, trained on subsamples."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from annotation.arrays import Correct
from annotation.terms.cost import affordable
from budget.campaign.campaign import Campaign
from budget.campaign.play import Lesson
from budget.market.simple_rules import Mix
from budget.surface.observation import Observation


@dataclass(frozen=True)
class PilotDesign:
    """How much of the budget a pilot may cost, and on what subsamples it is trained.

    `most` labels per stratum, `fractions` and `seeds` are the defaults of `labelmix run`; no pilot
    is bought where the share of the budget does not buy `least` labels of every stratum.
    """

    share: Fraction = Fraction(1, 4)
    least: int = 4
    most: int = 120
    fractions: tuple[float, ...] = (0.25, 0.5, 1.0)
    seeds: int = 5

    def mix(self, campaign: Campaign) -> Mix | None:
        """The pilot that the market's budget allows; None if it is too small."""
        one_each = sum(
            (campaign.terms[name].cost for name in campaign.strata), start=0 * campaign.budget
        )
        each = affordable(campaign.budget, one_each, self.share)
        each = min(each, self.most, *campaign.capacity.values())
        return dict.fromkeys(campaign.strata, each) if each >= self.least else None


def run_pilot(
    campaign: Campaign, design: PilotDesign, pilot: Mix
) -> Generator[Sequence[Lesson], Correct, list[Observation]]:
    """Buy the pilot, train on every stratum alone and on all together; use by `yield from`."""
    campaign.buy(pilot)
    labels = next(iter(pilot.values()))
    rng = campaign.generator("pilot subsamples")
    orders = [
        {name: rng.permutation(labels) for name in campaign.strata} for _ in range(design.seeds)
    ]
    cells: list[tuple[Mix, float]] = []
    # Fractions may round to one size, which is one observation, not two.
    for size in sorted({max(2, round(fraction * labels)) for fraction in design.fractions}):
        cells += [({name: size}, size / labels) for name in campaign.strata]
        cells.append((dict.fromkeys(campaign.strata, size), size / labels))
    subsets = [
        {name: order[name][:count] for name, count in mix.items()}
        for mix, _ in cells
        for order in orders
    ]
    correct = yield subsets
    by_cell = np.asarray(correct).reshape(len(cells), design.seeds, -1)
    return [
        Observation(labels=mix, correct=own, pilot_share=share)
        for (mix, share), own in zip(cells, by_cell, strict=True)
    ]
