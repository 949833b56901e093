"""What majorities of 1, 3 and 5 judgments get wrong, by drawing some of those that are there."""

import numpy as np
import pandas as pd
import pytest

from annotation.team.more_judgments import MajorityOf, _chances, majorities
from annotation.truth.coding import code_judgments
from annotation.truth.fitted_models import FittedModels
from tests.unit.annotation.team.test_confusion import judged


def tried(table: pd.DataFrame) -> dict[int, MajorityOf]:
    coded = code_judgments(table)
    posteriors = FittedModels(coded).calibrated("dawid_skene").unchecked
    return {own.judgments: own for own in majorities(coded, posteriors)}


def alike(items: int, people: int, gold: int, seed: int = 0) -> pd.DataFrame:
    """Everybody errs on 3 of 10 items of either class, independently."""
    rng = np.random.default_rng(seed)
    table = judged(items, people, gold=gold)
    right = np.array([("no", "yes")[int(item) % 2] for item in table["item_id"]])
    wrong = rng.random(len(table)) < 0.3
    label = np.where(wrong, np.where(right == "yes", "no", "yes"), right)
    return table.assign(label=label)


def test_majorities_of_independent_judgments_are_wrong_as_often_as_theory_says() -> None:
    own = tried(alike(1500, 7, gold=1500))
    assert {number: one.known_by for number, one in own.items()} == {
        1: "gold", 3: "gold", 5: "gold",
    }  # fmt: skip
    for number, expected in ((1, 0.3), (3, 0.216), (5, 0.163)):
        low, high = own[number].wrong.bounds
        assert low - 0.01 < expected < high + 0.01, number
    assert own[1].fewer is None
    assert own[3].fewer is not None
    assert own[3].fewer.bounds[0] < 0.084 < own[3].fewer.bounds[1]


def test_without_known_answers_all_judgments_of_an_item_tell() -> None:
    own = tried(alike(300, 9, gold=0))
    assert own[1].known_by == "agreement"
    # Mistakes that people share are allowed for, and here there are none.
    assert 0.28 < (own[1].wrong.estimate or 0) < 0.4
    assert own[5].wrong.estimate < own[3].wrong.estimate < own[1].wrong.estimate  # type: ignore[operator]


def test_five_are_tried_only_where_enough_items_have_five() -> None:
    assert sorted(tried(alike(60, 3, gold=60))) == [1, 3]
    assert sorted(tried(alike(60, 5, gold=60))) == [1, 3, 5]


def test_the_chances_of_a_majority_are_those_of_drawing_again_and_again() -> None:
    counts, number = (4, 2, 1), 3
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_hypergeometric(counts, number, size=40_000)
    first = drawn == drawn.max(axis=1, keepdims=True)
    expected = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    assert _chances(counts, number) == pytest.approx(expected, abs=0.01)
    assert sum(_chances((5, 5), 5)) == pytest.approx(1)
    assert _chances((3,), 3) == (1.0,)


@pytest.mark.parametrize(("items", "people"), [(100, 1), (100, 2), (19, 5)])
def test_nothing_is_told_of_too_few(items: int, people: int) -> None:
    assert not tried(alike(items, people, gold=items))


def test_the_same_judgments_tell_the_same_in_any_order() -> None:
    table = alike(80, 5, gold=80)
    again = tried(table.sample(frac=1, random_state=3).reset_index(drop=True))
    for number, own in tried(table).items():
        assert again[number].wrong.estimate == pytest.approx(own.wrong.estimate)
        assert again[number].wrong.bounds == pytest.approx(own.wrong.bounds)
