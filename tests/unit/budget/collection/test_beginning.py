"""Beginning a collection: all of it, or nothing that counts; and going on with it."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from budget.collection import beginning
from budget.collection.beginning import (
    begin,
    change_suppliers,
    check_beginning,
    check_suppliers,
    kept_config,
    kept_suppliers,
    store_url,
)
from budget.collection.store.store import CollectionStore
from budget.config.collection_config import parse_collection
from tests.unit.budget.collection.by_hand import (
    CROWD,
    EXPERT,
    new_collection,
    one_round,
    opened,
    settings,
    suppliers,
    to_the_annotators,
    write_tables,
)


def there(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_collection_has_its_own_tables(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    assert there(folder) == {"collection.sqlite", "items/pool.jsonl", "test/test.jsonl"}
    (tmp_path / "pool.jsonl").unlink()
    (tmp_path / "test.jsonl").unlink()
    moved = folder.rename(tmp_path / "moved")
    with opened(moved) as collection:
        assert collection.next_step() == "plan"
        assert collection.config.items.path == str(tmp_path / "moved" / "items" / "pool.jsonl")
        assert collection.store.balance().left == 30
        assert collection.store.events()["who"].tolist() == ["ann", "ann"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"budget": {"total": "1"}}, r"buying\.first: 6 labels and 2 gold .* EUR for labels"),
        ({"budget": {"total": "7"}, "buying": {"first": None}}, "too little for a first batch"),
        ({"buying": {"first": 31}, "budget": {"total": 500}}, r"buying\.first: 31 labels"),
    ],
)
def test_too_little_money_or_items_is_told_before_anything_is_written(
    sections: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        new_collection(tmp_path, **sections)
    assert not (tmp_path / "c").exists()


def test_capacity_limits_the_first_batch(tmp_path: Path) -> None:
    file = suppliers(crowd=CROWD, expert={**EXPERT, "capacity": 5})
    with pytest.raises(InputError, match=r"fewer items, or capacity"):
        new_collection(tmp_path, file)


def test_a_collection_is_begun_once(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    before = (folder / "collection.sqlite").read_bytes()
    with pytest.raises(InputError, match="a collection is there already"):
        new_collection(tmp_path, tables=False)
    assert (folder / "collection.sqlite").read_bytes() == before


def test_another_table_in_the_place_of_a_copy_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "c" / "test").mkdir(parents=True)
    own = tmp_path / "c" / "test" / "test.jsonl"
    own.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.jsonl: another table is there already"):
        new_collection(tmp_path)
    assert own.read_text(encoding="utf-8") == "mine"
    own.unlink()
    new_collection(tmp_path)


@pytest.mark.parametrize("at", ["shutil.copyfile", "CollectionStore.create", "_digest"])
def test_a_beginning_that_ends_in_the_middle_leaves_nothing_that_counts(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(f"budget.collection.beginning.{at}", killed)
        with pytest.raises(KilledError):
            new_collection(tmp_path)
    assert not CollectionStore.exists(store_url(tmp_path / "c"))
    assert not [name for name in there(tmp_path / "c") if Path(name).name.startswith(".")]
    folder = new_collection(tmp_path)
    assert there(folder) == {"collection.sqlite", "items/pool.jsonl", "test/test.jsonl"}


def test_tables_in_their_place_stay_as_they_are(tmp_path: Path) -> None:
    write_tables(tmp_path)
    for name, table in (("items", "pool"), ("test", "test")):
        (tmp_path / "c" / name).mkdir(parents=True)
        shutil.move(tmp_path / f"{table}.jsonl", tmp_path / "c" / name / f"{table}.jsonl")
    own = {
        "items": {"path": str(tmp_path / "c" / "items" / "pool.jsonl")},
        "test": {"path": str(tmp_path / "c" / "test" / "test.jsonl")},
    }
    begin(
        tmp_path / "c",
        check_beginning(parse_collection({**settings(tmp_path), **own}, "s"), suppliers()),
        "ann",
    )
    with opened(tmp_path / "c") as collection:
        assert collection.next_step() == "plan"


def test_a_table_that_is_gone_or_changed_is_told(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    table = folder / "items" / "pool.jsonl"
    whole = table.read_bytes()
    table.write_bytes(whole.replace(b"Is 7 odd", b"Is 7 ood"))
    with (
        pytest.raises(InputError, match=r"pool\.jsonl: was changed since"),
        opened(folder),
    ):
        pass
    table.unlink()
    with pytest.raises(InputError, match=r"pool\.jsonl: is gone"), opened(folder):
        pass
    table.write_bytes(whole)
    with opened(folder) as collection:
        assert collection.next_step() == "plan"


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    folder = new_collection(
        tmp_path,
        deadline="2030-01-31",
        buying={"extra": 0.1, "approve_below": "2.5", "aggregate": "majority"},
        probe={"penalty": 0.5},
    )
    given = parse_collection(
        settings(
            tmp_path,
            deadline="2030-01-31",
            buying={"extra": 0.1, "approve_below": "2.5", "aggregate": "majority"},
            probe={"penalty": 0.5},
        ),
        "settings",
    )
    with CollectionStore.open(store_url(folder)) as store:
        kept = kept_config(folder, store)
    assert kept.model_copy(update={"items": given.items, "test": given.test}) == given


# Other suppliers


def change(folder: Path, **own: Any) -> None:
    with CollectionStore.open(store_url(folder)) as store:
        file = suppliers(**own)
        check_suppliers(folder, store, file)
        change_suppliers(store, file, "ann", "cheaper")


def test_other_suppliers_are_asked_from_the_next_batch_on(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    one_round(folder)
    change(folder, crowd={**CROWD, "cost": "0.04"})
    with opened(folder) as collection:
        assert list(collection.suppliers) == ["crowd"]
        assert collection.suppliers["crowd"].prices["easy"].per_judgment == Decimal("0.04")
        history = json.loads(collection.store.about("supplier_changes") or "")
        assert [(own["who"], own["why"]) for own in history] == [("ann", "cheaper")]
        assert set(history[0]["before"]["suppliers"]) == {"crowd", "expert"}
        prices = collection.store.lines(1)
        crowd = prices[prices["supplier"] == "crowd"]["per_judgment"]
        assert set(crowd) == {Decimal("0.05")}  # what was ordered keeps its price


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"crowd": {**CROWD, "cost": "0.055"}}, r"suppliers\.crowd: a price is 0\.055 EUR: more"),
        ({"crowd": {"per_hour": 9, "seconds": 5}}, r"suppliers\.crowd: is paid by the hour"),
        ({"crowd": {"strata": {"eazy": {"cost": "0.05"}}}}, "no such stratum"),
        ({"crowd": {"error_rate": 0.1}}, "cost is missing"),
    ],
)
def test_suppliers_that_the_collection_cannot_use_are_refused(
    own: dict[str, Any], told: str, tmp_path: Path
) -> None:
    folder = new_collection(tmp_path)
    with pytest.raises(InputError, match=told):
        change(folder, **own)
    with CollectionStore.open(store_url(folder)) as store:
        assert kept_suppliers(store) == suppliers()
        assert store.about("supplier_changes") is None


def test_who_is_at_work_cannot_be_left_out(tmp_path: Path) -> None:
    folder = new_collection(tmp_path)
    with opened(folder) as collection:
        to_the_annotators(collection)
    with pytest.raises(InputError, match=r"suppliers\.expert: is not in the file, but batch 1 is"):
        change(folder, crowd=CROWD)
    with pytest.raises(InputError, match="has the channel label_studio now"):
        change(folder, crowd={"cost": "0.05"}, expert=EXPERT)
    change(folder, crowd={**CROWD, "cost": "0.03"}, expert=EXPERT, more=EXPERT)
    with CollectionStore.open(store_url(folder)) as store:
        store.cancel(1, "ann", "")
    change(folder, crowd=CROWD)


def test_the_store_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(beginning.STORE_VARIABLE, " postgresql://ann@host/data ")
    assert store_url(Path("c")) == "postgresql://ann@host/data"
    monkeypatch.setenv(beginning.STORE_VARIABLE, "")
    assert store_url(Path("/c")) == "sqlite:////c/collection.sqlite"
