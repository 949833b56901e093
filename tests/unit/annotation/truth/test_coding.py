from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.rejections import CheckedJudgments
from annotation.truth.coding import NO_GOLD, code_judgments, usable

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def items() -> pd.DataFrame:
    return validate_items(
        pd.DataFrame(
            {
                "item_id": ["a", "b"],
                "question": ["?", "?"],
                "choices": [["red", "blue"], ["one", "two", "three"]],
                "answer": [0, 2],
            }
        ),
        "items",
    )


def test_classes_that_all_items_share_are_codes(make: Make) -> None:
    coded = code_judgments(make([("a", "x", "no"), ("b", "x", "yes"), ("a", "y", "no")]))
    assert coded.kind == "shared"
    assert coded.shared == ("no", "yes")
    assert coded.item_ids[coded.item].tolist() == ["a", "a", "b"]
    assert coded.label.tolist() == [0, 0, 1]
    assert coded.choice_counts.tolist() == [2, 2]


def test_more_classes_than_choices_are_told(make: Make) -> None:
    rows = [(item, "x", item if item < "d" else "a") for item in "abcdef"]
    with pytest.raises(
        InputError, match=r"3 different labels \('a', 'b', 'c'\), but choices should"
    ):
        code_judgments(make(rows), choice_count=2)


def test_classes_that_nobody_chose_can_be_left_out(make: Make) -> None:
    rows = [(item, "x", "yes" if item == "c" else "no") for item in "abcdef"]
    coded = code_judgments(make(rows, gold=["maybe", "yes", None, None, None, None]), None, 4)
    assert coded.shared == ("maybe", "no", "yes", "(class 1 nobody chose)")
    given = coded.on_given_classes()
    assert given.shared == ("no", "yes")
    assert given.label.tolist() == [0, 0, 1, 0, 0, 0]
    assert given.gold.tolist() == [NO_GOLD, 1, *[NO_GOLD] * 4]
    assert given.choice_counts.tolist() == [2] * 6
    assert given.on_given_classes() is given


def test_choices_of_their_own_are_coded_by_position(make: Make, items: pd.DataFrame) -> None:
    table = make([("a", "x", "blue"), ("b", "x", "two")], gold=["red", None])
    coded = code_judgments(table, items)
    assert coded.kind == "own choices"
    assert coded.label.tolist() == [1, 1]
    assert coded.choice_counts.tolist() == [2, 3]
    assert coded.gold.tolist() == [0, NO_GOLD]
    assert coded.text(1, 2) == "three"


def test_open_answers_differ_within_items_and_spread_evenly(make: Make) -> None:
    rows = [(f"i{n}", a, f"answer {n} {a if n % 2 else ''}") for n in range(400) for a in "xy"]
    coded = code_judgments(make(rows))
    assert coded.kind == "open"
    pairs = coded.label.reshape(-1, 2)
    agree = pairs[:, 0] == pairs[:, 1]
    even = np.array([int(i[1:]) % 2 == 0 for i in coded.item_ids])
    np.testing.assert_array_equal(agree, even)
    # Neither code is more frequent than chance allows, though half of the items are unanimous.
    assert abs((pairs[even, 0] == 0).mean() - 0.5) < 0.12
    assert coded.text(0, coded.label[0]) == "answer 0"


def test_the_last_judgment_of_an_annotator_on_an_item_counts(make: Make) -> None:
    stamps = ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"]
    table = make([("a", "x", "later"), ("a", "x", "earlier")], created_at=stamps)
    assert usable(table)["label"].tolist() == ["later"]


def test_cancelled_judgments_are_no_labels(make: Make) -> None:
    table = make([("a", "x", None)], cancelled=[True])
    with pytest.raises(InputError, match="no judgments with a label"):
        code_judgments(table)


def test_strata_run_from_easy_to_hard(make: Make) -> None:
    rows = [(name, "x", "yes") for name in "abcd"]
    coded = code_judgments(make(rows, stratum=["hard", "expert", "easy", None]))
    assert coded.strata == ("easy", "hard", "all items", "expert")
    assert [coded.strata[code] for code in coded.stratum] == ["hard", "expert", "easy", "all items"]


def test_labels_are_held_against_the_items(make: Make, items: pd.DataFrame) -> None:
    rows = [("a", "x", " blue "), ("a", "y", "green"), ("c", "x", "red"), ("b", "x", "one")]
    table = make(rows, source_id=["1", "2", "3", "4"])
    found = check_against_items(CheckedJudgments(table), items, {"a": "easy", "b": ""})
    assert found.judgments["label"].tolist() == ["blue", "one"]
    assert found.judgments["stratum"].tolist() == ["easy", None]
    assert [(each.where, each.column) for each in found.rejected] == [
        ("judgment 2", "label"),
        ("judgment 3", "item_id"),
    ]
    assert "none of the item's choices: red, blue" in found.rejected[0].problem


def test_a_gold_answer_that_is_no_choice_leaves_the_judgment(
    make: Make, items: pd.DataFrame
) -> None:
    table = make([("a", "x", "blue"), ("b", "x", "one")], gold=["green", "three"])
    found = check_against_items(CheckedJudgments(table), items)
    assert found.judgments["label"].tolist() == ["blue", "one"]
    assert found.judgments["gold"].tolist() == [None, "three"]
    assert [(each.column, each.row_stays) for each in found.rejected] == [("gold", True)]


def test_the_items_own_answers_can_be_gold(make: Make, items: pd.DataFrame) -> None:
    table = make([("a", "x", "blue"), ("b", "x", "one")], gold=["blue", None])
    kept = check_against_items(CheckedJudgments(table), items).judgments
    assert kept["gold"].tolist() == ["blue", None]
    told = check_against_items(CheckedJudgments(table), items, answers_are_gold=True).judgments
    assert told["gold"].tolist() == ["red", "three"]


def test_an_item_that_nobody_answered_is_no_gold_question(make: Make, items: pd.DataFrame) -> None:
    unanswered = items.assign(answer=pd.Series([pd.NA, pd.NA, pd.NA][: len(items)], dtype="Int64"))
    told = check_against_items(CheckedJudgments(make([("a", "x", "blue")])), unanswered, None, True)
    assert told.judgments["gold"].tolist() == [None]
