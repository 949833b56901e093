"""How much doubt is left of an item's answer, and how much one more judgment would take away.

Doubt is the chance that an answer drawn by the posterior is wrong, 1 - sum of q squared (Gini). Its
expected fall by one more judgment is never negative, and smallest where the posterior is clear.
The chance that the likeliest answer is wrong would not do in its place: it falls only where a
single judgment can overturn that answer, so that nobody would be asked a second time.
"""

import numpy as np

from annotation.arrays import Array, IntArray


def expected_fall(posteriors: Array, choice_counts: IntArray, error_rate: float) -> Array:
    """Expected fall of doubt by one more judgment of each item, (items,), at least 0.

    The judgment is wrong with probability `error_rate`, and then any of the other choices. With
    a = error_rate / (m - 1) and g = 1 - error_rate - a, the judgment is s with probability
    a + g q_s, and Bayes' rule gives the sum of squares that is left.

    Parameters
    ----------
    posteriors
        (items, choices), rows sum to 1, 0 where an item has fewer choices.
    choice_counts
        (items,); an item of one choice leaves no doubt.
    error_rate
        Share of the supplier's judgments that are wrong, from 0 to 1.
    """
    many = choice_counts > 1
    others = np.where(many, choice_counts - 1, 1)[:, None]
    each_wrong = error_rate / others
    better = 1 - error_rate - each_wrong
    there = np.arange(posteriors.shape[1]) < choice_counts[:, None]
    squares = (posteriors**2).sum(axis=1)
    said = np.where(there, each_wrong + better * posteriors, 0.0)
    joint = each_wrong**2 * squares[:, None] + posteriors**2 * (better**2 + 2 * each_wrong * better)
    after = np.divide(joint, said, out=np.zeros_like(joint), where=said > 0).sum(axis=1)
    return np.where(many, np.maximum(after - squares, 0.0), 0.0)


def with_predictions(posteriors: Array, predictions: Array) -> Array:
    """What judgments and a model say together, (items, choices).

    `predictions` are of a model that has not seen the item's own judgments, and `posteriors` of
    judgments before a uniform prior; so the product is the posterior with the model for its prior
    (as in CROWDLAB, Goh et al. 2022, without its weights). Where the two rule each other out, it is
    the judgments that count.
    """
    product = posteriors * predictions
    total = product.sum(axis=1, keepdims=True)
    possible = total > 0
    return np.where(possible, product / np.where(possible, total, 1.0), posteriors)
