"""What a collection gives away: all of it, or nothing."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError, MachineError
from annotation.faults import os_failure
from annotation.judgments.table_files import read_judgments
from annotation.whole_files import whole_file
from budget.collection import exporting
from budget.collection.exporting import export, training_set
from tests.unit.budget.collection.by_hand import (
    CROWD,
    EXPERT,
    answer,
    new_collection,
    one_round,
    opened,
    suppliers,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = new_collection(tmp_path)
    one_round(folder)
    return folder


def test_everything_goes_out(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as collection:
        paths = export(collection, tmp_path / "out")
        judgments, balance = collection.store.judgments(), collection.store.balance()
        lines, ledger = collection.store.lines(), collection.store.ledger()
    table = pd.read_parquet(paths["training set"])
    assert set(table["item_id"]) == set(lines["item_id"][lines["gold"].isna()])
    assert (table["annotators"].map(len) == table["judgments"]).all()
    of_gold = judgments[judgments["gold"].notna()]["supplier"]
    gold = sum(
        (Decimal(str(CROWD["cost"] if s == "crowd" else EXPERT["cost"])) for s in of_gold),
        Decimal(0),
    )
    assert sum(map(Decimal, table["paid"])) == balance.paid - gold
    assert len(read_judgments(paths["judgments"])) == len(judgments)
    written = pd.read_csv(paths["ledger"], dtype=str)
    assert list(written["amount"]) == [str(amount) for amount in ledger["amount"]]
    [decision] = json.loads(paths["decisions"].read_text(encoding="utf-8"))
    assert (decision["batch"], decision["state"]) == (1, "complete")
    assert "paid` (in EUR" in paths["card"].read_text(encoding="utf-8")
    private = [own for name, own in paths.items() if name != "card"]
    assert {own.stat().st_mode & 0o077 for own in private} == {0}


def test_nothing_to_give_away_is_told(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection, pytest.raises(InputError, match="nobody has judged"):
        export(collection, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("last", range(5))
@pytest.mark.parametrize("before", [False, True])
def test_a_disk_that_is_full_leaves_what_was_there(
    last: int, before: bool, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    @contextmanager
    def full(path: Path, private: bool = False) -> Iterator[Path]:
        nonlocal count
        count += 1
        with whole_file(path, private) as unfinished:
            yield unfinished
            if count == last + 1:
                raise os_failure(path, "written", OSError(errno.ENOSPC, "no space"))

    def there() -> dict[str, bytes]:
        own = tmp_path / "out"
        return {str(p): p.read_bytes() for p in own.rglob("*") if p.is_file()}

    with opened(folder) as collection:
        if before:
            for path in export(collection, tmp_path / "out").values():
                path.write_text("before")
        stood = there()
        with monkeypatch.context() as patch:
            patch.setattr(exporting, "whole_file", full)
            patch.setattr("annotation.judgments.table_files.whole_file", full)
            with pytest.raises(MachineError):
                export(collection, tmp_path / "out")
        assert there() == stood
        assert len(export(collection, tmp_path / "out")) == 5
        assert len(there()) == 5


def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_written(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "ledger.csv").mkdir(parents=True)
    with opened(folder) as collection, pytest.raises(InputError, match=r"ledger\.csv"):
        export(collection, tmp_path / "out")
    assert [own.name for own in (tmp_path / "out").rglob("*")] == ["ledger.csv"]


def test_no_cell_of_the_ledger_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    from tests.unit.budget.collection.by_hand import to_the_annotators
    from training.engines import SilentWatcher

    with opened(folder) as collection:
        to_the_annotators(collection)
        table = answer(folder, "crowd", 1)
        table["annotator"] = [f"=cmd{own}" for own in table["annotator"]]
        table.to_csv(folder / "suppliers" / "crowd" / "back" / "batch-1.csv", index=False)
        collection.step(SilentWatcher())
        paths = export(collection, tmp_path / "out")
    written = pd.read_csv(paths["ledger"], dtype=str, keep_default_na=False)
    people = set(written["annotator"]) - {""}
    assert people == {"'=cmdcrowd-0", "'=cmdcrowd-1"}
    assert not any(cell.startswith(("=", "+", "@")) for cell in written.to_numpy().ravel())


def test_a_supplier_of_before_is_still_told(folder: Path) -> None:
    from budget.collection.beginning import change_suppliers, store_url
    from budget.collection.store.store import CollectionStore

    with CollectionStore.open(store_url(folder)) as store:
        change_suppliers(store, suppliers(crowd=CROWD), "ann", "")
    with opened(folder) as collection:
        told: Any = training_set(collection)["suppliers"]
    assert {name for own in told for name in own} == {"crowd", "expert"}
