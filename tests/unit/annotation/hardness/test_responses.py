import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.hardness.measure import judgment_measure
from annotation.hardness.responses import responses_of_judgments
from annotation.items.validate import validate_items

ITEMS = validate_items(
    pd.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "question": "?",
            "choices": [["yes", "no"], [], ["x", "y"]],
            "answer": pd.Series([1, pd.NA, pd.NA], dtype="Int64"),
            "answer_text": [None, "-1,200", None],
        }
    ),
    "here",
    require_answers=False,
)


def table(*rows: tuple[str, str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["item_id", "annotator", "label"])
    return frame.assign(cancelled=frame["label"].isna())


def test_right_and_wrong() -> None:
    found = responses_of_judgments(
        ITEMS,
        table(
            ("a", "ann", "No "),
            ("b", "ann", "-1200.0"),
            ("c", "ann", "x"),
            ("elsewhere", "cy", "no"),
            ("b", "bob", "1200"),
            ("a", "bob", None),
            ("a", "eve", "no"),
            ("a", "eve", "yes"),
        ),
    )
    assert found.respondents == ("ann", "bob", "eve")
    nan = math.nan
    np.testing.assert_array_equal(found.right, [[1, 1, nan], [nan, 0, nan], [0, nan, nan]])


def test_nothing_to_compare() -> None:
    with pytest.raises(InputError, match="no judgment is on an item with a known answer"):
        responses_of_judgments(ITEMS, table(("c", "ann", "x"), ("z", "ann", "no")))


def test_measures_of_judgments() -> None:
    judgments = table(*[("a", f"w{k}", "yes" if k else "no") for k in range(4)])
    entropy = judgment_measure("answer_entropy", ITEMS, judgments)["answer_entropy"]
    assert entropy[0] == pytest.approx(-0.25 * math.log2(0.25) - 0.75 * math.log2(0.75))
    difficulty = judgment_measure("rasch_difficulty", ITEMS, judgments)
    assert list(difficulty) == ["rasch_difficulty", "rasch_difficulty_standard_error"]
    assert difficulty["rasch_difficulty"][0] > 0
    assert np.isnan(difficulty["rasch_difficulty"][1:]).all()
    with pytest.raises(InputError, match="computed from judgments; give their table"):
        judgment_measure("irt_difficulty", ITEMS, None)
    with pytest.raises(InputError, match=r"no judgment is on any of the items.*'a'.*'z'"):
        judgment_measure("answer_entropy", ITEMS, table(("z", "ann", "no")))


def test_an_annotator_who_judged_an_item_twice_counts_once_by_the_later() -> None:
    twice = table(("a", "ann", "yes"), ("a", "ann", "no"), ("a", "bob", "yes"), ("b", "bob", "1"))
    days = pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-01", "2026-01-01"], utc=True)
    judgments = twice.assign(created_at=days)
    disagree = judgment_measure("pairwise_disagreement", ITEMS, judgments)
    assert disagree["pairwise_disagreement"][0] == 0
    both_wrong = judgment_measure("rasch_difficulty", ITEMS, judgments)["rasch_difficulty"]
    once = judgment_measure("rasch_difficulty", ITEMS, judgments.drop(index=1))["rasch_difficulty"]
    np.testing.assert_array_equal(both_wrong, once)
