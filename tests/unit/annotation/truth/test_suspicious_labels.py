from collections.abc import Callable

import pandas as pd

from annotation.truth.coding import NO_GOLD, code_judgments
from annotation.truth.suspicious_labels import suspicious_labels

Make = Callable[..., pd.DataFrame]
ITEMS = [f"i{n}" for n in range(8)]


def test_labels_that_nearly_equal_another_are_told(make: Make) -> None:
    rows = [(item, who, "No") for item in ITEMS for who in "xy"]
    rows[0], rows[1], rows[2] = ("i0", "x", "NO "), ("i0", "y", "  No"), ("i1", "x", "yes")
    coded = code_judgments(make(rows))
    assert coded.shared == ("NO", "No", "yes")  # blanks at the ends count for nothing
    (told,) = suspicious_labels(coded)
    assert told == (
        "labels that differ in case or blanks alone count as different ones: 'NO' (1) and 'No' "
        "(14); give them one spelling if they mean the same."
    )
    assert suspicious_labels(code_judgments(make(rows[1:]))) == ()


def test_letters_joined_to_one_are_told_as_what_they_are(make: Make) -> None:
    rows = [(item, who, "official") for item in ITEMS for who in "xy"]
    rows[0] = ("i0", "x", "o\ufb03cial")
    (told,) = suspicious_labels(code_judgments(make(rows)))
    assert told == (
        "labels that differ in case, blanks or joined letters alone count as different ones: "
        r"'official' (15) and 'o\ufb03cial' (1); give them one spelling if they mean the same."
    )


def test_answers_of_items_own_are_looked_at_too(make: Make) -> None:
    rows = [(item, who, f"answer {item}") for item in ITEMS for who in "xy"]
    rows[0] = ("i0", "x", "Answer  i0")
    coded = code_judgments(make(rows))
    assert coded.kind == "open"
    (told,) = suspicious_labels(coded)
    assert "'answer i0' (1)" in told
    assert "'Answer  i0' (1)" in told


def test_a_gold_answer_that_nobody_gave_adds_no_class(make: Make) -> None:
    rows = [(item, "x", "yes" if item == "i0" else "no") for item in ITEMS]
    gold = ["maybe", "maybe", "no", "perhaps", *[None] * 4]
    table = make(rows, gold=gold)
    coded = code_judgments(table)
    assert coded.shared == ("no", "yes")
    assert coded.gold.tolist() == [NO_GOLD, NO_GOLD, 0, *[NO_GOLD] * 5]
    told = suspicious_labels(coded)
    assert told[0].startswith("gold answer 'maybe' (of 2 items) is a label that nobody gave")
    assert told[1].startswith("gold answer 'perhaps' (of 1 item) ")
    # Where there are to be more classes, the gold answers are the first to fill them.
    three = code_judgments(table, choice_count=3)
    assert three.shared == ("maybe", "no", "yes")
    assert three.unknown_gold == ("perhaps",)
    five = code_judgments(table, choice_count=5)
    assert five.shared == ("maybe", "no", "perhaps", "yes", "(class 1 nobody chose)")
