"""Where a collection stands; looking changes nothing."""

from decimal import Decimal
from pathlib import Path

import pytest

from budget.collection.status import CollectionStatus, collection_status
from tests.unit.budget.collection.by_hand import (
    answer,
    learns_nothing,
    new_collection,
    one_round,
    opened,
    to_the_annotators,
)
from training.engines import SilentWatcher


@pytest.fixture(autouse=True)
def _known_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    learns_nothing(monkeypatch)


def status(folder: Path) -> CollectionStatus:
    with opened(folder) as collection:
        return collection_status(collection)


def test_before_anything_was_planned(tmp_path: Path) -> None:
    found = status(new_collection(tmp_path, deadline="2030-01-31"))
    assert (found.name, found.state, found.next_step) == ("little", "running", "plan")
    assert found.budget == found.left_to_spend == 30
    assert found.promised == found.paid == 0
    assert found.deadline == "2030-01-31"
    assert found.left == {"easy": 60, "hard": 60}
    assert (found.labels, found.batches, found.accuracy) == ({}, [], None)
    assert not any(own.is_measured for own in found.suppliers)


def test_after_rounds(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    one_round(folder)
    first = status(folder)
    assert first.left == {"easy": 48, "hard": 48}
    assert first.labels == {"easy": 12, "hard": 12}
    assert first.paid == Decimal("8.00")
    assert set(first.clean) == {"easy", "hard"}
    for wrong in first.wrong.values():
        assert wrong.low is not None and wrong.high is not None
        assert 0 <= wrong.low < wrong.high <= 1
    one_round(folder)
    second = status(folder)
    assert second.accuracy == 0.7
    assert sum(second.left.values()) + sum(second.labels.values()) == 120
    assert second.paid + second.left_to_spend == 30
    assert sum(own.paid for own in second.money) == second.paid
    assert status(folder) == second


def test_gold_questions_and_cancelled_items_are_still_to_be_asked_about(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
    assert status(folder).left == {"easy": 48, "hard": 48}
    with opened(folder) as collection:
        collection.store.cancel(1, "ann", "wrong question")
    found = status(folder)
    assert found.left == {"easy": 60, "hard": 60}
    assert found.batches[0].why == "wrong question"


def test_what_is_not_paid_is_told_with_its_reason(tmp_path: Path) -> None:
    folder = new_collection(tmp_path, buying={"extra": 0})
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1, people=3)
        collection.step(SilentWatcher())
    assert status(folder).unpaid == {
        "more judgments than were ordered, and than the allowance above": 16
    }


def test_nothing_is_booked_or_written_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_collection(tmp_path, buying={"extra": 0})
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        answers = answer(folder, "crowd", batch, people=3)
        table = answers.assign(source_id=answers["item_id"] + answers["annotator"])
        collection.store.receive("crowd", table, whole=False)  # and nobody has booked them
    there = sorted(path for path in folder.rglob("*") if path.is_file())

    def refused(*_: object) -> None:
        raise AssertionError("looking wants to write")

    with monkeypatch.context() as patch:
        patch.setattr("budget.collection.store.database.Database.writing", refused)
        found = status(folder)
    assert found.paid == 0
    assert found.unpaid == {"more judgments than were ordered, and than the allowance above": 16}
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == there
    with opened(folder) as collection:
        unpaid = collection.store.unpaid()
        assert set(collection.store.ledger()["kind"]) == {"planned", "committed"}
        booked = collection.store.book()
        assert booked.unpaid.equals(unpaid)
        assert booked.spent == 32 * Decimal("0.05")
