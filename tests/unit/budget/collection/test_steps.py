"""The one next thing: done again at any time, nothing is done twice."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from tests.unit.budget.collection.by_hand import (
    CROWD,
    answer,
    learns_nothing,
    new_collection,
    now_and_then_wrong,
    one_round,
    opened,
    right,
    suppliers,
    to_the_annotators,
)
from training.engines import SilentWatcher

WATCHER = SilentWatcher()


@pytest.fixture(autouse=True)
def _known_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    learns_nothing(monkeypatch)


def orders(collection: Collection) -> list[tuple[Any, ...]]:
    names = ["batch", "supplier", "item_id", "judgments", "gold"]
    return [tuple(row) for row in collection.store.lines()[names].fillna("").to_numpy().tolist()]


def rows_of_ledger(collection: Collection) -> list[tuple[Any, ...]]:
    names = ["kind", "amount", "batch", "supplier", "stratum", "annotator", "source_id", "why"]
    return [tuple(row) for row in collection.store.ledger()[names].fillna("").to_numpy().tolist()]


def test_a_collection_goes_on_until_the_money_is_spent(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    for number in (1, 2, 3):
        assert one_round(folder) == number
    with opened(folder) as collection:
        done = collection.step(WATCHER)
        assert (done.step, done.waits_for) == ("plan", "nothing")
        assert collection.store.about("ended") == done.lines[0]
        balance = collection.store.balance()
        assert balance.promised == 0
        assert 0 <= balance.left < 3
        lines, judgments = collection.store.lines(), collection.store.judgments()
        assert (lines["received"] == lines["judgments"]).all()
        assert balance.paid == sum(
            (Decimal("0.05") if who == "crowd" else Decimal("0.40"))
            for who in judgments["supplier"]
        )
        training = lines[lines["gold"].isna()]
        assert not training["item_id"].duplicated().any()


def test_what_ended_it_is_forgotten_when_there_is_more_money(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    for _ in range(3):
        one_round(folder)
    with opened(folder) as collection:
        assert collection.step(WATCHER).waits_for == "nothing"
        collection.store.set_budget(Decimal(60), "ann")
        assert collection.step(WATCHER).waits_for is None
        assert collection.store.about("ended") is None


def test_nothing_is_ordered_before_somebody_approved(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        assert collection.step(WATCHER).step == "plan"
        for _ in range(2):
            done = collection.step(WATCHER)
            assert (done.step, done.waits_for, done.batch) == ("approve", "approval", 1)
            assert "EUR at most and waits for approval: labelmix collect approve" in done.lines[0]
        assert collection.store.balance().promised == 0
    assert not (folder / "suppliers").exists()


def test_small_batches_need_no_approval(tmp_path: Path) -> None:
    folder = new_collection(tmp_path, buying={"approve_below": "8.50"})
    with opened(folder) as collection:
        collection.step(WATCHER)
        [told] = collection.step(WATCHER).lines
        assert told == (
            "batch 1 costs 8.50 EUR at most and is approved: the settings ask for no approval up "
            "to 8.50 EUR"
        )
        assert collection.store.batches()[0].approved_by == "buying.approve_below"


def test_it_waits_for_every_judgment_unless_they_are_enough(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1, people=1)
        for _ in range(2):
            done = collection.step(WATCHER)
            assert done.waits_for == "annotators"
            assert done.lines[-1] == "batch 1 waits for 32 of 48 judgments"
        promised = collection.store.balance().promised
        assert promised == Decimal("8.50") - Decimal("0.80")
        done = collection.step(WATCHER, enough=True)
        assert done.lines[-1] == "batch 1 is complete without 32 judgments that did not come"
        assert collection.store.balance().left == Decimal("30") - Decimal("0.80")


def test_enough_of_nothing_is_asked_anew(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        collection.step(WATCHER, enough=True)
        done = collection.step(WATCHER)
        assert (done.step, done.batch) == ("plan", 2)
        assert done.lines[0].startswith("The first batch buys 6 labels")
        assert collection.store.balance().left == 30
        lines = collection.store.lines()
        assert not lines["item_id"][lines["gold"].isna()].duplicated().any()


def test_answers_to_gold_questions_alone_are_no_labels(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1, lambda item, _: right(item) if item >= "item-9" else None)
        collection.step(WATCHER, enough=True)
        done = collection.step(WATCHER)
        assert done.lines[0].startswith("The first batch")


def test_more_judgments_than_ordered_are_paid_up_to_the_allowance(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1, people=3)  # two were asked for: 16 judgments more than 32
        answer(folder, "expert", 1)
        done = collection.step(WATCHER)
        assert "14 judgments are not paid; see labelmix collect status" in done.lines
        balance = collection.store.balance()
        assert balance.paid == Decimal("0.05") * 34 + Decimal("0.40") * 16
        assert collection.step(WATCHER).step == "plan"  # all of them are trained on


def test_a_cancelled_batch_is_followed_by_another_number(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1, lambda item, _: right(item) if item < "item-010" else None)
        collection.fetch()
        collection.store.cancel(1, "ann", "wrong question")
        answered = set(collection.store.judgments()["item_id"])
        assert to_the_annotators(collection) == 2
        lines = collection.store.lines(2)
        assert not set(lines["item_id"]) & answered
        assert (folder / "suppliers" / "crowd" / "out" / "batch-2.csv").is_file()
        promised = collection.store.balance().by_batch
        assert promised[1].promised == 0
        assert promised[2].promised > 0


def test_a_paused_or_closed_collection_does_nothing(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        for state in ("paused", "closed"):
            collection.store.set_state(state, "ann")
            done = collection.step(WATCHER)
            (line,) = done.lines
            assert line.startswith(f"the collection is {state}; nothing is done")
            assert ("collect resume" in line) is (state == "paused")
            assert done.waits_for == "nothing"
        assert not collection.store.batches()


def test_people_who_edit_are_paid_once_and_deleted_judgments_are_taken_back(
    tmp_path: Path,
) -> None:
    folder = new_collection(tmp_path)
    one_round(folder)
    with opened(folder) as collection:
        paid = collection.store.balance().paid
        answer(folder, "crowd", 1, lambda item, _: right(item))  # some labels are others now
        told = collection.fetch()
        assert re.fullmatch(r"crowd: 0 new judgments, [1-9]\d* changed, 0 gone", told[0])
        assert collection.store.balance().paid == paid
        answer(folder, "crowd", 1, lambda item, who: right(item) if who else None)
        assert any("0 new judgments, 0 changed, 16 gone" in line for line in collection.fetch())
        assert collection.store.balance().paid == paid - 16 * Decimal("0.05")


def test_one_supplier_that_cannot_be_fetched_loses_nothing_of_the_others(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "crowd", 1)
        (folder / "suppliers" / "expert" / "back" / "wrong.csv").write_text("a,b\n1,2\n")
        with pytest.raises(InputError, match=r"wrong\.csv"):
            collection.step(WATCHER)
        assert len(collection.store.judgments()) == 32
        (folder / "suppliers" / "expert" / "back" / "wrong.csv").unlink()
        answer(folder, "expert", 1)
        assert collection.step(WATCHER).waits_for is None


# Killed anywhere


class KilledError(BaseException):
    """The process is gone."""


CHANGES = ("add_batch", "approve", "mark_ordered", "receive", "book", "complete", "remember")


def play(folder: Path) -> None:
    """The next step, with answers where annotators are waited for."""
    with opened(folder) as collection:
        done = collection.step(WATCHER)
    if done.waits_for == "annotators":
        for name in ("crowd", "expert"):
            for path in (folder / "suppliers" / name / "out").glob("batch-*.csv"):
                batch = int(path.stem.removeprefix("batch-"))
                answer(folder, name, batch, now_and_then_wrong)


Moment = tuple[str, str]  # a change of the store, and whether it is before or after it


def played(
    folder: Path, monkeypatch: pytest.MonkeyPatch, dies: Callable[[Moment], bool]
) -> tuple[list[Any], list[Any], Counter[Moment]]:
    """Play two rounds; the process dies before and after changes of the store where `dies` says so.

    What was ordered, the ledger, and which moments there were.
    """
    moments: Counter[Moment] = Counter()

    def moment(own: Moment) -> None:
        moments[own] += 1
        if dies(own):
            raise KilledError

    def watched(name: str) -> Callable[..., Any]:
        method = getattr(CollectionStore, name)

        def change(*arguments: Any, **named: Any) -> Any:
            moment((name, "before"))
            found = method(*arguments, **named)
            moment((name, "after"))
            return found

        return change

    with monkeypatch.context() as patch:
        for name in CHANGES:
            patch.setattr(CollectionStore, name, watched(name))
        for _ in range(60):
            with opened(folder) as collection:
                if [own.state for own in collection.store.batches()] == ["complete"] * 2:
                    return orders(collection), rows_of_ledger(collection), moments
            with suppress(KilledError):
                play(folder)
    raise AssertionError("it never came to its end")


def test_a_step_that_is_killed_between_any_two_changes_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[Moment] = Counter()

    def each(own: Moment) -> bool:
        seen[own] += 1
        return seen[own] in (1, 4)  # in the first round, and again

    found = []
    for name, dies in (("calm", lambda _: False), ("killed", each)):
        (tmp_path / name).mkdir()
        folder = new_collection(tmp_path / name, buying={"approve_below": 100})
        found.append(played(folder, monkeypatch, dies))
    calm, killed = found
    assert killed[:2] == calm[:2]
    assert calm[2].keys() == {(n, when) for n in CHANGES for when in ("before", "after")}


def test_the_same_judgments_in_another_order_give_the_same_plan(tmp_path: Path) -> None:
    planned = []
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        folder = new_collection(tmp_path / str(seed))
        with opened(folder) as collection:
            to_the_annotators(collection)
            for name in ("crowd", "expert"):
                answer(folder, name, 1, now_and_then_wrong)
                path = folder / "suppliers" / name / "back" / "batch-1.csv"
                table = pd.read_csv(path).sample(frac=1, random_state=seed)
                if seed:  # and in two parts
                    table[:5].to_csv(path.with_name("a.csv"), index=False)
                    collection.step(WATCHER)
                    path.with_name("a.csv").unlink()
                table.to_csv(path, index=False)
            assert collection.step(WATCHER).waits_for is None
            collection.step(WATCHER)
            planned.append((orders(collection), collection.store.batches()[1].decision["measured"]))
    assert planned[0] == planned[1]


def test_a_supplier_in_three_numbers_of_judgments_gets_each_item_once(tmp_path: Path) -> None:
    file = suppliers(crowd={**CROWD, "judgments": [1, 2, 3]})
    folder = new_collection(tmp_path, file, budget={"total": "9"})
    for _ in range(2):
        one_round(folder, names=("crowd",))
    with opened(folder) as collection:
        lines = collection.store.lines()
        assert set(lines["judgments"]) <= {1, 2, 3}
        assert not lines.duplicated(["supplier", "item_id"]).any()


def test_one_supplier_that_fails_does_not_keep_the_others_from_their_money(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        answer(folder, "expert", 1)
        (folder / "suppliers" / "crowd" / "back" / "batch-1.csv").write_text("item_id\n1\n")
        for how in ({}, {"enough": True}):
            with pytest.raises(InputError, match=r"batch-1\.csv"):
                collection.step(WATCHER, **how)
            assert collection.store.balance().paid == 16 * Decimal("0.40")
        assert collection.store.batches()[0].state == "ordered"
        answer(folder, "crowd", 1)
        assert collection.step(WATCHER).lines[-1] == "batch 1 is complete"


def test_a_paused_collection_pays_for_what_people_do_and_orders_nothing(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
        collection.store.set_state("paused", "ann", "holidays")
        answer(folder, "crowd", 1)
        assert collection.next_step() == "pull"
        assert collection.step(WATCHER).waits_for == "annotators"
        assert collection.store.balance().paid == 32 * Decimal("0.05")
        answer(folder, "expert", 1)
        assert collection.step(WATCHER).lines[-1] == "batch 1 is complete"
        assert collection.next_step() == "stop"
        assert collection.step(WATCHER).waits_for == "nothing"
        collection.store.set_state("running", "ann")
        assert collection.next_step() == "plan"
