"""The next batch: worked out anew, and nothing of it kept."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.collection.choosing import BatchChoice
from budget.collection.proposal import against_commonest, batch_lines
from tests.unit.budget.collection.by_hand import (
    CROWD,
    EXPERT,
    learns_nothing,
    new_collection,
    one_round,
    opened,
    suppliers,
)
from training.engines import SilentWatcher

WATCHER = SilentWatcher()


@pytest.fixture(autouse=True)
def _known_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    learns_nothing(monkeypatch)


def test_working_it_out_keeps_nothing_and_gives_the_same(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    one_round(folder)
    with opened(folder) as collection:
        first = collection.proposer.proposal(WATCHER)
        assert len(collection.store.batches()) == 1
    with opened(folder) as collection:
        second = collection.proposer.proposal(WATCHER)
    assert first.lines == second.lines
    assert first.number == second.number == 2
    assert first.choice.evidence["measured"] == second.choice.evidence["measured"]


@pytest.mark.parametrize("budget", ["9", "13.37", "40"])
@pytest.mark.parametrize("extra", [0, 0.05, 0.5])
def test_a_batch_never_costs_more_than_is_left(budget: str, extra: float, tmp_path: Path) -> None:
    folder = new_collection(
        tmp_path, budget={"total": budget}, buying={"extra": extra, "first": 4, "gold": 1}
    )
    for _ in range(2):
        with opened(folder) as collection:
            proposal = collection.proposer.proposal(WATCHER)
            left = collection.store.balance().left
            assert collection.store.unit.amount(proposal.most) <= left
            if not proposal.lines:
                return
        one_round(folder)


def test_a_batch_is_told_by_supplier_and_stratum(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        proposal = collection.proposer.proposal(WATCHER)
        told = batch_lines(proposal, collection.store.unit)
    mixed = "of each, 2 gold questions among them"
    assert told[1:] == [
        f"  crowd: 8 easy items, 2 judgments {mixed}; 0.80 EUR at most",
        f"  expert: 8 easy items, one judgment {mixed}; 3.20 EUR at most",
        f"  crowd: 8 hard items, 2 judgments {mixed}; 0.80 EUR at most",
        f"  expert: 8 hard items, one judgment {mixed}; 3.20 EUR at most",
        "  judgments above those ordered, if some come: 0.50 EUR at most",
        "batch 1 costs 8.50 EUR at most",
    ]


def test_hours_that_cost_much_at_most_are_ordered_as_far_as_they_are_sure(tmp_path: Path) -> None:
    hourly = {"per_hour": 36, "seconds": 10, "most_seconds": 100, "channel": "file"}
    folder = new_collection(tmp_path, suppliers(crowd=CROWD, expert=hourly), budget={"total": "30"})
    with opened(folder) as collection:
        proposal = collection.proposer.proposal(WATCHER)
        assert 0 < proposal.most <= collection.store.unit.units(Decimal(30), "")


def test_money_that_pays_for_no_batch_is_told_before_the_beginning(tmp_path: Path) -> None:
    hourly = {"per_hour": 36, "seconds": 1, "most_seconds": 1000, "channel": "file"}
    file = suppliers(crowd={**CROWD, "cost": "0.01"}, expert=hourly)
    with pytest.raises(InputError, match=r"EUR pays for no first batch; raise it"):
        new_collection(tmp_path, file, budget={"total": "12"})
    assert EXPERT["channel"] == "file"


def test_a_least_that_the_budget_does_not_reach_is_told_before_the_beginning(
    tmp_path: Path,
) -> None:
    hourly = {"per_hour": 36, "seconds": 1, "most_seconds": 100, "channel": "file", "least": 30}
    file = suppliers(crowd={**CROWD, "cost": "0.01"}, expert=hourly)
    told = r"pays for \d+ (easy|hard) labels from 'expert', who takes no fewer than 30; raise it"
    with pytest.raises(InputError, match=told):
        new_collection(tmp_path, file, budget={"total": "40"}, buying={"gold": 0})


def test_a_supplier_gets_what_it_takes_at_least_or_nothing(tmp_path: Path) -> None:
    file = suppliers(crowd=CROWD, expert={**EXPERT, "least": 15})
    folder = new_collection(tmp_path, file, budget={"total": "40"})
    for _ in range(3):
        with opened(folder) as collection:
            proposal = collection.proposer.proposal(WATCHER)
        counts = Counter(
            line.stratum
            for line in proposal.lines
            if line.supplier == "expert" and line.gold is None
        )
        assert all(count >= 15 for count in counts.values())
        if not proposal.lines:
            return
        one_round(folder)


def planned(expected: float) -> BatchChoice:
    return BatchChoice((), "why", {"plan": {"expected_accuracy": {"estimate": expected}}})


def test_that_nothing_beats_the_commonest_class_is_a_plain_sentence() -> None:
    assert against_commonest(0.8, 0.75, planned(0.9)) == []
    assert against_commonest(None, 0.75, planned(0.9)) == []
    assert against_commonest(0.7, None, planned(0.9)) == []
    told = (
        "Always answering the commonest class of the test items is right in 75.0 %; all labels so "
        "far reach 70.0 %"
    )
    assert against_commonest(0.7, 0.75, planned(0.8)) == [f"{told}."]
    assert against_commonest(0.7, 0.75, planned(0.72)) == [
        f"{told}, and no purchase is expected to beat it: look at the model or the question."
    ]
