"""Plain extrapolation: a power law through each stratum's pilot points, all money on the best."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from budget.backtest.policies.pilot import PilotDesign, run_pilot
from budget.backtest.policies.simple import equal_spend
from budget.campaign.campaign import Campaign
from budget.campaign.lent_curve import lent_curve
from budget.campaign.play import Play
from budget.surface.observation import Observation


@dataclass(frozen=True)
class PowerLaw:
    """Fit  error = a n ** -b  to each stratum alone, buy the one with the least error at the end.

    A stratum is judged by the labels that all money left after the pilot would make of it, the
    other strata's pilot labels counting nothing. `b` is at least 0: errors do not grow with
    labels. Where the budget allows no pilot, the money is spent equally. There is no forecast.
    One that may `borrow` fits the target's law to the curve of labels that the test set lends.
    """

    design: PilotDesign = field(default_factory=PilotDesign)
    borrow: bool = False
    name: str = "power_law"

    def play(self, campaign: Campaign) -> Play:
        """Pilot, fit, buy one stratum."""
        pilot = self.design.mix(campaign)
        if pilot is None:
            campaign.buy(equal_spend(campaign))
            return None
        observations = yield from run_pilot(campaign, self.design, pilot)
        curve = (yield from lent_curve(campaign)) if self.borrow else []
        errors = {}
        for name in campaign.strata:
            alone = [own for own in observations if set(own.labels) == {name}]
            if curve and name == campaign.target:
                alone = curve
            errors[name] = extrapolate(alone, pilot[name] + campaign.affordable(name))
        best = min(campaign.strata, key=lambda name: errors[name])
        campaign.buy({best: campaign.affordable(best)})
        return None


def extrapolate(observations: Sequence[Observation], labels: int) -> float:
    """Error at so many labels, by least squares of log error on log labels.

    One size alone, or errors that grow, are extrapolated flat, at their geometric mean.
    """
    sizes = np.log([float(own.total) for own in observations])
    errors = np.log([max(1 - own.accuracy, 1e-3) for own in observations])
    spread = sizes - sizes.mean()
    slope = 0.0
    if (squares := float(spread @ spread)) > 0:
        slope = min(0.0, float(spread @ errors) / squares)
    return float(np.exp(errors.mean() + slope * (np.log(labels) - sizes.mean())))
