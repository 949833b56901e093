"""What agreement cannot see: several people who make the same mistake on the same item.

Without right answers, an error rate is read off who agrees with whom, and a mistake that most
people share looks like the truth. How often that happens cannot be told from the judgments. What
can be said is what an error rate would be if right answers were no surer than *one more answer*:
drawn from those that the item got, two more spread evenly over its choices; but any choice in one
case of five. Judgments are taken to be described

- by a model of independent mistakes for a share 1 - s of items,
- by one more answer for the rest, a share s of items with the prior Beta(1, 2).

Everything is linear in s: posteriors, and so error rates of labels and judgments. Right answers
(gold) say more: they measure what the model gets wrong, which is added to its rate over all items
(prediction-powered inference: Angelopoulos et al. 2023, Science 382; the difference estimator of
survey sampling: Cochran 1977, Sampling Techniques, ch. 7).

The two numbers of one more answer were chosen on thirteen published crowds with known truth, such
that the same s explains wrong judgments and wrong labels; s was .29 and .36 there on average with a
standard deviation of .27, and Beta(1, 2) has 1/3 and .24.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.special import expit, logit

from annotation.arrays import Array, IntArray
from annotation.intervals import CONFIDENCE, NOTHING, ClusteredMean, Interval

USUAL_GOLD_ITEMS = 20  # from which on gold is believed against the prior
_POINTS = 99  # of each distribution that is multiplied out
_SMALLEST = 1e-4
_PLACES = (np.arange(_POINTS) + 0.5) / _POINTS


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of crowds; the defaults were chosen on published ones.

    Attributes
    ----------
    prior : of s, the two counts of a beta distribution
    even_answers, any_answer : of one more answer, see `one_more_answer`
    prior_items : gold items that the expected variance between items counts as
    most_doubt : of the prior, once there are `USUAL_GOLD_ITEMS`
    doubted_share : s for how much items vary: few gold items often miss the worst ones
    """

    prior: tuple[float, float] = (1.0, 2.0)
    even_answers: float = 2.0
    any_answer: float = 0.2
    prior_items: float = 20.0
    most_doubt: float = 0.9
    doubted_share: float = 0.5

    @cached_property
    def shares(self) -> Array:
        """Equally likely values of s."""
        return np.asarray(stats.beta.ppf(_PLACES, *self.prior))

    @property
    def mean_share(self) -> float:
        return self.prior[0] / sum(self.prior)


PUBLISHED = Assumptions()


def one_more_answer(
    votes: Array, choice_counts: IntArray, assumed: Assumptions = PUBLISHED
) -> Array:
    """Probability of every choice to be right if the right answer is like one more judgment.

    Parameters
    ----------
    votes
        How many judgments every choice got, (items, most choices).
    choice_counts
        How many choices an item has, (items,).

    Returns
    -------
    (items, most choices); rows sum to 1, 0 where an item has fewer choices.
    """
    there = np.arange(votes.shape[1]) < choice_counts[:, None]
    even = there / choice_counts[:, None]
    total = votes.sum(axis=1, keepdims=True) + assumed.even_answers
    said = (votes + assumed.even_answers * even) / total
    return np.asarray((1 - assumed.any_answer) * said + assumed.any_answer * even)


def share_of_shared(by_model: Array, by_one_more: Array, assumed: Assumptions = PUBLISHED) -> float:
    """Posterior mean of s from gold items; the prior's where there are none.

    `by_model` and `by_one_more` (gold items,): what both said of the answer that is right.
    """
    if not by_model.size:
        return assumed.mean_share
    shares = assumed.shares
    chance = (1 - shares)[:, None] * by_model + shares[:, None] * by_one_more
    weights = np.log(np.maximum(chance, 1e-12)).sum(axis=1)
    weights = np.exp(weights - weights.max())
    return float(weights @ shares / weights.sum())


def rate_without_gold(
    model: Interval, gap: float, confidence: float = CONFIDENCE, assumed: Assumptions = PUBLISHED
) -> Interval:
    """An error rate where nothing says how many mistakes are shared.

    `model` is the rate if mistakes are independent; `gap` is how much higher it would be if right
    answers were like one more answer. The interval is never narrower than the model's own, so it
    holds where no mistake is shared, too.
    """
    if model.estimate is None or model.low is None or model.high is None:
        return NOTHING
    rates = _rates(model, gap, confidence, assumed)
    low, high = np.quantile(rates, [0.5 - confidence / 2, 0.5 + confidence / 2])
    estimate = min(model.estimate + assumed.mean_share * max(gap, 0.0), 1.0)
    return Interval(
        estimate, min(float(low), model.low, estimate), max(float(high), model.high, estimate)
    )


@dataclass(frozen=True)
class GoldEvidence:
    """What gold items say of an error rate: `rate`, from so many judgments' worth.

    `count` is the effective number of independent judgments; `items` is how many gold items. The
    likelihood takes a `rate` of neither 0 nor 1 for them; `unchanged` may be.
    """

    rate: float
    count: float
    items: int
    unchanged: float


def gold_evidence(
    difference: ClusteredMean,
    between_items: float,
    expected: float,
    everywhere: ClusteredMean,
    items: int,
    confidence: float = CONFIDENCE,
    assumed: Assumptions = PUBLISHED,
) -> GoldEvidence:
    """The rate by gold and agreement together, and how many independent judgments it is worth.

    Parameters
    ----------
    difference
        Mean over judgments of gold items of: wrong (0 or 1) less the model's probability of it.
    between_items
        Its variance with items as clusters.
    expected
        The variance between items of that difference that shared mistakes lead one to expect, see
        `expected_variance`. It counts as that of `assumed.prior_items` items where few were seen,
        and is never put in place of a larger one that was seen.
    everywhere
        Mean over all judgments of the model's probability.
    items
        How many gold items.
    confidence
        Of the interval that it is for.
    """
    pooled = assumed.prior_items * expected / items + (items - 1) * between_items
    pooled /= assumed.prior_items + items - 1
    variance = max(difference.variance - between_items, 0.0)
    variance += max(between_items, pooled) + everywhere.variance
    unchanged = min(max(everywhere.mean + difference.mean, 0.0), 1.0)
    rate = min(max(unchanged, 1 / (2 * items)), 1 - 1 / (2 * items))
    normal = float(stats.norm.ppf(0.5 + confidence / 2))
    smaller = (normal / difference.t_quantile(confidence)) ** 2
    count = min(float(difference.count), rate * (1 - rate) / max(variance, 1e-12)) * smaller
    return GoldEvidence(rate, count, items, unchanged)


def rate_with_gold(
    model: Interval,
    gap: float,
    gold: GoldEvidence,
    confidence: float = CONFIDENCE,
    assumed: Assumptions = PUBLISHED,
) -> Interval:
    """An error rate by the prior of `rate_without_gold` and gold items together.

    The more gold items there are, up to `USUAL_GOLD_ITEMS`, the less the prior is believed: it is
    mixed with any rate being as likely as another, so that gold that contradicts it wins.
    """
    if model.estimate is None or model.low is None or model.high is None:
        return NOTHING
    rates = _rates(model, gap, confidence, assumed)
    doubt = assumed.most_doubt * min(1.0, gold.items / USUAL_GOLD_ITEMS)
    anything = (np.arange(1000) + 0.5) / 1000
    values = np.concatenate([rates, anything])
    weights = np.repeat([(1 - doubt) / rates.size, doubt / 1000], [rates.size, 1000])
    inside = np.clip(values, 1e-9, 1 - 1e-9)
    likelihood = gold.rate * np.log(inside) + (1 - gold.rate) * np.log1p(-inside)
    likelihood *= gold.count
    weights = weights * np.exp(likelihood - likelihood.max())
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    ends = np.searchsorted(below / below[-1], [0.5 - confidence / 2, 0.5 + confidence / 2])
    low, high = values[order][np.minimum(ends, values.size - 1)]
    estimate = float(weights @ values / weights.sum())
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def expected_variance(votes: Array, by_model: Array, calibrated: Array) -> float:
    """Variance between items of wrong judgments less what the model expects, for a mean over items.

    `votes` (items, choices): the judgments that the rate is of. `by_model` and `calibrated`
    (items, choices): the posteriors if mistakes are independent, and with shared mistakes. Items
    without votes do not count.
    """
    number = votes.sum(axis=1)
    there = number > 0
    wrong = number[there, None] - votes[there]  # judgments that are wrong if this choice is right
    rest = wrong - (by_model[there] * wrong).sum(axis=1, keepdims=True)
    chance = calibrated[there]
    variance = (chance * rest**2).sum(axis=1) - (chance * rest).sum(axis=1) ** 2
    return float(variance.mean() / number[there].mean() ** 2)


def gold_items_for(variance: float, half_width: float, confidence: float = CONFIDENCE) -> int:
    """How many gold items bring an interval to so much on either side."""
    quantile = float(stats.norm.ppf(0.5 + confidence / 2))
    return int(np.ceil(variance * (quantile / half_width) ** 2))


def _rates(model: Interval, gap: float, confidence: float, assumed: Assumptions) -> Array:
    """Equally likely rates: the model's, normal in the logit on either side, and s multiplied."""
    assert model.estimate is not None
    middle, low, high = (
        logit(min(max(end, _SMALLEST), 1 - _SMALLEST)) for end in (model.estimate, *model.bounds)
    )
    noise = stats.norm.ppf(_PLACES) / stats.norm.ppf(0.5 + confidence / 2)
    independent = expit(
        middle + np.where(noise > 0, noise * (high - middle), noise * (middle - low))
    )
    rates = independent[:, None] + max(gap, 0.0) * assumed.shares
    return np.asarray(np.clip(rates, 0.0, 1.0)).ravel()
