import itertools

import pandas as pd
import pytest

from annotation.judgments.look_alikes import look
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.table import check_judgments


def judged(*rows: tuple[str, str, str], **columns: list[object]) -> CheckedJudgments:
    table = pd.DataFrame(rows, columns=["item_id", "annotator", "label"], dtype=object)
    return check_judgments(table.assign(**columns), "t")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("no", "no\u200b"),
        ("no", "\u200dno\ufeff "),
        ("ABC 1", "\uff21\uff22\uff23\u3000\uff11"),
        ("a b", "a\u00a0b"),
        ("\u2764", "\u2764\ufe0f"),
    ],
)
def test_same_look(one: str, other: str) -> None:
    assert look(one) == look(other)
    found = judged(("a", "x", one), ("a", "y", one), ("b", "x", other), gold=[other, None, one])
    assert found.judgments["label"].tolist() == [one] * 3
    assert found.judgments["gold"].tolist() == [one] * 3
    assert not found.rejected
    assert "labels that look alike" in str(found.notes[0])
    assert ascii(other)[1:-1] in str(found.notes[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [("x\u00b2", "x2"), ("\u00bd", "1/2"), ("No", "no"), ("\u0430", "a"), ("a\u200db", "ab")],
)
def test_other_look_is_another_label(one: str, other: str) -> None:
    found = judged(("a", "x", one), ("b", "x", other))
    assert found.judgments["label"].tolist() == [one, other]
    assert not found.notes


def test_the_commonest_spelling_stays_whatever_the_order() -> None:
    rows = [("a", "x", "no "), ("b", "x", "no "), ("c", "x", "no"), ("d", "x", "yes")]
    for order in itertools.permutations(rows):
        assert set(judged(*order).judgments["label"]) == {"no ", "yes"}
    assert set(judged(*rows[1:3]).judgments["label"]) == {"no"}  # as common: the shortest


def test_a_note_counts_rows() -> None:
    found = judged(*[(str(item), "x", "yes") for item in range(5)], ("5", "x", "yes\u200b"))
    (note,) = map(str, found.notes)
    assert note.startswith("t: row 6, column 'label': ")
    assert r"1 row is spelled anew, such as 'yes\u200b' as 'yes'" in note


def test_a_label_in_which_nothing_is_seen_is_none() -> None:
    (rejected,) = judged(("a", "x", "\u200b"), ("b", "x", "no")).rejected
    assert rejected.problem.startswith("is empty")


def test_one_person_in_two_spellings() -> None:
    found = judged(("a", "Ann@X.org", "no"), ("b", "ann@x.org ", "no"), ("c", "Ann@X.org", "no"))
    assert set(found.judgments["annotator"]) == {"Ann@X.org"}
    assert "annotators whose names differ in case or blanks alone are one" in str(found.notes[0])


def test_who_answered_one_item_twice_under_two_cases_is_two_people() -> None:
    found = judged(("a", "aB", "no"), ("a", "Ab", "yes"), ("b", "aB", "no"))
    assert set(found.judgments["annotator"]) == {"aB", "Ab"}
    assert "both answered item 'a': they count as two people" in str(found.notes[0])
    versions = judged(("a", "aB", "no"), ("a", "Ab", "yes"), ("b", "aB", "no"), source_id=[1, 1, 2])
    assert versions.judgments["annotator"].tolist() == ["aB", "aB"]
