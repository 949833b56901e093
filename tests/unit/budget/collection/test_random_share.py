"""Which judgments error rates are estimated on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from budget.collection.kinds import EXISTING
from budget.collection.orders import BatchRecord
from budget.collection.random_share import drawn_at_random, judgments_for_rates


def record(number: int, decision: dict[str, Any], state: Any = "complete") -> BatchRecord:
    zero, moment = Decimal(0), datetime(2026, 1, 1, tzinfo=UTC)
    return BatchRecord(
        number, state, moment, None, None, None, None, decision, zero, zero, zero, 0, 0
    )


def drew(*items: tuple[str, str, int]) -> dict[str, Any]:
    return {"selection": {"drawn": [list(own) for own in items]}}


LINES = pd.DataFrame(
    [(1, "crowd", "a", 2), (2, "crowd", "b", 1), (2, "crowd", "c", 0)],
    columns=["batch", "supplier", "item_id", "received"],
)


def test_without_choices_every_judgment_counts() -> None:
    assert drawn_at_random([record(1, {})], LINES) is None


def test_what_a_cancelled_batch_had_no_answer_to_was_not_drawn() -> None:
    batches = [
        record(1, drew(("crowd", "a", 2))),
        record(2, drew(("crowd", "b", 2), ("crowd", "c", 2), ("crowd", "d", 2)), "cancelled"),
    ]
    assert drawn_at_random(batches, LINES) == {("crowd", "a"): 2, ("crowd", "b"): 2}


def test_the_first_judgments_of_drawn_items_count_and_gold_and_labels_of_before() -> None:
    rows = [
        # supplier, item, annotator, gold, batch, whether it counts
        ("crowd", "a", "eve", None, 3, False),  # asked once more, since it was in doubt
        ("crowd", "a", "ann", None, 2, True),
        ("crowd", "a", "bob", None, 1, True),
        ("crowd", "b", "ann", None, 1, False),  # chosen for its doubt
        ("expert", "a", "cleo", None, 2, False),  # drawn for the crowd alone
        ("crowd", "t", "ann", "yes", 1, True),
        (EXISTING, "z", "old", None, 1, True),
    ]
    table = pd.DataFrame(
        [row[:5] for row in rows], columns=["supplier", "item_id", "annotator", "gold", "batch"]
    )
    table.index = pd.Index(range(10, 17))
    found = judgments_for_rates(table, {("crowd", "a"): 2})
    assert found["counts"].tolist() == [row[5] for row in rows if row[1] != "b"]
    assert "b" not in set(found["item_id"])  # it tells of items in doubt alone
