"""Names of items that look the same on a screen."""

import pandas as pd
import pytest

from annotation.items.validate import validate_items
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.table import check_judgments

COMPOSED, APART = "caf\u00e9", "cafe\u0301"


def judged(*item_ids: str) -> CheckedJudgments:
    table = {"item_id": item_ids, "annotator": [f"p{n}" for n in range(len(item_ids))]}
    return check_judgments(pd.DataFrame({**table, "label": "yes"}), "j")


def items(*item_ids: str) -> pd.DataFrame:
    rows = {"item_id": item_ids, "question": "?", "answer": 0}
    choices = [["yes", "no"] for _ in item_ids]
    return validate_items(pd.DataFrame({**rows, "choices": choices}), where="i")


@pytest.mark.parametrize(
    ("written", "item"),
    [
        (APART, COMPOSED),
        ("q1\u200b", "q1"),
        ("q1 ", "q1"),
        ("\uff51\uff11", "q1"),
        ("q1", "q1\u00a0"),
    ],
)
def test_a_name_that_looks_like_one_item_is_that_item(written: str, item: str) -> None:
    strata = {item: "hard", "other": "easy"}
    found = check_against_items(judged(written, item, "other"), items(item, "other"), strata)
    assert found.judgments["item_id"].tolist() == [item, item, "other"]
    assert found.judgments["stratum"].tolist() == ["hard", "hard", "easy"]
    assert not found.rejected
    note = found.notes[-1]
    assert note.problem.startswith("1 judgment names an item by what only looks like its name")
    assert f"{written!a} for {item!a}" in note.problem


def test_a_name_that_looks_like_two_items_is_left_out() -> None:
    found = check_against_items(judged("q1\u200b", "q1"), items("q1", "q1\u00a0"))
    assert found.judgments["item_id"].tolist() == ["q1"]
    (rejected,) = found.rejected
    assert rejected.problem == (
        r"is 'q1\u200b', none of the items, and looks like 2 of them: 'q1', 'q1\xa0'."
    )


def test_a_name_of_no_item_is_left_out() -> None:
    found = check_against_items(judged("q2", "q1"), items("q1"))
    assert [str(each.problem) for each in found.rejected] == ["is 'q2', none of the items."]


def test_items_of_one_table_that_look_alike_are_told() -> None:
    found = judged("a", COMPOSED, "b", APART, "b ")
    assert found.judgments["item_id"].nunique() == 5
    (note,) = found.notes
    assert (note.row, note.column) in {(2, "item_id"), (4, "item_id")}
    assert "count as two items; so do 1 more; give them one spelling" in note.problem


def test_other_names_are_not_remarked() -> None:
    assert not judged("a", "A", COMPOSED, "x\u00b2", "x2").notes


def test_a_number_is_not_joined_with_another_spelling_of_it() -> None:
    found = check_against_items(judged("7", "8", "008"), items("007", "008"))
    assert found.judgments["item_id"].tolist() == ["008"]
    assert [each.row for each in found.rejected] == [1, 2]
    assert str(found.rejected[0].problem) == (
        "is '7', none of the items; '007' is the same number written in another way; if they are "
        "one, in the file that changed it store the column as text (in a spreadsheet: import it as "
        "'Text') and export it again."
    )


@pytest.mark.parametrize("column", ["item_id", "annotator"])
def test_identifiers_that_were_numbers_are_told(column: str) -> None:
    table = {"item_id": ["a", "b"], "annotator": ["x", "y"], "label": "yes"}
    rounded = ["570306133677760000", "570306133677770000"]
    (note,) = check_judgments(pd.DataFrame({**table, column: rounded}), "j").notes
    assert (note.row, note.column, note.value) == (1, column, "'570306133677760000'")
    assert note.problem.startswith("'570306133677760000' may have lost its last digits")
    (note,) = check_judgments(pd.DataFrame({**table, column: ["007", "7"]}), "j").notes
    assert note.problem.startswith("'007' counts by itself, but '7' is the same number")
