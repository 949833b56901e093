from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from annotation.items.choice_order import in_own_order
from annotation.items.table import gold_texts
from annotation.items.validate import validate_items


def table(choices: list[list[str]], answers: Sequence[int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": [f"q{k}" for k in range(len(choices))],
            "question": [f"What is {k}?" for k in range(len(choices))],
            "choices": choices,
            "answer": answers,
        }
    )
    return validate_items(frame, "here", require_answers=False)


def own(count: int, size: int = 4) -> list[list[str]]:
    return [[f"{name} {k}" for name in "abcdef"[:size]] for k in range(count)]


def test_the_right_answer_stands_in_every_place_as_often() -> None:
    items = table(own(4000), [0] * 4000)
    found = in_own_order(items)
    assert gold_texts(found.items) == gold_texts(items)
    counts = np.bincount(found.items["answer"].to_numpy(dtype=np.int64), minlength=4)
    # 4 standard deviations of a count of 4,000 draws of 1 in 4.
    assert np.abs(counts - 1000).max() < 4 * np.sqrt(4000 * 0.25 * 0.75)
    assert items["answer"].eq(0).all()  # the table that was given is as it was
    assert found.given == items["choices"].tolist()


def test_items_of_several_sizes_and_without_answers() -> None:
    choices = [*own(30, 3), *own(30, 5), []]
    answers = [0, None, 2] * 20 + [None]
    items = table(choices, answers)
    found = in_own_order(items).items
    assert gold_texts(found) == gold_texts(items)
    assert found["choices"].map(sorted).tolist() == items["choices"].map(sorted).tolist()
    assert found["choices"].tolist() != items["choices"].tolist()
    pd.testing.assert_frame_equal(in_own_order(found).items, found)


def test_shared_classes_keep_their_order() -> None:
    items = table([["bad", "middling", "good"]] * 20, [0, 1] * 10)
    found = in_own_order(items)
    assert found.items is items
    assert (found.given, found.remark) == (None, "")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([1] * 20, "the right answer is 'good' in every item, so there is nothing to learn"),
        ([1] * 19 + [0], "the right answer is 'good' in 95 % of the items: always answering it"),
        ([1] * 17 + [0] * 3, ""),
        ([1] * 9 + [None] * 9, ""),
    ],
)
def test_a_class_that_is_nearly_always_right_is_told(
    answers: Sequence[int | None], told: str
) -> None:
    remark = in_own_order(table([["bad", "good"]] * len(answers), answers)).remark
    assert remark.startswith(told) and bool(remark) == bool(told)


@pytest.mark.parametrize(
    "last",
    ["all of the above", "None of the above.", "Both A and C", "A and B only", "B, C and D"],
)
def test_choices_that_speak_of_places_stay(last: str) -> None:
    choices = [[f"x {k}", f"y {k}", last] for k in range(50)]
    assert in_own_order(table(choices, [2] * 50)).items["choices"].tolist() == choices


@pytest.mark.parametrize("last", ["above the clouds", "A bird and a tree", "vitamin A", "none"])
def test_other_choices_move(last: str) -> None:
    choices = [[f"x {k}", f"y {k}", last] for k in range(50)]
    assert in_own_order(table(choices, [2] * 50)).items["choices"].tolist() != choices


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([0] * 40, "stands first in every item;"),
        ([0] * 38 + [1, 2], "stands first in 95 % of the items;"),
        ([3] * 40, "stands last in every item;"),
        ([1] * 39 + [0], "stands in place 2 in 98 % of the items;"),
    ],
)
def test_one_place_of_the_right_answer_is_told(answers: list[int], told: str) -> None:
    assert told in in_own_order(table(own(40), answers)).remark


@pytest.mark.parametrize("answers", [[0, 1, 2, 3] * 10, [0] * 30 + [1] * 10])
def test_places_that_vary_are_not_told(answers: list[int]) -> None:
    assert in_own_order(table(own(40), answers)).remark == ""


def test_a_few_items_tell_nothing() -> None:
    assert in_own_order(table(own(9), [0] * 9)).remark == ""
