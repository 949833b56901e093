"""Hardness of texts by a model that sees other features: hashed words and word pairs.

The measure is the mean confidence in error, 1 minus the probability of the right class, of probes
that were trained on other items. What trains and tests later are a sentence encoder's features, so
that hardness is not what the tested probe itself finds hard.
"""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import IntArray
from annotation.groups import turns
from training.probes.probe import ProbeJob, fit_probes, score_probes

BUCKETS = 1024
FOLDS = 5
REPEATS = 2
PENALTIES = (0.1, 0.01, 0.001)
_WORD = re.compile(r"\w+")


def hashed_tfidf(texts: Sequence[str], buckets: int = BUCKETS) -> NDArray[np.float32]:
    """Words and pairs of neighbours as (texts, buckets), rows of length 1 (0 for no words).

    A term's bucket is its CRC-32; a count c weighs (1 + log c) log((1 + N) / (1 + texts with it)).
    """
    counts = np.zeros((len(texts), buckets), dtype=np.float32)
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())
        pairs = [f"{left} {right}" for left, right in pairwise(words)]
        for term in (*words, *pairs):
            counts[row, zlib.crc32(term.encode()) % buckets] += 1
    present = counts > 0
    inverse = np.log((1 + len(texts)) / (1 + present.sum(0)))
    weighed = np.where(present, 1 + np.log(np.where(present, counts, 1)), 0) * inverse
    lengths = np.sqrt((weighed**2).sum(1, keepdims=True))
    return np.asarray(weighed / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def error_confidence(
    texts: Sequence[str],
    answers: NDArray[np.int64],
    classes: int,
    seed: int = 0,
    groups: IntArray | None = None,
) -> NDArray[np.float64]:
    """1 minus the probability of the right class, out of fold, mean over repeats: (texts,).

    `groups` (texts,) are numbers of what stays within a fold; None: each text is its own.

    Raises ValueError if there are fewer texts, or groups, than folds.
    """
    group = np.arange(len(texts)) if groups is None else groups
    if np.unique(group).size < FOLDS:
        raise ValueError(
            f"'texts' should be at least {FOLDS}, of as many groups; got {len(texts)} of "
            f"{np.unique(group).size}."
        )
    features = hashed_tfidf(texts)[:, None, :]
    mask = np.ones((len(texts), classes), dtype=bool)
    one_hot = np.eye(classes)
    wrong = np.zeros(len(texts))
    for repeat in range(REPEATS):
        order = np.argsort(np.random.default_rng([seed, repeat]).permutation(len(texts)))
        fold = np.empty(len(texts), dtype=np.int64)
        fold[order] = turns(group[order]) % FOLDS
        inside = [np.flatnonzero(fold != number) for number in range(FOLDS)]
        jobs = [ProbeJob(rows, one_hot[answers[rows]]) for rows in inside]
        probes = fit_probes(features, mask, jobs, PENALTIES, groups=group)
        for number, probe in enumerate(probes):
            out = np.flatnonzero(fold == number)
            scores = score_probes([probe], features[out], mask[out])[0]
            scores -= scores.max(1, keepdims=True)
            chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            wrong[out] += 1 - chances[np.arange(out.size), answers[out]]
    return wrong / REPEATS
