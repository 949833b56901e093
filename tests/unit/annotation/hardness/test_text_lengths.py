import math

import pandas as pd
import pytest

from annotation.hardness.measure import text_measures
from annotation.hardness.text_lengths import (
    answer_characters,
    answer_words,
    question_words,
    reasoning_words,
)
from annotation.items.table import gold_texts
from annotation.items.validate import validate_items

ITEMS = validate_items(
    pd.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "question": ["How  many\nare there?", "?", "And now?"],
            "choices": [["one", "two of them"], [], ["x", "y"]],
            "answer": pd.Series([1, pd.NA, pd.NA], dtype="Int64"),
            "answer_text": [None, "1,200", None],
            "reasoning": ["First this, then that.", None, None],
        }
    ),
    "here",
    require_answers=False,
)


def test_counts() -> None:
    assert gold_texts(ITEMS) == ["two of them", "1,200", None]
    assert question_words(ITEMS).tolist() == [4, 1, 2]
    assert answer_words(ITEMS).tolist() == pytest.approx([3, 1, math.nan], nan_ok=True)
    assert answer_characters(ITEMS).tolist() == pytest.approx([11, 5, math.nan], nan_ok=True)
    assert reasoning_words(ITEMS).tolist() == pytest.approx([4, math.nan, math.nan], nan_ok=True)


def test_what_no_item_has_is_left_out() -> None:
    assert list(text_measures(ITEMS)) == [
        "question_words", "answer_words", "answer_characters", "reasoning_words",
    ]  # fmt: skip
    assert list(text_measures(ITEMS.iloc[[2]])) == ["question_words"]
