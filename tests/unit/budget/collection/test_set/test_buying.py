"""The right answers of test items: asked first, asked again where in doubt, settled for good."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError, MachineError
from budget.collection.beginning import store_url
from budget.collection.exporting import export
from budget.collection.kinds import EXISTING, TEST_SET, TEST_SET_AGAIN, kind_of
from budget.collection.order_sheet import order_page, order_sheet
from budget.collection.paying import collection_pay
from budget.collection.status import collection_status
from budget.collection.store.store import CollectionStore
from budget.collection.test_set.facts import ANSWERS, ITEMS
from tests.unit.annotation.label_studio.conftest import FakeServer
from tests.unit.budget.collection.by_hand import (
    LABELS,
    answer,
    learns_nothing,
    new_collection,
    one_round,
    opened,
    other,
    right,
    suppliers,
    to_the_annotators,
    write_tables,
)
from training.engines import SilentWatcher

BUYING: dict[str, Any] = {"path": None, "right_answers": "buy", "items": 40, "supplier": "crowd"}


def begun(folder: Path, **test: Any) -> Path:
    return new_collection(
        folder, test={**BUYING, **test}, budget={"total": "60", "currency": "EUR"}
    )


def in_doubt(items: set[str]) -> Callable[[str, int], str]:
    """Everybody is right, but for these items: there every second person says the other."""
    return lambda item, who: other(right(item)) if item in items and who % 2 else right(item)


def drawn(folder: Path) -> list[str]:
    with CollectionStore.open(store_url(folder)) as store:
        return list(json.loads(store.about(ITEMS) or "[]"))


def settled(folder: Path) -> dict[str, Any]:
    with CollectionStore.open(store_url(folder)) as store:
        return dict(json.loads(store.about(ANSWERS) or "{}"))


def step(folder: Path) -> Any:
    with opened(folder) as collection:
        return collection.step(SilentWatcher())


def test_test_items_are_drawn_from_the_pool_and_asked_about_first(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    own = drawn(folder)
    assert len(own) == len(set(own)) == 40
    with opened(folder) as collection:
        task = collection.contents.task
        sold = {
            name
            for pool in task.pools.values()
            for name in task.items["item_id"].iloc[pool].tolist()
        }
        assert len(sold) == 80
        assert not sold & set(own)
        assert collection.contents.awaits_answers
        proposal = collection.proposal(SilentWatcher())
        assert proposal is not None
        assert {line.item_id for line in proposal.lines} == set(own)
        assert {(line.supplier, line.stratum, line.judgments) for line in proposal.lines} == {
            ("crowd", TEST_SET, 3)
        }
        told = "\n".join(proposal.choice.notes)
        assert "40 (30 hard): within 14.3 points, 6.30 EUR" in told
        assert " 50 (40 hard)" in told
        assert " 100 (80 hard)" not in told  # there are 60


def test_answers_are_settled_paid_and_told_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns_nothing(monkeypatch)
    folder = begun(tmp_path)
    assert one_round(folder, right_of, names=("crowd",)) == 1
    done = step(folder)
    assert done.lines == ("the test set is settled: 40 items have an answer",)
    assert done.waits_for is None
    found = settled(folder)
    assert {name: own["answer"] for name, own in found["answers"].items()} == {
        name: right(name) for name in drawn(folder)
    }
    assert all(own["posterior"] > 0.9 for own in found["answers"].values())
    with opened(folder) as collection:
        status = collection_status(collection)
        assert status.test_answers is not None
        assert (status.test_answers.answered, status.test_answers.left_out) == (40, 0)
        assert 0 < (status.test_answers.wrong or 0) < 0.05
        assert [own.purpose for own in status.batches] == ["test set"]
        assert status.paid == Decimal("6.00")
        ledger = collection.store.ledger()
        assert set(ledger["stratum"][ledger["kind"] == "spent"]) == {TEST_SET}
        pay = collection_pay(collection.store)
        assert sum(row.test_items for row in pay.rows) == 120
        sheet = order_sheet(
            collection.store,
            "little",
            1,
            dict(collection.suppliers),
            "crowd",
            None,
            collection.contents.task.items,
        )
        assert [row.stratum for row in sheet.rows] == [TEST_SET]
        assert TEST_SET in order_page(sheet)
        # Nothing of it is trained on, and nobody was measured by his own answers.
        so_far = collection.proposer.judgments_so_far()
        measured = collection.proposer.measured(so_far)
        assert not any(map(len, so_far.labels(measured, None).labels.values()))
        assert measured["crowd", "hard"].gold_answers == 0


def right_of(item: str, who: int) -> str:
    return right(item)


def test_the_batches_that_follow_are_as_if_answers_had_been_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learns_nothing(monkeypatch)
    folder = begun(tmp_path)
    one_round(folder, right_of, names=("crowd",))
    with opened(folder) as collection:
        collection.step(SilentWatcher())
        # Who gave the answers is asked no gold questions, all others are.
        proposal = collection.proposal(SilentWatcher())
        assert proposal is not None
        gold = {line.supplier for line in proposal.lines if line.gold is not None}
        assert gold == {"expert"}
        assert proposal.choice.evidence["kind"] == "first"
    assert one_round(folder) == 2
    with opened(folder) as collection:
        after = collection.proposal(SilentWatcher())
        assert after is not None
        assert after.choice.evidence["kind"] == "learn"
        assert any("answers were bought" in note for note in after.choice.notes)
        paths = export(collection, tmp_path / "out")
    import pandas as pd

    assert set(pd.read_parquet(paths["training set"])["item_id"]).isdisjoint(drawn(folder))
    tested = pd.read_parquet(paths["test set"])
    assert tested["answer"].tolist() == [right(name) for name in tested["item_id"]]
    assert len(tested) == 40


def test_answers_in_doubt_are_asked_again_once_and_then_left_out(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    doubtful = set(drawn(folder)[:3])
    clears = sorted(doubtful)[0]
    one_round(folder, in_doubt(doubtful), names=("crowd",))
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        assert kind_of(collection.store.batches()[-1]) == TEST_SET_AGAIN
        lines = collection.store.lines(batch)
        assert set(lines["item_id"]) == doubtful
        assert set(lines["judgments"]) == {2}
        # The further two agree on one item, and disagree on the others.
        answer(
            folder,
            "crowd",
            batch,
            lambda item, who: right(item) if item == clears or who % 2 else other(right(item)),
        )
        collection.step(SilentWatcher())
        done = collection.step(SilentWatcher())
    assert done.lines[0] == "the test set is settled: 38 items have an answer"
    assert "and 1 others (its answer stayed in doubt)" in done.lines[1]
    found = settled(folder)
    assert set(found["left_out"]) == doubtful - {clears}
    with opened(folder) as collection:
        task = collection.contents.task
        names = set(task.items["item_id"].iloc[task.test_positions])
        sold = set(task.items["item_id"].iloc[[p for own in task.pools.values() for p in own]])
        assert not (doubtful - {clears}) & (names | sold)
        assert clears in names


def test_error_rates_do_not_rest_on_items_that_were_asked_again(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    doubtful = set(drawn(folder)[:4])
    one_round(folder, in_doubt(doubtful), names=("crowd",))
    with opened(folder) as collection:
        so_far = collection.proposer.judgments_so_far()
        before = len(so_far.not_chosen)
        batch = to_the_annotators(collection)
        answer(folder, "crowd", batch, in_doubt(doubtful))
        collection.step(SilentWatcher())
        after = collection.proposer.judgments_so_far()
        assert len(after.table) == before + 8
        assert len(after.not_chosen) == before


def test_a_stratum_is_not_called_as_bought_answers_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'test set' is what bought answers of test items are"):
        new_collection(tmp_path, test=BUYING, strata={"names": ["easy", "test set"]})


def test_nothing_is_exported_before_anything_can_be_trained_on(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    one_round(folder, right_of, names=("crowd",))
    with (
        opened(folder) as collection,
        pytest.raises(InputError, match="nobody has labelled anything yet that can be trained on"),
    ):
        export(collection, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_settled_answers_stay_though_somebody_edits_a_judgment(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    one_round(folder, right_of, names=("crowd",))
    step(folder)
    before = settled(folder)
    answer(folder, "crowd", 1, lambda item, who: other(right(item)))
    with opened(folder) as collection:
        collection.fetch()
    assert settled(folder) == before
    with opened(folder) as collection:
        task = collection.contents.task
        assert {LABELS[task.answers[place]] for place in task.test_positions[:1]} == {
            right(str(task.items["item_id"].iloc[task.test_positions[0]]))
        }


def test_a_settlement_that_was_cut_off_is_done_again_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(tmp_path)
    one_round(folder, right_of, names=("crowd",))

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, opened(folder) as collection:
        patch.setattr(CollectionStore, "remember", dies)
        with pytest.raises(KeyboardInterrupt):
            collection.step(SilentWatcher())
    assert not settled(folder)
    assert step(folder).lines == ("the test set is settled: 40 items have an answer",)


def test_a_cancelled_batch_of_test_items_is_planned_anew(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        collection.store.cancel(batch, "ann", "wrong instructions")
        assert to_the_annotators(collection) == 2
        assert len(collection.store.lines(2)) == 40


def test_too_few_clear_answers_end_the_collection_and_nothing_is_settled(tmp_path: Path) -> None:
    folder = begun(tmp_path, judgments=2)
    one_round(folder, lambda item, who: LABELS[who % 2], names=("crowd",))
    with opened(folder) as collection:
        batch = to_the_annotators(collection)
        answer(folder, "crowd", batch, lambda item, who: LABELS[who % 2])
        collection.step(SilentWatcher())
        done = collection.step(SilentWatcher())
    assert done.waits_for == "nothing"
    assert done.lines[0].startswith("Only 0 of 30 test items of the target stratum 'hard' have a")
    assert not settled(folder)


def test_one_judgment_is_taken_as_it_is_and_as_unsure_as_its_supplier(tmp_path: Path) -> None:
    folder = begun(tmp_path, judgments=1, supplier="expert")
    one_round(folder, right_of, names=("expert",))
    assert step(folder).lines[0] == "the test set is settled: 40 items have an answer"
    with opened(folder) as collection:
        assert collection.contents.wrong_answers == pytest.approx(0.25)  # nothing was stated


def test_test_items_of_a_table_of_their_own_are_bought_alike(tmp_path: Path) -> None:
    write_tables(tmp_path, tested=0)
    from tests.unit.budget.collection.by_hand import rows

    lines = "".join(json.dumps(row) + "\n" for row in rows(900, 40))
    (tmp_path / "test.jsonl").write_text(lines, encoding="utf-8")
    folder = new_collection(
        tmp_path,
        tables=False,
        test={"right_answers": "buy", "supplier": "crowd", "path": str(tmp_path / "test.jsonl")},
    )
    assert not drawn(folder)
    one_round(folder, right_of, names=("crowd",))
    assert step(folder).lines == ("the test set is settled: 40 items have an answer",)


def test_answers_that_had_cost_something_are_on_the_ledger(tmp_path: Path) -> None:
    from budget.collection.existing_labels import take_in

    folder = new_collection(tmp_path, test={"cost_per_answer": "0.125"})
    with CollectionStore.open(store_url(folder)) as store:
        for _ in range(2):  # done twice, it is done once
            take_in(store)
        assert store.balance().paid == Decimal("5.000")
        (batch,) = store.batches()
        assert (batch.state, batch.paid) == ("complete", Decimal("5.000"))
    with opened(folder) as collection:
        assert collection_status(collection).batches[0].purpose == TEST_SET
        so_far = collection.proposer.judgments_so_far()
        assert so_far.is_empty  # they are nobody's judgments
        assert not collection_pay(collection.store).rows
        assert set(collection.store.lines()["supplier"]) == {EXISTING}
        proposal = collection.proposal(SilentWatcher())
        assert proposal is not None
        assert proposal.choice.evidence["kind"] == "first"
        assert proposal.number == 2


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ({"right_answers": "known"}, "path is missing; name the table"),
        ({"supplier": "nobody"}, "test.supplier: there is no supplier 'nobody'; choose from crowd"),
        ({"items": 130}, "would be of stratum 'hard' (steps > 2), which has 60 items; say fewer"),
        ({"cost_per_answer": "1"}, "cost_per_answer is of answers that are known"),
        (
            {"judgments": 15, "supplier": "expert"},
            "raise it, take fewer test items by --test-items, or ask",
        ),
        ({"items": 5}, "test.items"),
    ],
)
def test_what_cannot_be_bought_is_refused_in_one_line(
    tmp_path: Path, test: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        begun(tmp_path, **test)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "c").exists()


def test_both_a_table_and_a_number_are_a_question(tmp_path: Path) -> None:
    write_tables(tmp_path)
    with pytest.raises(InputError, match="got both path and items"):
        begun(tmp_path, path=str(tmp_path / "test.jsonl"))


def test_a_table_that_has_answers_is_not_asked_for_them_again(tmp_path: Path) -> None:
    write_tables(tmp_path)
    with pytest.raises(InputError, match="40 of its items have a right answer"):
        begun(tmp_path, path=str(tmp_path / "test.jsonl"), items=None)


@pytest.mark.parametrize("value", ["[1]", "nothing", '{"answers": 3, "left_out": {}}'])
@pytest.mark.parametrize("key", [ITEMS, ANSWERS])
def test_facts_that_somebody_changed_are_one_line(tmp_path: Path, key: str, value: str) -> None:
    folder = begun(tmp_path)
    with CollectionStore.open(store_url(folder)) as store:
        store.remember(**{key: value})
    with pytest.raises(MachineError, match=f"key '{key}': cannot be read"), opened(folder):
        pass


def test_the_most_accurate_is_asked_where_all_state_their_errors_else_the_dearest(
    tmp_path: Path,
) -> None:
    from budget.collection.test_set.suppliers import answering_supplier

    with opened(begun(tmp_path)) as collection:
        config = collection.config.model_copy(
            update={"test": collection.config.test.model_copy(update={"supplier": None})}
        )
        own, unit = collection.suppliers, collection.store.unit
        assert answering_supplier(config, suppliers(), own, unit).name == "expert"
        stated = suppliers(
            crowd={"cost": "0.05", "error_rate": 0.1}, expert={"cost": "0.40", "error_rate": 0.2}
        )
        assert answering_supplier(config, stated, own, unit).name == "crowd"


def test_answers_come_from_label_studio_and_doubtful_items_keep_their_task(tmp_path: Path) -> None:
    file = suppliers(
        crowd={"cost": "0.05", "judgments": [2], "channel": "label_studio"},
        expert={"cost": "0.40", "channel": "file"},
    )
    folder = new_collection(tmp_path, file, test=BUYING)
    doubtful = set(drawn(folder)[:3])
    says = in_doubt(doubtful)
    studio = FakeServer()
    with opened(folder, studio.as_server()) as collection:
        to_the_annotators(collection)
        tasks = {str(task.data["item_id"]): number for number, task in studio.tasks.items()}
        assert set(tasks) == set(drawn(folder))
        for item, number in tasks.items():
            for who in range(3):
                studio.annotate(number, says(item, who), who + 1)
        assert collection.step(SilentWatcher()).waits_for is None
        assert to_the_annotators(collection) == 2
        assert len(studio.tasks) == 40  # nobody meets an item twice
        for item in doubtful:
            for who in (3, 4):
                studio.annotate(tasks[item], right(item), who + 1)
        collection.step(SilentWatcher())
        done = collection.step(SilentWatcher())
        assert done.lines == ("the test set is settled: 40 items have an answer",)
        assert collection.store.balance().paid == Decimal("6.30")


def test_whole_groups_are_tested_and_none_is_on_both_sides(tmp_path: Path) -> None:
    write_tables(tmp_path)
    path = tmp_path / "pool.jsonl"
    grouped = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(grouped):
        row["group"] = f"source {number // 8}"
    path.write_text("".join(json.dumps(row) + "\n" for row in grouped), encoding="utf-8")
    folder = new_collection(
        tmp_path, tables=False, test=BUYING, budget={"total": "60", "currency": "EUR"}
    )
    group_of = {row["item_id"]: row["group"] for row in grouped}
    tested = {group_of[name] for name in drawn(folder)}
    with opened(folder) as collection:
        task = collection.contents.task
        sold = task.items["item_id"].iloc[[p for own in task.pools.values() for p in own]]
        assert sold.size
        assert not tested & {group_of[name] for name in sold}
    # Of the stratum that counts all groups but the last are tested as a whole.
    hard = {row["item_id"] for row in grouped if row["steps"] > 2}
    own = hard & set(drawn(folder))
    parted = {group_of[name] for name in hard - own} & {group_of[name] for name in own}
    assert len(own) == 30
    assert len(parted) <= 1
