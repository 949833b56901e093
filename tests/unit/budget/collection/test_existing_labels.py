"""Labels that exist already: on the ledger, trained on, never asked for."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from budget.collection.existing_labels import KEY, take_in
from budget.collection.kinds import EXISTING
from budget.collection.store.store import CollectionStore
from budget.commands.collect_session import opened_collection
from tests.unit.budget.collection.small_collection import (
    answered,
    begun,
    ordered,
    plainly,
    right,
    suppliers,
    write_inputs,
)
from tests.unit.budget.commands.command_line import labelmix, one_line


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "old.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def label(number: int, **more: Any) -> dict[str, Any]:
    return {"item_id": f"item-{number}", "label": right(f"item-{number}"), **more}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Ten labels of the pool at .15, a second one of item 0 at .4 and one without a cost."""
    rows = [label(n, annotator="ann", cost="0.15") for n in range(10)]
    rows += [label(0, annotator="bob", cost="0.4"), label(1, annotator="bob", cost="")]
    return begun(tmp_path, "--labels", written(tmp_path, rows))


def paid(store: CollectionStore) -> dict[tuple[str, str], Decimal]:
    ledger = store.ledger()
    spent = ledger[ledger["kind"] == "spent"]
    return {(str(row.annotator), str(row.source_id)): row.amount for row in spent.itertuples()}


def test_every_label_is_paid_at_its_own_cost_and_none_is_asked_for(collection: Path) -> None:
    with CollectionStore.open(collection / "collection.sqlite") as store:
        booked = paid(store)
        assert booked == {
            **{("ann", str(n)): Decimal("0.15") for n in range(1, 11)},
            ("bob", "11"): Decimal("0.4"),
        }
        balance = store.balance()
        assert (balance.paid, balance.promised) == (Decimal("1.9"), Decimal(0))
        assert balance.by_supplier[EXISTING].paid == Decimal("1.9")
        assert {own.state for own in store.batches()} == {"complete"}
        assert len(store.judgments()) == 12
        assert store.about(KEY) is None
        assert not len(store.book().unpaid)
    status = json.loads(labelmix("collect", "status", collection, "--json").stdout)
    assert sum(status["labels"].values()) == 10
    assert sum(status["left"].values()) == 50
    assert {own["supplier"]: own["paid"] for own in status["money"]}[EXISTING] == "1.9000"


def test_the_first_batch_measures_suppliers_and_asks_for_other_items(collection: Path) -> None:
    assert labelmix("collect", "step", collection).exit_code == 0
    with CollectionStore.open(collection / "collection.sqlite") as store:
        lines, batches = store.lines(), store.batches()
    assert batches[-1].decision["kind"] == "first"
    new = lines[(lines["batch"] == batches[-1].number) & lines["gold"].isna()]
    assert set(new["supplier"]) == {"crowd", "experts"}
    assert not set(new["item_id"]) & {f"item-{n}" for n in range(10)}


def test_they_are_trained_on_and_go_out_with_what_they_cost(
    collection: Path, tmp_path: Path
) -> None:
    number = len(json.loads(labelmix("collect", "status", collection, "--json").stdout)["batches"])
    ordered(collection, number + 1)
    answered(collection, number + 1, plainly)
    done = labelmix("collect", "export", collection, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    table = pd.read_parquet(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")
    table = table.set_index("item_id")
    assert table.loc["item-0", "paid"] == "0.5500"
    assert list(table.loc["item-0", "suppliers"]) == [EXISTING]
    assert table.loc["item-0", "judgments"] == 2
    assert len(table) == 10 + 32
    # They were paid before: nobody is owed anything for them.
    pay = json.loads(labelmix("collect", "pay", collection, "--json").stdout)
    assert {row["supplier"] for row in pay["rows"]} == {"crowd", "experts"}
    said = one_line(
        labelmix("collect", "order-sheet", collection, "1", "--out", tmp_path / "o.html")
    )
    assert "holds the labels that were there before" in said


@pytest.mark.parametrize("wrong", [0, 4])
def test_labels_of_test_items_tell_how_often_all_are_wrong(tmp_path: Path, wrong: int) -> None:
    """Every fourth of them is wrong, or none; in each stratum there are twenty or so."""
    rows = [label(n) for n in range(12)]
    for n in range(60, 100):
        other = {"odd": "even", "even": "odd"}[right(f"item-{n}")]
        rows.append(label(n) | ({"label": other} if wrong and n % wrong == 0 else {}))
    folder = begun(tmp_path, "--labels", written(tmp_path, rows))
    status = json.loads(labelmix("collect", "status", folder, "--json").stdout)
    own = {row["stratum"]: row for row in status["suppliers"] if row["supplier"] == EXISTING}
    assert own["easy"]["is_measured"] and own["easy"]["gold_answers"] == 21
    if wrong:
        assert 0.1 < own["easy"]["error_rate"] < 0.4
        assert status["clean"]["easy"] < 0.8
    else:
        assert own["easy"]["error_rate"] < 0.05
        assert status["clean"]["easy"] > 0.9


def test_labels_of_test_items_are_gold_answers_and_not_trained_on(tmp_path: Path) -> None:
    rows = [label(n) for n in range(5)] + [label(n) for n in range(60, 75)]
    folder = begun(tmp_path, "--labels", written(tmp_path, rows))
    with CollectionStore.open(folder / "collection.sqlite") as store:
        judgments, lines = store.judgments(), store.lines()
    tested = judgments["item_id"].str[5:].astype(int) >= 60
    assert judgments["gold"].notna().equals(tested)
    assert set(judgments["annotator"]) == {EXISTING}
    assert len(lines) == 20
    status = json.loads(labelmix("collect", "status", folder, "--json").stdout)
    assert sum(status["labels"].values()) == 5
    assert Decimal(status["paid"]) == 0


def test_what_a_killed_beginning_left_comes_in_once(tmp_path: Path) -> None:
    """Whatever was done of it before, the end is the same."""
    rows = [label(n, annotator="ann", cost="0.15") for n in range(4)]
    rows += [label(0, annotator="bob", cost="0.2")]
    whole = begun(tmp_path / "whole", "--labels", written(tmp_path, rows))
    with CollectionStore.open(whole / "collection.sqlite") as store:
        expected = (paid(store), store.lines().to_dict("records"))

    class KilledError(BaseException):
        pass

    for stop in range(12):
        folder = tmp_path / str(stop)
        with pytest.MonkeyPatch.context() as patch:
            calls = 0

            def counted(store: CollectionStore, stop: int = stop) -> None:
                class Killed:
                    def __getattr__(self, name: str) -> Any:
                        def call(*args: Any, **kwargs: Any) -> Any:
                            nonlocal calls
                            calls += 1
                            if calls > stop:
                                raise KilledError
                            return getattr(store, name)(*args, **kwargs)

                        return call

                take_in(Killed())  # type: ignore[arg-type]

            patch.setattr("budget.collection.existing_labels.take_in", counted)
            with pytest.raises(KilledError):
                begun(folder, "--labels", written(folder, rows))
        with opened_collection(folder / "c", None, None):
            pass
        with CollectionStore.open(folder / "c" / "collection.sqlite") as store:
            assert (paid(store), store.lines().to_dict("records")) == expected
            assert store.about(KEY) is None


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"item_id": "item-1"}], "old.csv: column 'label' is missing; the columns are: item_id."),
        ([label(1), label(500)], "row 2, column 'item_id'"),
        ([label(1), {"item_id": "item-2", "label": "maybe"}], "row 2, column 'label': 'maybe' is"),
        ([label(1), {"item_id": "item-2", "label": ""}], "row 2, column 'label'"),
        ([label(1), label(1)], "row 2: item 'item-1' has a label by annotator 'existing' already;"),
        ([label(1, cost="1"), label(2, cost="-1")], "row 2, column 'cost': "),
        ([label(1, cost="one")], "row 1, column 'cost': "),
        ([label(1, cost="0.000001")], "row 1, column 'cost' is 0.000001 EUR: more decimal places"),
        ([label(1, cost="30"), label(2, cost="30")], "cost 60 EUR, more than the budget of 40.00"),
        ([label(1, annotator="ann"), label(2, annotator="")], "row 2, column 'annotator'"),
        (
            [label(1, annotator="b"), label(2, annotator="a\0n")],
            r"row 2, column 'annotator': 'a\x00n' has a NUL",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    rows: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    write_inputs(tmp_path)
    done = labelmix(
        *("collect", "new", tmp_path / "c", "--items", tmp_path / "pool.jsonl"),
        *("--test", tmp_path / "test.jsonl", "--suppliers", tmp_path / "suppliers.toml"),
        *("--measure", "steps", "--cut", "quantiles:2", "--budget", "40.00", "--currency", "EUR"),
        *("--labels", written(tmp_path, rows)),
    )
    assert said in one_line(done)
    assert not (tmp_path / "c").exists()


def test_no_supplier_has_their_name(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    text = suppliers().replace("suppliers.crowd", f"suppliers.{EXISTING}")
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    done = labelmix("collect", "change", folder, "--suppliers", tmp_path / "wrong.toml")
    assert one_line(done).startswith("suppliers.existing: labels that existed before have this")
