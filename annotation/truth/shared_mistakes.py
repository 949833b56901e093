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
standard deviation of .27, and Beta(1, 2) has 1/3 and .24. Labels were explained by a larger s than
judgments, by .08 on average with a standard deviation of .11; that is what the interval of wrong
labels allows for beyond that of wrong judgments.
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
    label_shift : s of labels less s of judgments: its mean and standard deviation
    """

    prior: tuple[float, float] = (1.0, 2.0)
    even_answers: float = 2.0
    any_answer: float = 0.2
    prior_items: float = 20.0
    most_doubt: float = 0.9
    doubted_share: float = 0.5
    label_shift: tuple[float, float] = (0.08, 0.11)

    @cached_property
    def shares(self) -> Array:
        """Equally likely values of s."""
        return np.asarray(stats.beta.ppf(_PLACES, *self.prior))

    @cached_property
    def label_shares(self) -> Array:
        """Equally likely values of s for labels."""
        mean, spread = self.label_shift
        shifted = self.shares[:, None] + mean + spread * stats.norm.ppf(_PLACES)
        return np.asarray(np.quantile(np.clip(shifted, 0.0, 1.0), _PLACES))

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
    return _allowing_for(model, gap, assumed.shares, confidence, assumed)


def label_error_without_gold(
    model: Interval, gap: float, confidence: float = CONFIDENCE, assumed: Assumptions = PUBLISHED
) -> Interval:
    """The share of wrong labels where nothing says how many mistakes are shared.

    As `rate_without_gold`, of labels in place of judgments.
    """
    if model.estimate is None or model.low is None or model.high is None:
        return NOTHING
    return _allowing_for(model, gap, assumed.label_shares, confidence, assumed)


def _allowing_for(
    model: Interval, gap: float, shares: Array, confidence: float, assumed: Assumptions
) -> Interval:
    assert model.estimate is not None
    (lowest, highest), rates = model.bounds, _rates(model, gap, confidence, shares)
    low, high = np.quantile(rates, [0.5 - confidence / 2, 0.5 + confidence / 2])
    estimate = min(model.estimate + assumed.mean_share * max(gap, 0.0), 1.0)
    return Interval(
        estimate, min(float(low), lowest, estimate), max(float(high), highest, estimate)
    )


@dataclass(frozen=True)
class GoldEvidence:
    """What gold items say of an error rate: `rate`, from so many judgments' worth.

    `count` is the effective number of independent judgments; `items` is how many gold items.
    """

    rate: float
    count: float
    items: int


def gold_evidence(
    difference: ClusteredMean,
    between_items: float,
    expected: float,
    everywhere: ClusteredMean,
    items: int,
    trials: float = 0.0,
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
    trials
        How many independent judgments gold is worth at the least, see
        `annotation.intervals.fewest_trials`. Where hardly anybody is wrong no variance is seen, and
        the one that is expected is larger than that of so small a share can be.
    confidence
        Of the interval that it is for.
    """
    pooled = assumed.prior_items * expected / items + (items - 1) * between_items
    pooled /= assumed.prior_items + items - 1
    variance = max(difference.variance - between_items, 0.0)
    variance += max(between_items, pooled) + everywhere.variance
    rate = min(max(everywhere.mean + difference.mean, 0.0), 1.0)
    inside = min(max(rate, 1 / (2 * items)), 1 - 1 / (2 * items))  # where nobody is wrong, too
    largest_variance = inside * (1 - inside)
    normal = float(stats.norm.ppf(0.5 + confidence / 2))
    smaller = (normal / difference.t_quantile(confidence)) ** 2
    count = min(float(difference.count), largest_variance / max(variance, 1e-12)) * smaller
    # The mean square of a difference within -1 and 1 is at most its mean size.
    least = trials * largest_variance / max(inside + everywhere.mean, largest_variance)
    return GoldEvidence(rate, max(count, least), items)


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
    return _weighed(_rates(model, gap, confidence, assumed.shares), gold, confidence, assumed)


def label_error_with_gold(
    model: Interval,
    gap: float,
    gold: GoldEvidence,
    confidence: float = CONFIDENCE,
    assumed: Assumptions = PUBLISHED,
) -> Interval:
    """The share of wrong labels, as `rate_with_gold` that of judgments."""
    if model.estimate is None or model.low is None or model.high is None:
        return NOTHING
    rates = _rates(model, gap, confidence, assumed.label_shares)
    return _weighed(rates, gold, confidence, assumed)


def _weighed(rates: Array, gold: GoldEvidence, confidence: float, assumed: Assumptions) -> Interval:
    """Equally likely rates, and any rate, by how likely gold is at each."""
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


def _rates(model: Interval, gap: float, confidence: float, shares: Array) -> Array:
    """Equally likely rates: the model's, normal in the logit on either side, and s multiplied."""
    assert model.estimate is not None
    middle, low, high = (
        logit(min(max(end, _SMALLEST), 1 - _SMALLEST)) for end in (model.estimate, *model.bounds)
    )
    noise = stats.norm.ppf(_PLACES) / stats.norm.ppf(0.5 + confidence / 2)
    independent = expit(
        middle + np.where(noise > 0, noise * (high - middle), noise * (middle - low))
    )
    rates = independent[:, None] + max(gap, 0.0) * shares
    return np.asarray(np.clip(rates, 0.0, 1.0)).ravel()
