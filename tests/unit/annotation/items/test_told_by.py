import copy

import pandas as pd
import pytest

from annotation.items.told_by import mark, mark_columns, read_marks, remember, told_by, who_told

JUDGMENTS = pd.DataFrame(
    {"item_id": ["i1", "i1", "i2", "i1"], "annotator": ["ann", "bob", "ann", "ann"]}
)
ITEMS = pd.DataFrame({"item_id": ["i1", "i2", "i3"], "disagreement": [1.0, 0.0, None]})


def test_judgments_are_known_again_by_item_and_annotator() -> None:
    told = told_by(JUDGMENTS)
    asked = [("i1", "ann"), ("i1", " Ann"), ("i1", "cy"), ("i2", "ann"), ("i2", "bob"), ("i9", "a")]
    item_ids, annotators = zip(*asked, strict=True)
    assert told.tells(item_ids, annotators) == [True, True, False, True, False, False]
    assert told.marks["i1"] == f"{mark('i1', 'ann')} {mark('i1', 'bob')}"  # who judged twice, once


def test_marks_go_with_the_table_and_into_columns() -> None:
    told = told_by(JUDGMENTS)
    known = remember(ITEMS, ["disagreement"], told)
    assert who_told(ITEMS, "disagreement") is None  # the one that was given is as it was
    for table in (known, known.assign(other=1.0), copy.deepcopy(known)):
        assert who_told(table, "disagreement") is told
        assert who_told(table, "other") is None
    columns = mark_columns(known)
    assert columns == {"disagreement_judgments": [told.marks["i1"], told.marks["i2"], None]}
    assert mark_columns(known[["item_id"]]) == {}
    again = read_marks(["i1", "i2", "i3"], columns["disagreement_judgments"])
    assert again is not None and again.marks == told.marks


@pytest.mark.parametrize(
    "values", [["", None], ["5", "3"], [4.0, None], ["by ann", mark("i", "a")]]
)
def test_a_column_of_something_else_is_left_alone(values: list[object]) -> None:
    assert read_marks(["i1", "i2"], values) is None


def test_no_name_and_no_number_can_be_read_from_a_mark() -> None:
    marks = [mark(f"i{n}", "ann@example.org") for n in range(2000)]
    assert len(set(marks)) == 2000
    for own in marks:
        with pytest.raises(ValueError, match="could not convert"):
            float(own)
