import math

import pandas as pd
import pytest

from annotation.hardness.disagreement import answer_entropy, pairwise_disagreement

ITEM_IDS = pd.Series(["a", "b", "c", "d", "e"])
LABELS = {"a": "xxxx", "b": "xxyy", "c": "xyz", "d": "x", "other": "xy"}


def judgments() -> pd.DataFrame:
    rows = [
        {"item_id": item_id, "annotator": f"w{k}", "label": label, "cancelled": False}
        for item_id, labels in LABELS.items()
        for k, label in enumerate(labels)
    ]
    rows.append({"item_id": "d", "annotator": "w9", "label": None, "cancelled": True})
    return pd.DataFrame(rows)


def test_entropy_in_bits() -> None:
    found = answer_entropy(ITEM_IDS, judgments())
    expected = [0, 1, math.log2(3), math.nan, math.nan]
    assert found.tolist() == pytest.approx(expected, nan_ok=True)
    assert math.copysign(1, found[0]) == 1


def test_pairs_that_differ() -> None:
    # Of the six pairs of "xxyy" four differ.
    expected = [0, 4 / 6, 1, math.nan, math.nan]
    found = pairwise_disagreement(ITEM_IDS, judgments())
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_nobody_has_judged() -> None:
    nothing = judgments().iloc[:0]
    assert pd.isna(answer_entropy(ITEM_IDS, nothing)).all()
    assert pd.isna(pairwise_disagreement(ITEM_IDS, nothing)).all()
