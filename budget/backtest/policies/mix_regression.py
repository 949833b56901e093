"""Regression on mixes, in the style of RegMix and HyPER: many small mixes tell the best large one.

RegMix: Liu et al., "RegMix: Data Mixture as Regression for Language Model Pre-training", ICLR 2025
(arXiv:2407.01492). HyPER: Miranda et al., "Hybrid Preferences", ACL 2025 (arXiv:2410.19133).
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from annotation.arrays import Array, IntArray
from annotation.hardness.ridge import fit_ridge
from budget.backtest.policies.candidates import (
    as_mix,
    candidate_purchases,
    choose,
    labels_bought,
    unit_costs,
    with_change,
)
from budget.backtest.policies.pilot import PilotDesign
from budget.backtest.policies.simple import equal_spend
from budget.campaign.campaign import Campaign
from budget.campaign.lent_curve import as_points, lent_curve
from budget.campaign.play import Play

_LEAST = 4  # labels of the largest stratum in the smallest mix
_CONCENTRATION = 0.7  # of the shares' Dirichlet distribution: one stratum alone is not rare


@dataclass(frozen=True)
class MixRegression:
    """Train on random mixes of the pilot, regress accuracy on the mix, buy the best one.

    Taken from RegMix: small models on many random mixes, a regression of the score on the mix, and
    the hypothesis that mixes keep their order as everything grows. From HyPER: that the regression
    sees counts and products of counts, and that the best of simulated purchases is taken. Changed:
    mixes differ in size too; a ridge regression stands for boosted trees, which need hundreds of
    mixes; and every purchase is held to the budget.

    `scale` is where purchases are compared:

    - "pilot": each whole purchase is scaled down to the money that the pilot cost, and keeps its
      proportions. The regression is not asked about sizes that no mix had, save that all that
      money on one stratum buys more labels of it than the pilot holds.
    - "full": as it would be bought, extrapolated far beyond the mixes.

    The level of accuracy is not what the regression is trusted with: there is no forecast. Where
    the budget allows no pilot, the money is spent equally.

    Attributes
    ----------
    design : the pilot; `fractions` and `seeds` of it are not used
    mixes : trainings on random mixes
    """

    design: PilotDesign = field(default_factory=PilotDesign)
    mixes: int = 48
    scale: Literal["pilot", "full"] = "pilot"
    borrow: bool = False
    name: str = "mix_regression"

    def play(self, campaign: Campaign) -> Play:
        """Pilot, random mixes, regression, purchase."""
        pilot = self.design.mix(campaign)
        if pilot is None:
            campaign.buy(equal_spend(campaign))
            return None
        campaign.buy(pilot)
        labels = next(iter(pilot.values()))
        rng = campaign.generator(self.name)
        counts = random_mixes(labels, len(campaign.strata), self.mixes, rng)
        correct = yield [
            {
                name: rng.permutation(labels)[:count]
                for name, count in zip(campaign.strata, row, strict=True)
                if count
            }
            for row in counts
        ]
        accuracy = correct.mean(1)
        if self.borrow:
            lent, of_lent = as_points((yield from lent_curve(campaign)), campaign)
            counts, accuracy = np.vstack([counts, lent]), np.append(accuracy, of_lent)
        regression = fit_ridge(mix_features(counts.astype(np.float64)), accuracy)
        bought = labels_bought(campaign)
        purchases = candidate_purchases(campaign)
        whole = (bought + purchases).astype(np.float64)
        if self.scale == "pilot":
            whole *= float(bought @ unit_costs(campaign)) / float(campaign.budget)
        expected = regression.predict(mix_features(whole))
        purchase = with_change(campaign, choose(campaign, purchases, expected))
        campaign.buy(as_mix(campaign, purchase))
        return None


def random_mixes(labels: int, strata: int, mixes: int, rng: np.random.Generator) -> IntArray:
    """Random mixes, (mixes, strata), of at most `labels` of each stratum; none is empty.

    The largest stratum's labels are drawn evenly on a logarithmic scale, the shares from a
    Dirichlet distribution.
    """
    shares = rng.dirichlet(np.full(strata, _CONCENTRATION), size=mixes)
    largest = np.exp(rng.uniform(np.log(min(_LEAST, labels)), np.log(labels), size=mixes))
    counts = np.rint(shares / shares.max(1, keepdims=True) * largest[:, None])
    return np.asarray(counts, dtype=np.int64)


def mix_features(counts: Array) -> Array:
    """What the regression sees of mixes (mixes, strata): (mixes, features).

    Log counts, their squares and products; shares of labels and their squares, one stratum left
    out. A mix without labels has shares of 0.
    """
    logs = np.log1p(counts)
    shares = (counts / np.maximum(counts.sum(1, keepdims=True), 1e-12))[:, :-1]
    products = [logs[:, j] * logs[:, k] for j, k in combinations(range(counts.shape[1]), 2)]
    return np.column_stack([logs, logs**2, shares, shares**2, *products])
