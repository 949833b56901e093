"""A collection whose items are chosen by doubt: asked once or twice first, again where unclear."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.arrays import Array, Positions
from budget.collection.predicting import ItemsRead
from tests.unit.budget.collection import small_collection
from tests.unit.budget.collection.by_hand import (
    answer,
    learns_nothing,
    new_collection,
    now_and_then_wrong,
    one_round,
    opened,
    other,
    right,
    suppliers,
    to_the_annotators,
    write_tables,
)
from training.engines import SilentWatcher

WATCHER = SilentWatcher()
CROWD = {"cost": "0.05", "judgments": [5], "channel": "file"}
CAREFUL = {"cost": "0.20", "judgments": [2], "channel": "file", "error_rate": 0.1}


def reads_nothing(*arguments: Any) -> ItemsRead:
    """What a model says that has no idea, of all items alike."""
    lab, labelled, _, others = arguments[:4]
    rows: Positions = np.union1d(labelled, others)
    most = int(lab.task.choice_counts.max())
    chances: Array = np.full((rows.size, most), 1 / most)
    return ItemsRead(rows, rows[:, None].astype(float), chances)


@pytest.fixture(autouse=True)
def _known_model(monkeypatch: pytest.MonkeyPatch) -> None:
    learns_nothing(monkeypatch)
    monkeypatch.setattr("budget.collection.proposing.read_items", reads_nothing)


def begun(folder: Path, money: str = "30", **buying: Any) -> Path:
    """A collection by doubt of a crowd whose labels are of five judgments."""
    write_tables(folder, items=64, tested=24)
    return new_collection(
        folder,
        suppliers(crowd=CROWD, careful=CAREFUL),
        tables=False,
        budget={"total": money},
        buying={"selection": "doubt", "rounds": 3, **buying},
    )


NAMES = ("crowd", "careful")


def seldom_wrong(item: str, who: int) -> str:
    """The first person errs on every tenth item, and nobody else."""
    number = int(item.removeprefix("item-"))
    return other(right(item)) if who == 0 and number % 10 == 0 else right(item)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection that went on until no item was left that it could ask about."""
    with pytest.MonkeyPatch.context() as patch:
        learns_nothing(patch)
        patch.setattr("budget.collection.proposing.read_items", reads_nothing)
        folder = begun(tmp_path_factory.mktemp("ended"), money="60", least=2)
        for _ in range(12):
            with opened(folder) as collection:
                done = collection.step(WATCHER)
                if done.waits_for == "nothing":
                    return folder
                batch = to_the_annotators(collection)
                for name in NAMES:
                    if (folder / "suppliers" / name / "out" / f"batch-{batch}.csv").is_file():
                        answer(folder, name, batch, seldom_wrong)
                collection.step(WATCHER)
    raise AssertionError("it never came to its end")


def test_the_first_batch_asks_three_people_at_most(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with opened(folder) as collection:
        proposal = collection.proposer.proposal(WATCHER)
    asked = {(line.supplier, line.judgments) for line in proposal.lines}
    assert asked == {("crowd", 3), ("careful", 2)}  # gold questions do not show
    training = [line for line in proposal.lines if line.gold is None]
    drawn = proposal.choice.evidence["selection"]["drawn"]
    assert sorted((line.supplier, line.item_id, line.judgments) for line in training) == drawn
    assert Counter(line.stratum for line in training) == {"easy": 12, "hard": 12}


def test_later_batches_ask_again_where_people_disagreed(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    one_round(folder, names=NAMES)
    with opened(folder) as collection:
        before = collection.store.lines()
        proposal = collection.proposer.proposal(WATCHER)
        said = collection.store.judgments()
        assert collection.proposer.proposal(WATCHER) == proposal  # the same judgments, the same
    asked = set(before["item_id"][before["gold"].isna()])
    labels = said.groupby("item_id")["label"].nunique()
    again = {line.item_id for line in proposal.lines if line.item_id in asked}
    selection = proposal.choice.evidence["selection"]
    doubts = {item: doubt for _, item, doubt, _ in selection["again"]}
    assert set(doubts) == again
    assert all(fall > 0 for *_, fall in selection["again"])
    strata = {line.stratum for line in proposal.lines if line.supplier == "crowd"}
    own = before[before["gold"].isna() & before["stratum"].isin(strata)]
    own = own[own["supplier"] == "crowd"]["item_id"]
    divided = {item for item in own if labels[item] == 2}
    assert divided
    assert divided <= again
    agreed = [doubt for item, doubt in doubts.items() if labels[item] == 1]
    assert min(doubts[item] for item in divided) > max(agreed)


def test_no_item_is_asked_more_often_than_a_supplier_offers(ended: Path) -> None:
    with opened(ended) as collection:
        lines, balance = collection.store.lines(), collection.store.balance()
    most = lines.groupby(["supplier", "item_id"])["judgments"].sum().groupby("supplier").max()
    assert most["careful"] == 2
    assert 3 < most["crowd"] <= 5
    own = lines[lines["gold"].isna()]
    assert not own.duplicated(["batch", "item_id"]).any()
    assert balance.promised == 0
    assert balance.left >= 0
    assert own["judgments"].sum() < 64 * 5  # clear ones stop early


def test_when_no_item_is_new_doubtful_ones_are_asked_again(ended: Path) -> None:
    with opened(ended) as collection:
        batches = collection.store.batches()
        last = batches[-1].decision
        left, lines = collection.proposer.batching(batches).left(), collection.store.lines()
    assert last["kind"] == "again"
    assert left == {"easy": 0, "hard": 0}
    of_last = lines[lines["batch"] == len(batches)]
    assert len(of_last) == len(last["selection"]["again"]) >= 2
    assert set(of_last["judgments"]) == {1}


def test_a_random_item_chosen_for_its_doubt_before_is_drawn_all_the_same(ended: Path) -> None:
    with opened(ended) as collection:
        batches = collection.store.batches()
        order = collection.proposer.batching(batches).fixed_order("hard")
    drawn = [item for own in batches for _, item, _ in own.decision["selection"]["drawn"]]
    of_hard = set(drawn) & set(order)
    assert len(drawn) == len(set(drawn))
    assert of_hard == set(order[: len(of_hard)])  # the first ones of the fixed order


def test_what_a_cancelled_batch_drew_is_drawn_again(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with opened(folder) as collection:
        first = collection.proposer.proposal(WATCHER)
        batch = to_the_annotators(collection)
        collection.store.cancel(batch, "ann", "mistaken")
        again = collection.proposer.proposal(WATCHER)
    assert (
        again.choice.evidence["selection"]["drawn"] == first.choice.evidence["selection"]["drawn"]
    )


def test_money_is_never_promised_beyond_the_budget(tmp_path: Path) -> None:
    hourly = {"per_hour": 36, "seconds": 10, "most_seconds": 100, "channel": "file"}
    write_tables(tmp_path, items=40, tested=24)
    folder = new_collection(
        tmp_path,
        suppliers(crowd=CROWD, careful=hourly),
        tables=False,
        budget={"total": "40"},
        buying={"selection": "doubt", "gold": 0, "first": 4},
    )
    for _ in range(3):
        with opened(folder) as collection:
            left = collection.store.balance().left
            proposal = collection.proposer.proposal(WATCHER)
            assert Decimal(proposal.most) / 10**4 <= left
            if not proposal.lines:
                return
            batch = to_the_annotators(collection)
            for name in NAMES:
                if (folder / "suppliers" / name / "out" / f"batch-{batch}.csv").is_file():
                    answer(folder, name, batch, now_and_then_wrong)
            collection.step(WATCHER)
            balance = collection.store.balance()
            assert balance.promised + balance.paid <= Decimal(40)


def test_capacity_counts_judgments_as_labels(ended: Path) -> None:
    with opened(ended) as collection:
        batches = collection.store.batches()
        lines, batching = collection.store.lines(), collection.proposer.batching(batches)
    own = lines[lines["gold"].isna() & (lines["supplier"] == "crowd")]
    judgments = own.groupby("stratum")["judgments"].sum()
    for stratum in ("easy", "hard"):
        assert batching.asked_of("crowd", stratum) == -(-judgments[stratum] // 5)


def test_quality_is_watched_on_what_nobody_chose(ended: Path) -> None:
    with opened(ended) as collection:
        so_far = collection.proposer.judgments_so_far()
        batches = collection.store.batches()
    watched = so_far.not_chosen
    drawn = {
        (supplier, item): count
        for own in batches
        for supplier, item, count in own.decision["selection"]["drawn"]
    }
    chosen = watched[watched["gold"].isna()]
    numbers = chosen.groupby(["supplier", "item_id"]).size()
    assert all(numbers[pair] == count for pair, count in drawn.items())
    assert len(numbers) == len(drawn)
    assert 0 < len(watched) < len(so_far.table)


def test_the_option_is_kept_for_the_whole_collection(tmp_path: Path) -> None:
    folder = small_collection.begun(tmp_path, "--selection", "doubt", judgments=5)
    with opened(folder) as collection:
        assert collection.config.buying.selection == "doubt"
        proposal = collection.proposer.proposal(WATCHER)
    assert {line.judgments for line in proposal.lines if line.supplier == "crowd"} == {3}
