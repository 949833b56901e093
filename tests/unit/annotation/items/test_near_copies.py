from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from annotation.items.near_copies import group_items, plain_text
from annotation.items.validate import validate_items


def items(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    given = [{"item_id": f"i{n}", "answer": 0} | row for n, row in enumerate(rows)]
    return validate_items(pd.DataFrame(given), "made")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  What, is\tTHIS?! ", "what is this"),
        ("\uff46\uff55\uff4c\uff4c\u3000width", "full width"),
        ("cafe\u0301", "caf\u00e9"),
        ("zero\u200bwidth", "zero\u200bwidth".replace("\u200b", "")),
        ("2.5 + 1 < 4", "2 5 + 1 < 4"),
        ("?!", "?!"),
    ],
)
def test_plain_text(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_copies_ask_the_same_and_share_a_choice() -> None:
    found = group_items(
        items(
            [
                {"question": "Which is a metal?", "choices": ["iron", "wood"]},
                {"question": "which is a METAL", "choices": ["Wood.", "paper"]},
                {"question": "Which is a metal?", "choices": ["tin", "salt"]},
                {"question": "Which is a plant?", "choices": ["iron", "wood"]},
            ]
        )
    )
    assert found.names.tolist() == ["i0", "i0", "i2", "i3"]
    assert found.copies.tolist() == [True, True, False, False]
    assert not found.given.any()
    assert found.any
    assert found.sizes.tolist() == [2, 1, 1]


def test_copies_join_given_groups() -> None:
    rows = [
        {"question": "one", "choices": ["a", "b"], "group": "p"},
        {"question": "two", "choices": ["a", "b"], "group": "q"},
        {"question": "ONE!", "choices": ["b", "c"], "group": "q"},
        {"question": "three", "choices": ["a", "b"]},
    ]
    found = group_items(items(rows))
    assert found.names.tolist() == ["p", "p", "p", "i3"]
    assert found.given.tolist() == [False, True, True, False]
    assert found.codes.tolist() == [0, 0, 0, 1]


def test_free_form_copies_and_items_of_their_own() -> None:
    rows: list[dict[str, Any]] = [
        {"question": q, "choices": [], "answer": None, "answer_text": "x"}
        for q in ("How many?", "how many", "How much?")
    ]
    assert group_items(items(rows)).names.tolist() == ["i0", "i0", "i2"]
    alone = group_items(items(rows[1:]))
    assert not alone.any
    assert not alone.copies.any()
