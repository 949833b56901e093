"""How many of the labels made of judgments are wrong, mistakes that people share allowed for.

More judgments of an item mend a mistake that one of them made, not one that they share. So wrong
labels are believed to be as far from what agreement says as wrong judgments are, see
`annotation.truth.shared_mistakes`: by a share s of the way to one more answer.
"""

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.intervals import (
    CONFIDENCE,
    NOTHING,
    Interval,
    clustered_mean,
    fewest_trials,
    share_interval,
)
from annotation.truth import shared_mistakes
from annotation.truth.coding import NO_GOLD
from annotation.truth.fitted_models import FittedModels

FEWEST_GOLD_ITEMS = 2  # one item has no variance


def label_error(
    models: FittedModels,
    stratum: int,
    labelled: NDArray[np.bool_],
    confidence: float = CONFIDENCE,
) -> Interval:
    """Share of a stratum's labels that are wrong, gold questions apart.

    Without gold, the estimate is what the calibrated posteriors of the better model say. Labels
    that the judgments of gold questions would make are compared with the right answers.

    Parameters
    ----------
    models
        Of the judgments.
    stratum
        Its code.
    labelled
        The choice that each item is labelled with, of gold questions what judgments alone say;
        where one of several is drawn, all of them, each counting by its chance. (items, most
        choices).
    confidence
        Of the interval.

    Returns
    -------
    An interval for these labels; nothing where all items are gold questions.
    """
    coded = models.coded
    own = coded.stratum == stratum
    gold = np.flatnonzero(own & (coded.gold != NO_GOLD))
    rest = np.flatnonzero(own & (coded.gold == NO_GOLD))
    if not rest.size:
        return NOTHING
    chances = labelled / labelled.sum(axis=1, keepdims=True)
    independent = models.aggregate().unchecked
    by_model = _wrong(chances, independent)
    model = share_interval(by_model[rest], rest, rest, "these", confidence)
    gap = float((_wrong(chances, models.one_more_answer) - by_model)[rest].mean())
    if gold.size < FEWEST_GOLD_ITEMS:
        return shared_mistakes.label_error_without_gold(model, gap, confidence)
    seen = 1 - chances[gold, coded.gold[gold]]
    difference = clustered_mean(seen - by_model[gold], gold, gold, "these")
    evidence = shared_mistakes.gold_evidence(
        difference,
        difference.variance,
        _expected_variance(models, chances, rest),
        clustered_mean(by_model[rest], rest, rest, "these"),
        gold.size,
        fewest_trials(gold, gold, "these"),
        confidence,
    )
    found = shared_mistakes.label_error_with_gold(model, gap, evidence, confidence)
    low, high = found.bounds
    # What gold says without any prior is never left out: none of the labels may be wrong.
    return Interval(found.estimate, min(low, evidence.rate), max(high, evidence.rate))


def _wrong(chances: Array, posteriors: Array) -> Array:
    """Probability of every item's label to be wrong, (items,)."""
    return np.asarray(1 - (chances * posteriors).sum(axis=1))


def _expected_variance(models: FittedModels, chances: Array, items: IntArray) -> float:
    share = shared_mistakes.PUBLISHED.doubted_share
    model, further = models.aggregate().unchecked[items], models.one_more_answer[items]
    mixed = (1 - share) * model + share * further
    return shared_mistakes.expected_variance(chances[items], model, mixed)
