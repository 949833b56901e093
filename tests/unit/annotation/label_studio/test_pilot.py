import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.label_studio.pilot import PilotTask, draw_pilot


def items(count: int = 40, answered: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": [f"i{n:02d}" for n in range(count)],
            "question": [f"Question {n}" for n in range(count)],
            "choices": [[f"{n} yes", f"{n} no"] for n in range(count)],
            "answer": [n % 2 if answered or n < 3 else None for n in range(count)],
        }
    )
    return validate_items(frame, "items", require_answers=answered)


def strata(count: int = 40) -> NDArray[np.object_]:
    return np.array(["easy", "hard"] * (count // 2), dtype=object)


def drawn(tasks: list[PilotTask]) -> set[str]:
    return {task.item_id for task in tasks}


def test_numbers_and_gold_per_stratum() -> None:
    tasks = draw_pilot(items(), strata(), {"easy": 7, "hard": 4}, gold_per_stratum=2, seed=1)
    assert len(drawn(tasks)) == 11
    for name, number in (("easy", 7), ("hard", 4)):
        of_stratum = [task for task in tasks if task.stratum == name]
        assert len(of_stratum) == number
        golden = [task for task in of_stratum if task.gold is not None]
        assert len(golden) == 2
        for task in golden:
            number_of_item = int(task.item_id[1:])
            assert task.gold == f"{number_of_item} {'no' if number_of_item % 2 else 'yes'}"


def test_larger_pilot_contains_the_smaller_whatever_the_order_of_the_file() -> None:
    small = draw_pilot(items(), strata(), {"easy": 5, "hard": 5}, 2)
    order = np.random.default_rng(0).permutation(40)
    shuffled = items().iloc[order].reset_index(drop=True)
    large = draw_pilot(shuffled, strata()[order], {"easy": 9, "hard": 5}, 2)
    assert drawn(small) < drawn(large)
    assert {t.item_id for t in small if t.gold} == {t.item_id for t in large if t.gold}
    other = draw_pilot(items(), strata(), {"easy": 5, "hard": 5}, 2, seed=1)
    assert drawn(other) != drawn(small)


def test_place_tells_neither_stratum_nor_gold() -> None:
    tasks = draw_pilot(items(), strata(), {"easy": 20, "hard": 20}, 10)
    first_half = tasks[:20]
    assert 5 <= sum(task.stratum == "easy" for task in first_half) <= 15
    assert 5 <= sum(task.gold is not None for task in first_half) <= 15
    for task in tasks:
        assert set(task.data) == {"item_id", "stratum", "question", "options"}


def test_gold_questions_are_those_with_answers() -> None:
    unlabelled = items(answered=False)
    tasks = draw_pilot(unlabelled, strata(), {"easy": 6}, gold_per_stratum=2)
    assert {task.item_id for task in tasks if task.gold} == {"i00", "i02"}
    with pytest.raises(InputError, match="has 2 items with a known answer; 3 gold"):
        draw_pilot(unlabelled, strata(), {"easy": 6}, gold_per_stratum=3)


def test_free_answers_have_no_options() -> None:
    frame = pd.DataFrame(
        {"item_id": ["a"], "question": ["?"], "choices": [[]], "answer_text": ["42"]}
    )
    one = np.array(["all"], dtype=object)
    (task,) = draw_pilot(validate_items(frame, "items"), one, {"all": 1}, 1)
    assert task.gold == "42"
    assert task.data == {"item_id": "a", "stratum": "all", "question": "?"}


@pytest.mark.parametrize(
    ("numbers", "gold", "message"),
    [
        ({}, 0, "the pilot has no tasks"),
        ({"easy": 0}, 0, "the pilot has no tasks"),
        ({"medium": 1}, 0, "stratum 'medium' has no items; there are: easy, hard"),
        ({"easy": 21}, 0, "stratum 'easy' has 20 items; 21 were asked for"),
        ({"easy": 1}, 2, "2 gold questions were asked for, but only 1 items"),
    ],
)
def test_what_cannot_be_drawn(numbers: dict[str, int], gold: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw_pilot(items(), strata(), numbers, gold)
