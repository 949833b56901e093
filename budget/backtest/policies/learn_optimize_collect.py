"""Learn-Optimize-Collect, a published planner of data collection, held to a fixed budget.

From Mahmood, Lucas, Alvarez, Fidler, Law, "Optimizing Data Collection for Machine Learning",
NeurIPS 2022 (arXiv:2210.01234) and JMLR 26, 2025. Written from the paper's description: there is
no public code.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from annotation.arrays import Array, Correct, IntArray
from budget.backtest.policies.additive_power_laws import AdditivePowerLaws, fit_additive_power_laws
from budget.backtest.policies.candidates import (
    as_mix,
    candidate_purchases,
    choose,
    labels_bought,
    with_change,
)
from budget.backtest.policies.pilot import PilotDesign, run_pilot
from budget.backtest.policies.simple import equal_spend
from budget.campaign.campaign import Campaign
from budget.campaign.lent_curve import as_points, lent_curve
from budget.campaign.planner import both_sides
from budget.campaign.play import (
    FORECAST_CONFIDENCE,
    Forecast,
    Lesson,
    Play,
    probability_easy_better,
)

# After each round: trainings on a part of everything bought, and how often each is repeated.
_PARTS = ((0.5, 2), (1.0, 1))


@dataclass(frozen=True)
class LearnOptimizeCollect:
    """Round by round: learn a distribution of curves, optimise the purchase, collect part of it.

    Taken from the paper: scores of models trained on subsets of what one has (section 4.2); a law
    that adds a power law of every source (section 6, appendix D), fitted to bootstrap resamples of
    those scores, which makes a distribution; the purchase is optimised for all rounds to come,
    and only this round's part of it is collected before everything is fitted again.

    Changed:

    - The paper minimises cost + penalty * P(score < target). Here the budget is fixed, and money
      left is worth nothing: the dual is to come as near the target as the money allows. What is
      minimised is the expected shortfall, mean over the laws of max(target - score, 0). With the
      default target of 1 that is the largest expected score, no law credited for more than 1.
    - For that the distribution of scores is enough: the paper's density of data requirements (a
      kernel estimate, a Gaussian mixture for two sources) and its gradient descent are replaced
      by the laws themselves and a grid of purchases.
    - The paper stops once the target is met, and that decides how much a round collects. Here
      every round spends the same: 1 / (rounds left) of the planned purchase, in its proportions.
    - The first data are the pilot, paid from the budget. Its scores are kept in later rounds. No
      labels at all score chance: that is known, and stands among the points.

    Where the budget allows no pilot, the money is spent equally and nothing is forecast.

    Attributes
    ----------
    design : the pilot
    rounds : purchases after the pilot; the paper tries 1, 3 and 5
    draws : bootstrap resamples
    target : accuracy aimed at
    borrow : add scores of labels that the test set lends, as often each as the pilot has seeds

    Raises ValueError if `rounds` or `draws` is below 1.
    """

    design: PilotDesign = field(default_factory=PilotDesign)
    rounds: int = 5
    draws: int = 100
    target: float = 1.0
    borrow: bool = False
    name: str = "learn_optimize_collect"

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.draws < 1:
            raise ValueError(f"'rounds' and 'draws' should be at least 1; got {self}.")

    def play(self, campaign: Campaign) -> Play:
        """Pilot, rounds, forecast by the laws of the last round."""
        pilot = self.design.mix(campaign)
        if pilot is None:
            campaign.buy(equal_spend(campaign))
            return None
        observations = yield from run_pilot(campaign, self.design, pilot)
        counts = np.array(
            [
                [own.labels.get(name, 0) for name in campaign.strata]
                for own in observations
                for _ in own.correct
            ]
            + [[0] * len(campaign.strata)] * self.design.seeds
        )
        accuracy = np.concatenate(
            [
                *(own.correct.mean(1) for own in observations),
                np.full(self.design.seeds, campaign.test.chance),
            ]
        )
        if self.borrow:
            lent, of_lent = as_points((yield from lent_curve(campaign)), campaign)
            counts = np.vstack([counts, np.repeat(lent, self.design.seeds, axis=0)])
            accuracy = np.append(accuracy, np.repeat(of_lent, self.design.seeds))
        rng = campaign.generator(self.name)
        for rounds_left in range(self.rounds, 1, -1):
            laws = fit_additive_power_laws(counts, accuracy, self.draws, rng)
            part = best_purchase(laws, campaign, self.target) // rounds_left
            if part.any():
                campaign.buy(as_mix(campaign, part))
                more_counts, more_accuracy = yield from _scores(campaign, rng)
                counts = np.vstack([counts, more_counts])
                accuracy = np.concatenate([accuracy, more_accuracy])
        laws = fit_additive_power_laws(counts, accuracy, self.draws, rng)
        last = with_change(campaign, best_purchase(laws, campaign, self.target))
        campaign.buy(as_mix(campaign, last))
        sides = np.array([[mix.get(n, 0) for n in campaign.strata] for mix in both_sides(campaign)])
        return forecast(laws, labels_bought(campaign), sides, rng)


def best_purchase(laws: AdditivePowerLaws, campaign: Campaign, target: float) -> IntArray:
    """The further labels (strata,) with the smallest expected shortfall against a target."""
    purchases = candidate_purchases(campaign)
    scores = laws.predict(labels_bought(campaign) + purchases)
    return choose(campaign, purchases, -np.maximum(target - scores, 0).mean(0))


def forecast(
    laws: AdditivePowerLaws, labels: IntArray, sides: IntArray, rng: np.random.Generator
) -> Forecast:
    """What the laws say of one training on labels (strata,), the points' scatter included.

    `sides` (2, strata): all money on easy labels, and all on hard ones.
    """
    scores = laws.predict(labels[None])[:, 0] + rng.normal(0, laws.residual)
    draws = scores.clip(0, 1)
    tail = (1 - FORECAST_CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    easy_better = probability_easy_better(*laws.predict(sides).T)
    return Forecast(float(draws.mean()), float(low), float(high), easy_better)


def _scores(
    campaign: Campaign, rng: np.random.Generator
) -> Generator[Sequence[Lesson], Correct, tuple[IntArray, Array]]:
    """Train on parts of each stratum alone and of all together: labels and accuracies."""
    bought = {name: own for name, own in campaign.bought.items() if own}
    groups = [[name] for name in bought]
    if len(bought) > 1:
        groups.append(list(bought))
    # In order of sale: the same labels are the same training, which is done once.
    subsets = [
        {
            name: np.sort(rng.permutation(bought[name])[: max(1, round(part * bought[name]))])
            for name in own
        }
        for part, repeats in _PARTS
        for own in groups
        for _ in range(repeats)
    ]
    correct = yield subsets
    counts = [[one[name].size if name in one else 0 for name in campaign.strata] for one in subsets]
    return np.array(counts), np.asarray(correct.mean(1))
