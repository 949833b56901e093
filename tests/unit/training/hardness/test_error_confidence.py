from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.groups import group_folds
from training.hardness.error_confidence import (
    PENALTIES,
    ErrorConfidenceDesign,
    error_confidence,
    zero_shot_error_confidence,
)
from training.models.load import LoadedModel
from training.probes.paper_probe import fit_paper_probe
from training.probes.probe import LinearProbe, fit_probe
from training.scoring.choices import encode_items, score_items

Items = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]
DESIGN = ErrorConfidenceDesign(sizes=(4, 9, 500), samples=2, folds=3, seed=2)


def items(own_choices: bool = True) -> Items:
    rng = np.random.default_rng(3)
    mask = np.ones((24, 3), dtype=bool)
    if own_choices:
        mask[::4, 2] = False
    answers = rng.integers(0, mask.sum(1))
    features = rng.normal(size=(24, 3 if own_choices else 1, 5)).astype(np.float32)
    features[np.arange(24), answers if own_choices else 0, 0] += 1.5
    return features, mask, answers


@pytest.mark.parametrize(("own_choices", "paper"), [(True, True), (True, False), (False, True)])
def test_confidence_is_that_of_the_obvious_way(own_choices: bool, paper: bool) -> None:
    features, mask, answers = items(own_choices)
    found = error_confidence(features, mask, answers, design=replace(DESIGN, paper_probe=paper))
    fold_of = group_folds(range(24), 3, 2)

    @cache
    def fitted(fold: int, sample: int, size: int) -> LinearProbe:
        rng = np.random.default_rng([2, 0xEC, fold, sample])
        rows = rng.permutation(np.flatnonzero(fold_of != fold))[:size]
        arguments = (features[rows], answers[rows], mask[rows])
        if own_choices and paper:
            return fit_paper_probe(*arguments, seed=2)
        return fit_probe(*arguments, PENALTIES)

    expected = np.zeros(24)
    for item in range(24):
        chances = []
        for sample in range(2):
            for size in (4, 9):  # 500 are not there
                probe = fitted(int(fold_of[item]), sample, size)
                scores = np.exp(probe.scores(features[[item]], mask[[item]])[0])
                chances.append(scores[answers[item]] / scores.sum())
        expected[item] = 1 - np.mean(chances)
    assert found == pytest.approx(expected, abs=1e-4)


def test_items_set_apart_for_training_get_none() -> None:
    features, mask, answers = items()
    train_on = np.arange(10)
    found = error_confidence(features, mask, answers, design=DESIGN, train_on=train_on)
    assert np.isnan(found[:10]).all()
    assert ((found[10:] > 0) & (found[10:] < 1)).all()
    # What is scored changes nothing of what probes learn.
    fewer = error_confidence(
        features[:15], mask[:15], answers[:15], design=DESIGN, train_on=train_on
    )
    assert found[10:15] == pytest.approx(fewer[10:])


def test_too_few_items() -> None:
    features, mask, answers = items()
    with pytest.raises(InputError, match="probes train on 17 items or more, and 16 are there"):
        error_confidence(features, mask, answers, design=replace(DESIGN, sizes=(17, 90)))
    with pytest.raises(InputError, match="one group only"):
        error_confidence(features, mask, answers, ["one"] * 24, DESIGN)
    with pytest.raises(ValueError, match="gold answer among its choices"):
        error_confidence(features, mask, answers - 1, design=DESIGN)


def test_zero_shot(llama: LoadedModel) -> None:
    questions = ["one two?", "three?", "w"]
    choices = [["red", "green", "blue"], ["goat", "pear"], ["x", "plum pear"]]
    answers, ids = np.array([2, 0, 1]), ["a", "b", "c"]
    scores = score_items(llama, encode_items(llama, questions, choices, ids)).double().numpy()
    found = zero_shot_error_confidence(scores, answers, ids, "llama")
    for item, (own, answer) in enumerate(zip(choices, answers, strict=True)):
        chances = np.exp(scores[item, : len(own)])
        assert found[item] == pytest.approx(1 - chances[answer] / chances.sum())
    scores[1] = np.nan
    with pytest.raises(InputError, match="item 'b': model 'llama' gives no number for a choice"):
        zero_shot_error_confidence(scores, answers, ids, "llama")
