import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.hardness.selection import first_judgments, other_judgments
from annotation.items.told_by import told_by
from annotation.judgments.table import validate_judgments


def judged(by: str = "abcx", items: int = 12, **columns: object) -> pd.DataFrame:
    """Everybody says "no" but x, who says "yes" of every third item; in the order of names."""
    rows = [
        {
            "item_id": f"i{n}",
            "annotator": name,
            "label": "yes" if name == "x" and n % 3 == 0 else "no",
            "created_at": f"2024-01-01T00:{k:02d}:{n:02d}Z",
        }
        for k, name in enumerate(by)
        for n in range(items)
    ]
    return validate_judgments(pd.DataFrame(rows).assign(**columns), "made")


def ids(items: int = 12) -> pd.Series:
    return pd.Series([f"i{n}" for n in range(items)], dtype=object)


def test_the_first_of_every_item_tell_and_the_others_measure() -> None:
    found = first_judgments(ids(), judged("axbc"), 2)
    disputed = [float(n % 3 == 0) for n in range(12)]
    assert found.of_items["pairwise_disagreement"].tolist() == disputed
    assert found.of_items["answer_entropy"].tolist() == disputed
    assert set(found.evidence.judgments["annotator"]) == {"b", "c"}
    assert (found.evidence.set_apart, len(found.evidence.judgments)) == (24, 24)
    calm = first_judgments(ids(), judged("abcx"), 2)  # x comes last, and decides nothing
    assert calm.of_items["pairwise_disagreement"].tolist() == [0.0] * 12


def test_nothing_that_a_selecting_person_said_of_the_item_is_evidence() -> None:
    again = judged("a").assign(created_at=pd.Timestamp("2025-01-01", tz="UTC"), source_id="again")
    skipped = judged("d").assign(label=None, cancelled=True)
    table = pd.concat([judged("abcx"), again, skipped], ignore_index=True)
    left = other_judgments(table, told_by(judged("ab")))
    assert set(left.judgments["annotator"]) == {"c", "x", "d"}  # who skipped it stays, for the time
    assert left.set_apart == 36


def test_too_little_evidence_is_refused() -> None:
    found = first_judgments(ids(), judged("abc"), 2).evidence
    with pytest.raises(InputError, match=r"^24 judgments told.*12 others.* 0 items.*Ask again\.$"):
        found.check_enough("Ask again.")
    first_judgments(ids(), judged("abcx"), 2).evidence.check_enough("")
    four = first_judgments(ids(4), judged("abcx", items=4), 2).evidence
    with pytest.raises(InputError, match="two of one item on 4 items"):
        four.check_enough("")
    first_judgments(ids(), judged("abc", gold="no"), 2).evidence.check_enough("")  # known answers
    nothing = first_judgments(ids(), judged("ab", gold="no"), 2).evidence
    with pytest.raises(InputError, match="0 others are left"):
        nothing.check_enough("")


def test_one_judgment_cannot_disagree() -> None:
    with pytest.raises(InputError, match="takes two judgments of an item; got 1"):
        first_judgments(ids(), judged(), 1)
