"""Item response difficulty with probes for respondents."""

import numpy as np
import pytest
from scipy import stats

from annotation.arrays import Array, Features, IntArray, Mask
from annotation.groups import group_folds
from annotation.hardness.irt import fit_item_response
from training.hardness.error_confidence import ErrorConfidenceDesign
from training.hardness.probe_difficulty import probe_difficulty
from training.probes.paper_probe import fit_paper_probe

DESIGN = ErrorConfidenceDesign(sizes=(6, 15), samples=3, folds=3, seed=2)


def items(count: int = 45) -> tuple[Features, Mask, IntArray, Array]:
    """Features whose first column tells the answer, the more faintly the harder an item is."""
    rng = np.random.default_rng(1)
    answers = rng.integers(0, 3, count)
    strength = np.linspace(4.0, 0.0, count)
    features = rng.normal(size=(count, 3, 4)).astype(np.float32)
    features[np.arange(count), answers, 0] += strength
    mask = np.ones((count, 3), dtype=bool)
    return features, mask, answers.astype(np.int64), np.asarray(-strength)


def test_it_is_that_of_the_obvious_way() -> None:
    features, mask, answers, _ = items()
    fold_of = group_folds(range(len(answers)), 3, 2)
    right = np.full((6, len(answers)), np.nan)
    for fold in range(3):
        inside, scored = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        place = 0
        for sample in range(3):
            order = np.random.default_rng([2, 0xEC, fold, sample]).permutation(inside)
            for size in (6, 15):
                rows = order[:size]
                probe = fit_paper_probe(features[rows], answers[rows], mask[rows], seed=2)
                for item in scored:
                    scores = probe.scores(features[[item]], mask[[item]])[0]
                    right[place, item] = scores.argmax() == answers[item]
                place += 1
    expected = fit_item_response(right, "1PL").difficulty
    found = probe_difficulty(features, mask, answers, design=DESIGN)
    assert found == pytest.approx(expected, abs=1e-6)


def test_faint_items_are_harder() -> None:
    features, mask, answers, hardness = items(120)
    design = ErrorConfidenceDesign(sizes=(20, 80), samples=10, folds=4)
    found = probe_difficulty(features, mask, answers, design=design)
    assert stats.spearmanr(found, hardness).statistic > 0.45
