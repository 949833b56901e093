"""Hardness as disagreement between the annotators of an item, from a judgment table.

Cancelled judgments hold no answer and count for nothing. Answers are compared as they stand.
"""

import numpy as np
import pandas as pd

from annotation.arrays import Array


def answer_entropy(item_ids: pd.Series, judgments: pd.DataFrame) -> Array:
    """Entropy of an item's answers in bits, (items,); NaN with fewer than two answers.

    0 where all agree. It is the entropy of the answers that were given (plug-in): of few judgments
    it is on average too small, so compare items that have as many.

    Parameters
    ----------
    item_ids
        Of the item table, (items,).
    judgments
        A judgment table: item_id, label and cancelled are read.
    """
    counts = _answer_counts(judgments)
    total = counts.groupby(level="item_id").transform("sum")
    share = counts / total
    entropy = -(share * np.log2(share)).groupby(level="item_id").sum()
    return _aligned(entropy.abs(), counts, item_ids)  # no negative zero


def pairwise_disagreement(item_ids: pd.Series, judgments: pd.DataFrame) -> Array:
    """Chance that two annotators of an item give different answers, (items,).

    Of n judgments, n_k of them for answer k, it is 1 - sum n_k (n_k - 1) / (n (n - 1)): one minus
    the pairwise agreement within the item (Fleiss 1971, Psychological Bulletin 76, equation 2).
    Unbiased whatever n. NaN with fewer than two answers.

    Parameters as for `answer_entropy`.
    """
    counts = _answer_counts(judgments)
    of_item = counts.groupby(level="item_id")
    total = of_item.sum()
    pairs = (counts * (counts - 1)).groupby(level="item_id").sum()
    with np.errstate(invalid="ignore"):
        disagreement = 1 - pairs / (total * (total - 1))
    return _aligned(disagreement, counts, item_ids)


def _answer_counts(judgments: pd.DataFrame) -> pd.Series:
    """How often each answer was given: (item_id, label) -> judgments, float64."""
    answered = judgments[~judgments["cancelled"].astype(bool) & judgments["label"].notna()]
    return answered.groupby(["item_id", "label"], sort=True).size().astype(np.float64)


def _aligned(measure: pd.Series, counts: pd.Series, item_ids: pd.Series) -> Array:
    judged = counts.groupby(level="item_id").sum()
    measure = measure.where(judged >= 2)
    return np.asarray(measure.reindex(item_ids.to_numpy()).to_numpy(dtype=np.float64))
