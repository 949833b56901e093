import math

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.strata.bands import Strata


def items(steps: list[float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(len(steps))],
            "question": "?",
            "choices": [["x", "y"]] * len(steps),
            "answer": 0,
            "steps": steps,
            "words": 1.0,
        }
    )
    return validate_items(frame, "here")


def test_bounds_belong_to_the_outer_strata() -> None:
    strata = Strata.easy_medium_hard("steps", 2, 5)
    names = strata.assign(items([2, 2.001, 4.999, 5, -9, 99, None]))
    assert names.dtype == object
    assert names.tolist() == ["easy", "medium", "medium", "hard", "easy", "hard", ""]
    assert np.flatnonzero(names == "hard").tolist() == [3, 5]


def test_rules_are_readable() -> None:
    strata = Strata.easy_medium_hard("steps", 2.0, 5.25)
    assert strata.names == ("easy", "medium", "hard")
    rules = [strata.rule(name) for name in strata.names]
    assert rules == ["steps <= 2", "2 < steps < 5.25", "steps >= 5.25"]
    assert (
        Strata.easy_medium_hard("p", -1e-9, 0.1234567890123).rule("medium")
        == "-1e-09 < p < 0.1234567890123"
    )


@pytest.mark.parametrize(("low", "high"), [(5, 2), (3, 3)])
def test_overlapping_strata_are_refused(low: float, high: float) -> None:
    message = rf"easy_at_most \({low}\) should be below hard_at_least \({high}\)"
    with pytest.raises(InputError, match=message):
        Strata.easy_medium_hard("steps", low, high)


@pytest.mark.parametrize("bound", [math.nan, math.inf])
def test_bounds_have_to_be_numbers(bound: float) -> None:
    with pytest.raises(InputError, match=f"'steps': hard_at_least is {bound}"):
        Strata.easy_medium_hard("steps", 1, bound)


@pytest.mark.parametrize("measure", ["grade", "question"])
def test_an_absent_measure_names_those_there_are(measure: str) -> None:
    with pytest.raises(
        InputError, match=f"'{measure}' is not in the items; they have: steps, words"
    ):
        Strata.easy_medium_hard(measure, 1, 2).assign(items([1, 2]))


def test_no_measure_at_all() -> None:
    bare = items([1, 2]).drop(columns=["steps", "words"])
    with pytest.raises(InputError, match="they have: none"):
        Strata.easy_medium_hard("steps", 1, 2).assign(bare)


def test_an_unknown_stratum() -> None:
    with pytest.raises(
        InputError, match="stratum 'tough' does not exist; choose one of easy, medium"
    ):
        Strata.easy_medium_hard("steps", 1, 2).rule("tough")
